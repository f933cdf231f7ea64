"""The row of a container in the overview: its columns, its colour, and the orders in which rows may stand. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rich.style import Style

from actors.slurm.scheduler import Outlook
from scrun.report.durations import length, local, moment
from scrun.why.paragraph import is_booting

from .card import Card
from .columns import Column, percent, size
from .load import Load


class Row(NamedTuple):
    """What is shown of a container at one moment.

    Attributes:
        card: what is known of it.
        now: seconds since the epoch.
        load: of its processes on this host.
        outlook: what Slurm says of its job, if that waits.

    """

    card: Card
    now: float
    load: Load = Load()
    outlook: Outlook | None = None


COLOURS = {
    "running": "green",
    "launching": "green",
    "paused": "blue",
    "requested": "yellow",
    "queued": "yellow",
    "staging in": "cyan",
    "created": "cyan",
    "ending": "magenta",
    "abandoned": "red",
    "stopped": "bright_black",
}


def style(row: Row) -> Style:
    """The colour of its phase."""
    return Style(color=COLOURS.get(row.card.phase))


def short(container_id: str) -> str:
    """An id as engines show it."""
    return container_id[:12] if len(container_id) == 64 else container_id


def age(seconds: float) -> str:
    """A length of time in one unit, such as ``47s`` or ``3min``."""
    return "".join(length(seconds).split()[:2])


def start(outlook: Outlook | None, now: float) -> str:
    """When Slurm expects the job to start, if it does."""
    return moment(outlook.start, local(now).partition("T")[0]) if outlook and outlook.start else ""


def reason(row: Row) -> str:
    """Why it is where it is: of a job that waits Slurm's newest word, and when it shall start."""
    if is_booting(row.outlook):
        return "its nodes boot"
    if row.card.phase != "queued" or row.outlook is None:
        return row.card.reason
    return f"{start(row.outlook, row.now)} {row.outlook.reason or row.card.reason}".strip()


def expectation(row: Row) -> str:
    """The same in a sentence, where there is room for one."""
    if row.card.phase != "queued" or row.outlook is None:
        return reason(row)
    expected = start(row.outlook, row.now)
    return f"{f'start expected at {expected}: ' if expected else ''}{row.outlook.reason or row.card.reason}"


def _rate(rate: float, row: Row) -> str:
    return size(rate) if row.card.phase in {"running", "paused", "ending"} else ""


ID = Column[Row]("ID", 12, lambda row: short(row.card.id))
OWNER = Column[Row]("USER", 8, lambda row: row.card.owner)
COLUMNS = (
    ID,
    Column[Row]("STATUS", 8, lambda row: row.card.status, 4),
    Column[Row]("PHASE", 10, lambda row: row.card.phase),
    Column[Row]("JOB", 6, lambda row: row.card.job, right=True),
    Column[Row]("NODE", 6, lambda row: row.card.nodes, 1),
    Column[Row]("AGE", 5, lambda row: age(row.now - row.card.created), right=True),
    Column[Row]("IN/s", 5, lambda row: _rate(row.card.received.rate(row.now), row), 2, right=True),
    Column[Row]("OUT/s", 5, lambda row: _rate(row.card.sent.rate(row.now), row), right=True),
    Column[Row]("CPU", 4, lambda row: percent(row.load.cpu), right=True),
    Column[Row]("MEM", 5, lambda row: size(row.load.memory, "K"), 3, right=True),
    Column[Row]("REASON", 0, reason),
)
COLUMNS_OF_ALL = (OWNER, *COLUMNS)

Order = Callable[[Card, float], Any]
ORDERS: dict[str, Order] = {
    "newest first": lambda card, _: -card.created,
    "phase": lambda card, _: (list(COLOURS).index(card.phase) if card.phase in COLOURS else -1, -card.created),
    "bytes per second": lambda card, now: (-card.received.rate(now) - card.sent.rate(now), -card.created),
    "user": lambda card, _: (card.owner, -card.created),
    "id": lambda card, _: card.id,
}


def fits(card: Card, words: str) -> bool:
    """Whether each of the words is somewhere in the row."""
    text = f"{card.id} {card.owner} {card.status} {card.phase} {card.job} {card.nodes} {card.reason}".lower()
    return all(word in text for word in words.lower().split())


def summary(cards: list[Card]) -> str:
    """How many there are, and in which phases."""
    phases = [card.phase for card in cards]
    counts = [f"{phases.count(phase)} {phase}" for phase in COLOURS if phase in phases]
    return f"{len(cards)} container{'' if len(cards) == 1 else 's'}{': ' if counts else ''}{', '.join(counts)}"


def detail(row: Row) -> str:
    """All of a row that may have been cut or left out, on two lines."""
    card, load = row.card, row.load
    words = [card.phase if card.phase == card.status else f"{card.status}, {card.phase}"]
    words += [f"job {card.job}{f' on {card.nodes}' if card.nodes else ''}"] if card.job else []
    words += [expectation(row)] if expectation(row) else []
    if card.received.total is not None or card.sent.total is not None:
        words.append(f"{size(card.received.total or 0)} in, {size(card.sent.total or 0)} out")
    if load.memory is not None:
        words.append(f"{size(load.memory, 'K')} on this host")
    return f"{card.id}\n{'; '.join(words)}"
