"""Stages by the site's scrun.lua."""

import os
from collections.abc import Iterable

from actors.slurm.job_environment import JobFacts, script_environment
from actors.staging import unstaged
from actors.staging.bundle import Staged
from actors.staging.commands import Commands
from actors.staging.directory import container_directory, discard
from actors.staging.loglevel import Log
from proto.errors import StagingError, reason
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation

from .fitting import fit_entry
from .runtime import LuaApi, LuaScript, ScriptArguments

_CLUSTER = b"SLURM_CLUSTER_NAME="


class LuaStager:
    """One container and one run of the script: stage-out loads it anew, so its global variables are not kept."""

    def __init__(
        self, creation: Creation, job: JobFacts, environment: Iterable[bytes], run: Commands, log: Log
    ) -> None:
        self._creation = creation
        self._job = job
        self._environment = script_environment(environment)
        cluster = next((entry for entry in self._environment if entry.startswith(_CLUSTER)), _CLUSTER)
        self._api = LuaApi(run, log, os.fsdecode(cluster.removeprefix(_CLUSTER)))

    def stage_in(self) -> Staged:
        """Run the script's first function.

        Raises:
            StagingError: the script failed, or what it left behind is no bundle.

        """
        creation = self._creation
        script = LuaScript(creation.settings.scrun.lua, self._api)
        script.stage_in(self._arguments(creation.bundle), creation.rootfs, self._environment)
        try:
            return fit_entry(creation, self._api.bundle, self._api.rootfs, self._job)
        except OSError as error:
            raise StagingError(f"cannot change the bundle {self._api.bundle}: {reason(error)}") from None

    def stage_out(self, bundle: str, rootfs: str, *, complete: bool) -> None:
        """Run the script's second function, whether stage-in came to its end or not.

        Raises:
            StagingError: the script failed, or something could not be removed.

        """
        del complete  # the manual has no word for it
        creation = self._creation
        if not bundle or bundle == container_directory(creation):
            bundle = creation.bundle  # the shadow is scrun's affair
        try:
            script = LuaScript(creation.settings.scrun.lua, self._api)
            script.stage_out(self._arguments(bundle), creation.bundle, rootfs or creation.rootfs, creation.rootfs)
        except StagingError as error:
            unstaged.note(creation, error.sentence)
            raise
        finally:
            discard(creation)

    def collect(self) -> None:
        """See ``Stager``: a script has no word for it."""

    def show_changes(self) -> str:
        """See ``Stager``: a script has no word for it."""
        return ""

    def _arguments(self, bundle: str) -> ScriptArguments:
        creation = self._creation
        spool = ContainerPaths(creation.root, creation.id).spool
        os.makedirs(spool, 0o700, exist_ok=True)
        return ScriptArguments(
            id=creation.id,
            bundle=bundle,
            spool_dir=spool,
            config_file=os.path.join(creation.bundle, "config.json"),
            job_id=self._job.job_id,
            user_id=creation.caller.uid,
            group_id=creation.caller.gid,
        )
