"""Help texts, made from the tables of ``scrun.cli.grammar``."""

from .grammar import GLOBAL, HELP, VERBS, Option

USAGE = "scrun [GLOBAL OPTIONS] VERB [OPTIONS] [ID] [ARGUMENTS]"


def _rows(options: tuple[Option, ...]) -> list[tuple[str, str]]:
    rows = []
    for names, shorts, kind, text in options:
        if text == "-":
            continue
        words = [f"-{letter}" for letter in shorts[:1]] + [f"--{name}" for name in names]
        rows.append((", ".join(words) + _value(kind), text))
    return rows


def _value(kind: str) -> str:
    if kind in {"", "+"}:
        return ""
    if kind[0] == "[":
        return f"[={kind[1:-1]}]"
    return " LEVEL" if kind.count("|") > 3 else f" {kind}"


def _table(rows: list[tuple[str, str]]) -> str:
    width = max(len(left) for left, _ in rows)
    return "".join(f"  {left:{width}}  {right}\n" for left, right in rows)


def general() -> str:
    """The text of ``scrun --help``; its first lines are as runc's, which runc's own tests read."""
    supported = [(name, row[2]) for name, row in VERBS.items() if row[0] != "unsupported"]
    others = ", ".join(name for name, row in VERBS.items() if row[0] == "unsupported")
    return (
        "NAME:\n  scrun - Open Container Initiative runtime whose containers are Slurm jobs\n\n"
        f"USAGE:\n  {USAGE}\n\nVERBS:\n{_table(supported)}\n"
        f"Not supported, since the container is on another machine: {others}.\n\n"
        f"GLOBAL OPTIONS:\n{_table(_rows(GLOBAL))}\n"
        'Options of a verb: "scrun VERB --help". What runc and crun take beyond these is accepted and has no effect.\n'
    )


def of_verb(verb: str) -> str:
    """The text of ``scrun VERB --help``."""
    _, arguments, summary, options = VERBS[verb]
    usage = f"scrun [GLOBAL OPTIONS] {verb} [OPTIONS] {arguments}".rstrip()
    return f"NAME:\n  scrun {verb} - {summary}\n\nUSAGE:\n  {usage}\n\nOPTIONS:\n{_table(_rows((*options, HELP)))}"
