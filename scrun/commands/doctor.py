"""``scrun doctor``: check everything between an engine and a container on a node, and say what to add where."""

import json
from itertools import chain

from scrun.cli.parsing import Line
from scrun.packages import use_packages
from scrun.report.lines import show


def run(line: Line) -> int:
    """Print one row for each check; return 1 if there is a fault."""
    use_packages()
    from scrun.doctor.table import Row, examine, text
    from scrun.host import Host

    host = Host(line)
    as_json = line.own.text("format") == "json"
    checks = examine(host)
    if wanted := line.own.text("nodes"):
        from scrun.doctor.visits import visit  # threads, and what they bring

        checks = chain(checks, visit(host, "" if wanted == "true" else wanted))
    rows: list[Row] = []
    for row in checks:
        rows.append(row)
        if not as_json:
            show(text(row))
    if as_json:
        table = [{"check": row.name, **row.finding._asdict()} for row in rows]
        show(json.dumps(table, indent=2) + "\n")
    return 1 if any(row.finding.level == "fault" for row in rows) else 0
