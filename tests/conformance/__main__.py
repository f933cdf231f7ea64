"""``make conformance``: runc's bats with runc and with scrun, held against ``cases.toml``; rewrites the document."""

from __future__ import annotations

import sys

from . import bats, table


def main() -> int:
    """Run everything; 1 if a case that passed before fails now."""
    bats.prepare()
    expected = table.read()
    runc = bats.run("runc", "root", expected.files)
    root = bats.run("scrun", "root", expected.files)
    user = bats.run("scrun", "user", expected.files)
    for case, outcome in root.items():
        verdict = expected.bats.get(case)
        if verdict is None:
            print(f"not in cases.toml: {case[0]}.bats: {case[1]}")
        elif verdict != table.PASS and outcome.verdict == bats.PASSED:
            print(f"passes by now: {case[0]}.bats: {case[1]} ({verdict})")
    table.DOCUMENT.write_text(table.document(expected, table.DOCUMENT.read_text(), runc, user))
    failures = {
        "root": bats.compare(expected.bats, root),
        "user": bats.compare(expected.bats, user, (bats.PASSED, bats.SKIPPED)),
    }
    for caller, found in (("root", root), ("user", user)):
        for line in failures[caller]:
            print(f"called by {caller}: {line}")
        passed = sum(outcome.verdict == bats.PASSED for outcome in found.values())
        print(
            f"called by {caller}: {len(found)} cases run, {passed} passed, {len(failures[caller])} failed that may not"
        )
    return 1 if any(failures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
