"""``scrun image``: the trees of images, a user's own and those that a site's store has for all."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from proto.errors import NotFoundError, UsageError
from scrun.cli.parsing import Line
from scrun.packages import use_packages
from scrun.report.lines import show, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actors.staging.images.cache import TreeCache
    from actors.staging.images.store import Store
    from scrun.host import Host

COLUMNS = ("key", "size", "files", "used", "state", "source", "place")
SHOWN = 12
"""Characters of a key in a table; ``rm`` takes any beginning that fits only one."""
DAY = 86400.0


def run(line: Line) -> int:
    """Carry out one of the actions.

    Raises:
        UsageError: there is no such action, or it has other arguments.
        ScrunError: it failed.

    """
    action, *words = line.arguments
    if action not in ACTIONS:
        raise UsageError(f"scrun image has {', '.join(ACTIONS)}, not {action[:80]}")
    least, most, act = ACTIONS[action]
    if not least <= len(words) <= most:
        raise UsageError(f"scrun image {action} takes {least} to {most} arguments")
    use_packages()
    from scrun.host import Host

    act(line, Host(line), *words)
    return 0


def _list(line: Line, host: "Host", store: str = "") -> None:
    rows: list[dict[str, Any]] = []
    if not store:
        for entry in _cache(host).entries():
            state = "in use" if entry.in_use else "unused"
            rows.append(_row(entry.key, entry.record.__dict__, entry.used, state, "cache"))
    from actors.staging.images.store import distrust

    for path in [os.path.abspath(store)] if store else host.settings.staging.images:
        wrong = distrust(path)
        if wrong:
            write(2, f"scrun: {wrong}\n")
        if os.path.isdir(path):
            for stored in _store(path).entries():
                state = "not used" if wrong else "taken back" if stored.retired else "for all"
                rows.append(_row(stored.key, stored.record.__dict__, stored.record.made, state, path))
    show(f"{json.dumps(rows, indent=2)}\n" if line.own.text("format") == "json" else table(rows))


def _push(line: Line, host: "Host", what: str, store: str = "") -> None:
    from actors.staging.images.image_source import mounted
    from actors.staging.images.push import push

    path = os.path.abspath(store or _only_store(host))
    told = [time.monotonic()]

    def progress(files: int, size: int) -> None:
        if time.monotonic() - told[0] > 2:
            told[0] = time.monotonic()
            write(2, f"{files} files, {size >> 20} MiB\n")

    with mounted(what) as source:
        stored = push(_store(path), source, what, owners=line.own.flag("owners"), progress=progress)
    show(f"{stored.key}\n")


def _rm(line: Line, host: "Host", key: str, store: str = "") -> None:
    if not store:
        cache = _cache(host)
        found = _one(key, [entry.key for entry in cache.entries()])
        if not cache.remove(found):
            raise UsageError(f"a container uses {found[:SHOWN]}")
        _remove_left(host, cache)
        return
    place = _store(os.path.abspath(store))
    found = _one(key, [each.key for each in place.entries()])
    if line.own.flag("force"):
        place.remove(found)
    else:
        place.retire(found)


def _prune(line: Line, host: "Host", store: str = "") -> None:
    everything = line.own.flag("all")
    if store:
        age = 0.0 if everything else host.settings.staging.cache_age * DAY
        gone = [(each.key, each.record.size) for each in _store(os.path.abspath(store)).prune(age)]
    else:
        cache = _cache(host)
        gone = [(each.key, each.record.size) for each in cache.prune(all_unused=everything)]
        _remove_left(host, cache)
    show("".join(f"{key}\n" for key, _ in gone))
    write(2, f"{len(gone)} removed, {sum(size for _, size in gone) >> 20} MiB\n")


ACTIONS: dict[str, tuple[int, int, Callable[..., None]]] = {
    "list": (0, 1, _list),
    "push": (1, 2, _push),
    "rm": (1, 2, _rm),
    "prune": (0, 1, _prune),
}
"""The least and the most arguments of each action, and what does it."""


def _cache(host: "Host") -> "TreeCache":
    from actors.staging.images.cache import TreeCache
    from actors.staging.reach import place_of

    place = place_of(host.settings, host.caller.home)
    if not os.path.isdir(place):
        raise NotFoundError(f"there is no staging directory {place} yet: no container was staged")
    staging = host.settings.staging
    return TreeCache(place, maximum_age=staging.cache_age * DAY, maximum_size=staging.cache_size << 30)


def _store(path: str) -> "Store":
    from actors.staging.images.store import Store

    return Store(path)


def _only_store(host: "Host") -> str:
    stores = host.settings.staging.images
    if len(stores) != 1:
        raise UsageError("which store? scrun.toml does not name exactly one in images of [staging]")
    return stores[0]


def _remove_left(host: "Host", cache: "TreeCache") -> None:
    """Remove what belongs to subordinate ids in podman's user namespace, where the user is root over them."""
    left = cache.left()
    if left and host.within:
        host.run(*host.within, "rm", "-rf", "--", *left, seconds=600.0)


def _one(beginning: str, keys: list[str]) -> str:
    found = [key for key in keys if key.startswith(beginning)]
    if len(found) != 1:
        raise NotFoundError(f"{'several trees begin' if found else 'no tree begins'} with {beginning[:80]}")
    return found[0]


def _row(key: str, record: dict[str, Any], used: float, state: str, place: str) -> dict[str, Any]:
    return {
        "key": key, "size": record["size"], "files": record["files"], "used": used, "state": state,
        "source": record["source"], "place": place,
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for people: sizes in MiB, times as dates."""
    lines = [[name.upper() for name in COLUMNS]]
    for row in rows:
        date = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["used"]))
        cells = row | {"key": row["key"][:SHOWN], "size": f"{row['size'] / 2**20:.1f} MiB", "used": date}
        lines.append([str(cells[name]) for name in COLUMNS])
    widths = [max(len(line[index]) for line in lines) + 3 for index in range(len(COLUMNS))]
    return "".join(
        "".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )
