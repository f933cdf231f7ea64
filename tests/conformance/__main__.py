"""``make conformance``: runc's bats with runc and with scrun, held against ``cases.toml``; rewrites the document."""

from __future__ import annotations

import sys

from . import bats, table


def main() -> int:
    """Run everything; 1 if a case that passed before fails now."""
    bats.prepare()
    expected = table.read()
    runc = bats.run("runc", None, expected.files)
    scrun = bats.run("scrun", None, expected.files)
    for case, outcome in scrun.items():
        verdict = expected.bats.get(case)
        if verdict is None:
            print(f"not in cases.toml: {case[0]}.bats: {case[1]}")
        elif verdict != table.PASS and outcome.verdict == bats.PASSED:
            print(f"passes by now: {case[0]}.bats: {case[1]} ({verdict})")
    table.DOCUMENT.write_text(table.document(expected, table.DOCUMENT.read_text(), runc))
    failures = bats.compare(expected.bats, scrun)
    print(*failures, sep="\n")
    passed = sum(outcome.verdict == bats.PASSED for outcome in scrun.values())
    print(f"{len(scrun)} cases run, {passed} passed, {len(failures)} that have to pass did not")
    return 1 if failures or len(scrun) < len(expected.bats) else 0


if __name__ == "__main__":
    sys.exit(main())
