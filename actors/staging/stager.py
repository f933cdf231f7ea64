"""Which stager a container gets: the site's scrun.lua where there is one, else the built-in one."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from actors.slurm import scheduler_for
from actors.slurm.job_environment import JobFacts, facts_of, job_environment, scrun_environment
from proto.errors import StagingError
from proto.host import gate
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation
from proto.value import replace

from . import bring_back, builtin, unstaged
from .bundle import Staged, read_config
from .commands import Commands
from .directory import container_directory
from .job_variables import with_job

Log = Callable[[int, str], None]


class Stager(Protocol):
    """What the staging actor and the guard ask of a stager."""

    def stage_in(self) -> Staged:
        """Bring the container to the nodes.

        Raises:
            StagingError: it could not be brought there.

        """

    def stage_out(self, bundle: str, rootfs: str, *, complete: bool) -> None:
        """Bring changes back and clear up.

        Args:
            bundle: as stage-in returned it; empty if stage-in was cut off.
            rootfs: the same.
            complete: whether the program ran and ended, so that its changes are worth bringing back.

        Raises:
            StagingError: something could not be brought back or cleared up.

        """

    def collect(self) -> None:
        """Fetch from the nodes what the container has changed there; ``stage_out`` begins with that, too."""

    def show_changes(self) -> str:
        """Bring to the engine what a container that is paused has changed so far.

        Returns:
            What could not be brought, as a sentence, or nothing.

        """


class BuiltinStager:
    """The stager that needs no script."""

    def __init__(self, creation: Creation, run: Commands, log: Log, job_id: int = 0, nodes: str = "") -> None:
        self._creation = creation
        self._job_id = job_id
        self._nodes = nodes
        self._run = run
        self._log = log
        self._gate = f"{container_directory(creation)}/config.json"
        """Of what is staged: that of the state directory is closed by a ``create`` that waits for a stage-out, too."""

    def stage_in(self) -> Staged:
        """See ``Stager``."""
        paths = ContainerPaths(self._creation.root, self._creation.id)
        facts = facts_of(self._creation, paths, self._job_id)
        facts = replace(facts, nodes=self._nodes or facts.nodes)
        config = with_job(read_config(paths.directory), self._creation, facts)
        return builtin.stage_in(self._creation, config, self._run, self._log, nodes=facts.nodes, job_id=self._job_id)

    def stage_out(self, bundle: str, rootfs: str, *, complete: bool) -> None:
        """See ``Stager``; what was staged is known by the container's id. ``delete`` tries again what failed."""
        del bundle, rootfs, complete
        gate.wait(self._gate)
        try:
            builtin.stage_out(self._creation, self._run, self._log, self._nodes)
        except StagingError as error:
            unstaged.note(self._creation, error.sentence)
            raise

    def collect(self) -> None:
        """See ``Stager``."""
        gate.wait(self._gate)
        bring_back.collect(self._creation, self._run, self._log)

    def show_changes(self) -> str:
        """See ``Stager``; it keeps stage-out from beginning."""
        try:
            closed = gate.close(self._gate)
        except OSError:
            return ""  # it is being staged out already
        try:
            return bring_back.show(self._creation, self._run, self._log)
        finally:
            os.close(closed)


def stager_for(creation: Creation, job_id: int, nodes: str, log: Log, anchor: int = 0) -> Stager:
    """Return the stager of a container."""
    paths = ContainerPaths(creation.root, creation.id)
    script = creation.settings.scrun.lua
    facts = facts_of(creation, paths, job_id) if script and job_id else JobFacts(job_id=job_id, nodes=nodes)
    environment = job_environment(creation, facts, paths, anchor)
    told = scrun_environment(creation, paths, anchor)
    scheduler = scheduler_for(creation)

    def remote_argv(command: bytes) -> tuple[Sequence[bytes | str], Iterable[bytes]]:
        remote = scheduler.remote_command(job_id, command)
        return remote.argv, (*remote.env, *told)

    run = Commands(environment, remote_argv, log)
    if not creation.settings.scrun.lua:
        return BuiltinStager(creation, run, log, job_id, nodes)
    from actors.staging.lua.stager import LuaStager

    return LuaStager(creation, facts, environment, run, log)
