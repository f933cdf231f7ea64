"""Runs scrun.lua: the typed border between scrun and Lua.

Lua cannot be stopped from inside, so this belongs in a process of its own that actor or anchor may kill at any instant.
Strings are bytes on both sides: paths and environment need not be UTF-8, and must come back as they went in.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from lupa import lua54

from actors.slurm.time_text import time_str2mins
from actors.staging.commands import Commands
from actors.staging.loglevel import Level, Log
from proto.errors import StagingError, reason
from proto.value import Value

from . import boot, json_library
from .slurm_constants import constants
from .yaml_text import json_to_yaml, yaml_to_json

STAGE_IN = "slurm_scrun_stage_in"
STAGE_OUT = "slurm_scrun_stage_out"


@dataclass(slots=True)
class LuaApi:
    """What the functions of ``slurm`` work on.

    Attributes:
        run: runs the commands of the script.
        log: gets what the script logs.
        cluster: name of the cluster, empty if unknown.
        bundle: the bundle in force; the script changes it with ``slurm.set_bundle_path``.
        rootfs: the root file system in force; changed with ``slurm.set_root_path``.

    """

    run: Commands
    log: Log
    cluster: str = ""
    bundle: str = ""
    rootfs: str = ""


class ScriptArguments(Value):
    """The arguments that both functions of scrun.lua get; see the manual."""

    id: str
    bundle: str
    spool_dir: str
    config_file: str
    job_id: int
    user_id: int
    group_id: int


class LuaScript:
    """scrun.lua, loaded.

    Args:
        path: the file.
        api: what its functions work on; ``bundle`` and ``rootfs`` are read from it after ``stage_in``.

    Raises:
        StagingError: it cannot be read or compiled, fails, returns something else than 0 or nothing, or does not
            define both functions.

    """

    def __init__(self, path: str, api: LuaApi) -> None:
        self._path = path
        self._api = api
        self._runtime: Any = lua54.LuaRuntime(
            encoding=None,
            source_encoding="latin-1",
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_deny,
        )
        table = self._runtime.table_from
        numbers: dict[bytes, int | bytes] = {name.encode(): value for name, value in constants().items()}
        if api.cluster:
            numbers[b"CLUSTER_NAME"] = os.fsencode(api.cluster)
        functions = {name.encode(): _safe(function) for name, function in self._functions().items()}
        self._host: Any = self._runtime.execute(boot.SOURCE, table(functions), table(numbers), json_library.SOURCE)
        self._load()

    def stage_in(self, arguments: ScriptArguments, rootfs: str, job_env: Iterable[bytes]) -> None:
        """Call ``slurm_scrun_stage_in``.

        Raises:
            StagingError: it failed or returned another number than 0.

        """
        self._api.bundle = arguments.bundle
        self._api.rootfs = rootfs
        a = arguments
        self._call(
            STAGE_IN,
            *_words(a.id, a.bundle, _slash(a.spool_dir), a.config_file),
            *(a.job_id, a.user_id, a.group_id),
            self._runtime.table_from(list(job_env)),
        )

    def stage_out(self, arguments: ScriptArguments, orig_bundle: str, rootfs: str, orig_rootfs: str) -> None:
        """Call ``slurm_scrun_stage_out``; ``arguments.bundle`` and ``rootfs`` are what stage-in left.

        Raises:
            StagingError: it failed or returned another number than 0.

        """
        self._api.bundle = arguments.bundle
        self._api.rootfs = rootfs
        a = arguments
        self._call(
            STAGE_OUT,
            *_words(a.id, a.bundle, orig_bundle, rootfs, orig_rootfs, _slash(a.spool_dir), a.config_file),
            *(a.job_id, a.user_id, a.group_id),
        )

    def _load(self) -> None:
        try:
            with open(self._path, "rb") as file:
                source = file.read()
        except OSError as error:
            raise StagingError(f"cannot read {self._path}: {reason(error)}") from None
        source = source.removeprefix(b"\xef\xbb\xbf")
        if source.startswith(b"#"):
            source = b"--" + source  # as lua(1) does
        self._host[b"add_path"](os.fsencode(os.path.dirname(os.path.abspath(self._path))))
        good, result, more = self._host[b"load"](source, b"@" + os.fsencode(self._path))
        if not good:
            self._fail("cannot be loaded", result, more)
        # A value that is no number counts as none, as in Slurm.
        if result:
            raise StagingError(f"{self._path} returned {result} on load")
        for name in (STAGE_IN, STAGE_OUT):
            if not self._host[b"has"](name.encode()):
                raise StagingError(f"{self._path} does not define the function {name}")

    def _call(self, name: str, *arguments: object) -> None:
        good, result, more = self._host[b"call"](name.encode(), *arguments)
        if not good:
            self._fail(f"{name} failed", result, more)
        if result is None:
            self._api.log(Level.INFO, f"{name} returned {_text(more)} and no number, which counts as success")
        elif result != 0:
            raise StagingError(f"{os.path.basename(self._path)}: {name} returned {result}")

    def _fail(self, what: str, words: bytes, traceback: bytes) -> NoReturn:
        if traceback:
            self._api.log(Level.DEBUG, _text(traceback).strip())
        raise StagingError(f"{os.path.basename(self._path)}: {what}: {_text(words)}")

    def _functions(self) -> dict[str, Callable[..., tuple[object, ...]]]:
        return {
            "log": self._log,
            "set_bundle_path": self._set_bundle_path,
            "set_root_path": self._set_root_path,
            "allocator_command": lambda command: _result(self._api.run.allocator(command)),
            "remote_command": lambda command: _result(self._api.run.remote(command)),
            "time_str2mins": lambda text: (time_str2mins(_text(text)),),
            "get_qos_priority": self._get_qos_priority,
            "to_yaml": lambda text: (json_to_yaml(text),),
            "from_yaml": lambda text: (yaml_to_json(text),),
        }

    def _log(self, level: int, text: bytes) -> tuple[()]:
        self._api.log(max(Level.ERROR, min(level, Level.DEBUG4)), _text(text))
        return ()

    def _set_bundle_path(self, path: bytes) -> tuple[object]:
        before, self._api.bundle = self._api.bundle, os.fsdecode(path)
        return (os.fsencode(before),)

    def _set_root_path(self, path: bytes) -> tuple[object]:
        before, self._api.rootfs = self._api.rootfs, os.fsdecode(path)
        return (os.fsencode(before),)

    def _get_qos_priority(self, name: bytes) -> tuple[object, ...]:
        """Ask Slurm's accounting; a cluster without it has no answer, and the script gets none."""
        argv = (b"sacctmgr", b"-nP", b"show", b"qos", b"where", b"name=" + name, b"format=priority")
        result = self._api.run.run(argv)
        words = result.output.split()
        return (int(words[0]),) if result.status == 0 and len(words) == 1 and words[0].isdigit() else (None,)


def _deny(_object: object, name: object, _setting: bool) -> NoReturn:
    raise AttributeError(name)


def _safe(function: Callable[..., tuple[object, ...]]) -> Callable[..., tuple[object, ...]]:
    """Lua must see a failure as an error of Lua's, with a text, that a script can catch."""

    def call(*arguments: object) -> tuple[object, ...]:
        try:
            return (True, *function(*arguments))
        except Exception as error:
            return False, str(error).encode(errors="surrogateescape")

    return call


def _result(result: Any) -> tuple[int, bytes]:
    return result.status, result.output


def _words(*words: str) -> tuple[bytes, ...]:
    return tuple(os.fsencode(word) for word in words)


def _slash(directory: str) -> str:
    return directory if directory.endswith("/") else f"{directory}/"


def _text(words: object) -> str:
    return words.decode(errors="backslashreplace") if isinstance(words, bytes) else str(words)
