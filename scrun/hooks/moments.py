"""Runs the hooks of config.json that belong to this host (runtime.md, Lifecycle, steps 3, 4, 9 and 13).

=================  ==================================  ========================================================
kind               runs                                if one fails
=================  ==================================  ========================================================
``prestart``       in ``create``, with the anchor and  the others do not run, ``create`` fails and nothing of
``createRuntime``  the job there, before anything is   the container is left
                   staged
``poststart``      in ``start``, the program runs      before ociVersion 1.3.0 a line in the container's log;
                                                       since then as above, by ``start``
``poststop``       in ``delete``, nothing is left      a warning; the others run
=================  ==================================  ========================================================

``create`` notes the hooks of the two later kinds in ``ROOT/ID/hooks``, so that no later change of config.json
changes them, and so that ``start`` and ``delete`` of a container without hooks need one look at a file that is not
there. This module is imported only if there are hooks.
"""

import contextlib
import json
import os
import select
import socket
import time
from typing import NamedTuple

from actors.oci.hook_config import AT_CREATE, AT_DELETE, AT_START, Hook, Hooks
from proto.errors import HookError, InternalError, NotFoundError
from proto.host.paths import ContainerPaths
from proto.value import as_dict
from scrun.box.box import Box, find

STATUS = {"prestart": "creating", "createRuntime": "creating", "poststart": "running", "poststop": "stopped"}
# What the specification has of a state; scrun's own annotations (scrun.job-id …) are among the annotations.
_KEYS = ("ociVersion", "id", "bundle", "annotations")
_POLL = 0.02
FATAL_POSTSTART = (1, 3, 0)
"""Version of the specification from which on a failed poststart hook ends the container."""


class Plan(NamedTuple):
    """Hooks of one kind, with all that they need: the container may be gone when they run."""

    kind: str
    hooks: tuple[Hook, ...]
    state: bytes
    bundle: str

    def run(self) -> None:
        """Run them in their order.

        Raises:
            HookError: one failed; those after it were not run.

        """
        for hook in self.hooks:
            self._execute(hook)

    def run_all(self) -> list[str]:
        """Run all of them; return a sentence for each that failed."""
        failures = []
        for hook in self.hooks:
            try:
                self._execute(hook)
            except HookError as error:
                failures.append(error.sentence)
        return failures

    def _execute(self, hook: Hook) -> None:
        from . import process

        failure = process.execute(hook, self.state, self.bundle)
        if failure:
            raise HookError(f"the {self.kind} hook {hook.path} {failure}")


# --- the marker file ----------------------------------------------------------------------------------------------


def note(paths: ContainerPaths, hooks: Hooks) -> None:
    """Take down the hooks of ``start`` and ``delete``, if there are any."""
    later = {kind: [as_dict(hook) for hook in hooks[kind]] for kind in (AT_START, AT_DELETE) if kind in hooks}
    if later:
        descriptor = os.open(paths.hooks, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            json.dump(later, file)


def noted(paths: ContainerPaths, kind: str) -> tuple[Hook, ...]:
    """The hooks of one kind that ``create`` took down.

    Raises:
        InternalError: the file cannot be read.

    """
    try:
        with open(paths.hooks, encoding="ascii") as file:
            return tuple(
                Hook(entry["path"], tuple(entry["args"]), _environment(entry["env"]), entry["timeout"])
                for entry in json.load(file).get(kind, ())
            )
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InternalError(f"the list of hooks of container {paths.id} cannot be read") from None


def _environment(noted: list[str] | None) -> tuple[str, ...] | None:
    return None if noted is None else tuple(noted)


def plan(container: Box, kind: str, hooks: tuple[Hook, ...]) -> Plan:
    """Put together what the hooks of one kind need."""
    state = json.loads(container.file.text)
    told = {key: state[key] for key in _KEYS if key in state}
    told |= {"status": STATUS[kind], "pid": 0 if kind == AT_DELETE else container.anchor}
    return Plan(kind, hooks, json.dumps(told).encode(), str(state["bundle"]))


# --- the verbs ------------------------------------------------------------------------------------------------------


def wait_for_job(paths: ContainerPaths, connection: socket.socket) -> bool:
    """Wait for the moment of the hooks of ``create``: the job is there, or ``create`` need not wait for it any longer.

    Args:
        paths: the container's.
        connection: with the anchor, on which the answer to ``create`` comes; it stays to be read.

    Returns:
        Whether the hooks are to run: not where the answer tells a failure.

    """
    while True:
        if select.select([connection], (), (), _POLL)[0]:
            return connection.recv(1, socket.MSG_PEEK) == b"\n"  # what precedes the line feed is an error's code
        with contextlib.suppress(NotFoundError):  # not yet there
            if json.loads(find(paths.root, paths.id).file.text)["annotations"].get("scrun.job-state") == "RUNNING":
                return True


def at_create(container: Box, hooks: Hooks) -> None:
    """Run prestart, then createRuntime hooks.

    Raises:
        HookError: one failed.

    """
    for kind in AT_CREATE:
        if kind in hooks:
            plan(container, kind, hooks[kind]).run()


def at_start(container: Box) -> None:
    """Run poststart hooks.

    Raises:
        HookError: one failed, and the container's ociVersion says that this is the end of it.

    """
    hooks = noted(container.paths, AT_START)
    if not hooks:
        return
    try:
        container = find(container.paths.root, container.paths.id)  # the job may have become known only now
    except NotFoundError:
        return  # run, ended and deleted meanwhile
    planned = plan(container, AT_START, hooks)
    if version(json.loads(planned.state)["ociVersion"]) >= FATAL_POSTSTART:
        planned.run()
        return
    for sentence in planned.run_all():
        log(container.paths, sentence)


def at_delete(paths: ContainerPaths) -> Plan | None:
    """Poststop hooks, to be run when the container's directory has gone."""
    try:
        container = find(paths.root, paths.id)
        hooks = noted(paths, AT_DELETE)
    except (NotFoundError, InternalError):
        return None  # it never came to be, or its files do not tell any more what it was
    return plan(container, AT_DELETE, hooks) if hooks else None


def version(text: str) -> tuple[int, ...]:
    """``1.3.0`` as numbers; a pre-release (``1.3.0-rc.1``) comes before its release."""
    release, _, pre = text.partition("+")[0].partition("-")
    numbers = tuple(int(word) for word in release.split("."))
    return (*numbers[:2], -1) if pre and numbers[2] == 0 else numbers


def log(paths: ContainerPaths, sentence: str) -> None:
    """Write a line to the container's own log, in the manner of ``actors.process.logbook``."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
    line = f"{stamp} error hooks: {sentence}\n".encode(errors="backslashreplace")
    try:
        descriptor = os.open(paths.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError:
        return
