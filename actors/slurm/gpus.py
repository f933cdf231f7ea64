"""GPUs as Slurm counts them: which options ask for some, and which files a node's GPUs are.

Slurm numbers the GPUs of a node in the order of its configuration, whatever the numbers in their files' names are (seen
with 22.05 and 24.11: of ``/dev/nvidia[5-6]`` and ``/dev/dri/renderD128`` it gives 0, 1 and 2). ``SLURM_STEP_GPUS``
has these numbers, those of the task if tasks are bound; the prolog of a task sees it.
"""

import re
from collections.abc import Iterable, Mapping

ALL = "all"
"""What an engine's user says for all GPUs that there are."""
_WHOLE = {"exclusive": "yes", "gres": "gpu:1"}
"""Nodes with a GPU, and all that they have."""
_COUNTED = (
    "gpus",
    "gpus-per-node",
    "gpus-per-socket",
    "gpus-per-task",
    "ntasks-per-gpu",
    "cpus-per-gpu",
    "mem-per-gpu",
)
_NAMED = ("gres", "tres-per-task")
_GPU = re.compile(r"(?:^|[,/])(?:gpu|shard|mps)(?=[:=,]|$)")
_GRES = re.compile(r"Gres Name=gpu .*?\bCount=(\d+) .*?\bFile=(\S+)")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_JOB = re.compile(r"\b(?:GRES|TRES|TresPer\w+)=\S*\b(?:gpu|shard|mps)\b")
_FILES_LIMIT = 4096


def asks(options: Mapping[str, str]) -> bool:
    """Whether job options ask for GPUs, or parts of one."""
    named = any(_GPU.search(options.get(name, "")) for name in _NAMED)
    return named or any(options.get(name) for name in _COUNTED)


def with_request(
    request: str, asked: Mapping[str, str], defaults: Mapping[str, str], *, foreign: bool
) -> dict[str, str]:
    """The defaults of job options, with what the engine's user asks for in place of the site's.

    Args:
        request: a number, ``all`` or nothing. All GPUs of a node come with the node: Slurm has no other word for them.
        asked: the options that go before the engine's.
        defaults: those that go after it.
        foreign: the allocation is there already; a step gets all of its GPUs then.

    """
    if not request or asks(asked):
        return dict(defaults)
    kept = {name: value for name, value in defaults.items() if not asks({name: value})}
    if request == ALL:
        return kept if foreign else kept | _WHOLE
    return kept | {"gpus-per-node": request}


def is_whole(options: Mapping[str, str]) -> bool:
    """Whether job options are those for all GPUs of a node."""
    return {**options, **_WHOLE} == options


def has_gpus(text: str) -> bool:
    """Whether a job that ``scontrol show job`` tells about has GPUs."""
    return bool(_JOB.search(text))


def nodes(text: str) -> str:
    """The nodes of such a job, as Slurm writes them."""
    found = re.search(r"\bNodeList=(\S+)", text)
    return found[1] if found else ""


def files(text: str) -> tuple[tuple[str, ...], ...]:
    """The files of each GPU of a node, in Slurm's order; nothing for one whose files it does not know.

    Args:
        text: what ``slurmd -G`` says.

    """
    found: list[tuple[str, ...]] = []
    for count, word in _GRES.findall(text):
        paths = () if word == "(null)" else tuple(_expanded(word))
        many = int(count)
        if many == len(paths):
            found += [(path,) for path in paths]
        else:
            found += [paths if many == 1 else ()] * min(many, _FILES_LIMIT)
    return tuple(found)


def _expanded(word: str) -> Iterable[str]:
    """``/dev/nvidia[0-1,4],/dev/other`` as the paths that it stands for."""
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", word):
        before, bracket, rest = part.partition("[")
        if not bracket:
            yield part
            continue
        numbers, _, after = rest.partition("]")
        for first, last in _RANGE.findall(numbers):
            for number in range(int(first), min(int(last or first), int(first) + _FILES_LIMIT) + 1):
                yield f"{before}{number:0{len(first)}}{after}"
