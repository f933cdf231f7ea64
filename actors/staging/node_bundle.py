"""The bundle that the nodes get, as the built-in stager makes it."""

import os
from collections.abc import Iterable
from typing import Any

from actors.oci.bind_source import from_bundle
from actors.oci.id_maps import inner_maps, parse_id_map
from actors.oci.namespaces import own_network
from actors.oci.node_config import NodeConfig, NodePlan, is_privileged, node_config, without_variables
from actors.oci.overlay import hooks as overlay_hooks
from actors.oci.streams import Hooks, Streams, merged
from actors.slurm import oci_conf
from proto.errors import StagingError, reason
from proto.life.creation import Creation

from . import lent, mounts, node_streams, slurmd_mount
from .bring_back import wants_sync
from .bundle import PRIVATE, Draft, Staged, entry_of, make_content, write_config, write_entry
from .commands import Commands
from .container_ids import CallerMaps, Ids, caller_maps, container_maps, lost_owners
from .directory import container_directory, discard, new_directory, rights_of, staging_directory
from .filesystem import device_paths
from .gpus import Gpus, host_request, stage_gpus
from .home import with_home
from .loglevel import Level, Log
from .masks import take_masks
from .overlay.mount_points import behind_links
from .reach import keeps_owners
from .root_file_system import stage_root
from .root_plan import PROGRAMS, Root, RootPlan
from .sources import bind_facts, local_prefixes

Config = dict[str, Any]
Mounts = list[dict[str, Any]]


class NodeBundle:
    """One container's bundle for its nodes.

    First the engine's config.json loses what only means something on this host: links on the way to mount points, masks
    of files, its GPUs. Then the bundle is made: streams and GPUs put their programs into it, the node's config.json is
    made and what it mounts is copied, and last comes the root file system, which has to have all their mount points.
    """

    def __init__(
        self,
        creation: Creation,
        config: Config,
        run: Commands,
        log: Log,
        caller: CallerMaps | None,
        job: tuple[int, str],
    ) -> None:
        """Args:
        creation: the container.
        config: its config.json.
        run: runs commands.
        log: is told.
        caller: the ids of the namespace in which it is staged; None: those of this process.
        job: its number, and its nodes as Slurm writes them, as far as they are known.

        """
        self._creation = creation
        self._run = run
        self._log = log
        self._job = job
        self._place = staging_directory(creation)
        self._home = container_directory(creation)
        given = from_bundle(config.get("mounts") or (), creation.bundle)
        config = {**config, "mounts": behind_links(creation.rootfs, given)}
        if process := config.get("process"):
            config["process"] = with_home(process, creation.rootfs)
        self._request = host_request(config)
        self._config, self._masks = take_masks(self._request.config, creation.rootfs)
        self._conf = oci_conf.load(creation.settings.scrun.slurm_conf)
        self._slurmd = slurmd_mount.of(creation, self._conf, job[1])
        self._caller = caller or caller_maps()

    def make(self) -> Staged:
        """Make it.

        Raises:
            StagingError: it could not be done; what was begun is removed by stage-out.

        """
        try:
            return self._make()
        except OSError as error:
            raise StagingError(f"staging failed: {error.filename or self._home}: {reason(error)}") from None

    def _make(self) -> Staged:
        creation = self._creation
        ids = self._ids()
        draft = self._draft(ids)
        entry = entry_of(creation)
        streams = node_streams.streams_of(creation, self._config, self._conf, entry, draft.final)
        gpus = self._gpus(draft, ids)
        config = without_variables(self._config, gpus.variables)
        if entry:
            write_entry(draft.content, config, streams, null_input=creation.null_input)
        fitted = self._fitted(config, draft, ids, entry)
        mounted = self._mounted(fitted, config, streams)
        root = stage_root(self._root_plan(config, draft, ids, mounted, gpus), self._run, self._log)
        ready = {**fitted.config, "mounts": [*root.mounts, *mounted]}
        ready["root"] = {**ready["root"], "path": self._root_path(draft, ready["root"])}
        ours = self._hooks(draft, streams, root, gpus)
        if ours:
            ready["hooks"] = merged(fitted.config, *ours)
            node_streams.install_prolog(creation, draft.content)
        write_config(draft.work, ready, draft.rights.config)
        lent.note(draft.work, root, self._excluded(config, draft, root, gpus), owners=ids.several)
        os.rename(draft.work, self._home)
        notice = lost_owners(creation, config, self._log) if root.several_owners else ""
        programs = f"{draft.final}/{PROGRAMS}" if ours else ""
        return Staged(self._home, draft.root, bool(entry), notice, programs, root.trees)

    def _ids(self) -> Ids:
        caller = self._caller
        maps = container_maps(self._creation, self._config, caller, lambda: keeps_owners(self._place))
        return Ids(*maps, (parse_id_map(caller.uid), parse_id_map(caller.gid)))

    def _draft(self, ids: Ids) -> Draft:
        rights = rights_of(self._creation, ids.uid_map)
        discard(self._creation)
        work = new_directory(self._creation, rights.way)
        content = make_content(work, rights)
        return Draft(work, content, self._home, rights)

    def _gpus(self, draft: Draft, ids: Ids) -> Gpus:
        return stage_gpus(
            self._creation, self._config, self._conf, draft, ids.uid_map, self._job, self._request.count, self._run,
            self._log,
        )  # fmt: skip

    def _fitted(self, config: Config, draft: Draft, ids: Ids, entry: str) -> NodeConfig:
        """The node's config.json; what it mounts of this host is copied."""
        creation = self._creation
        plan = NodePlan(
            content=draft.final,
            uid_map=ids.uid_map,
            gid_map=ids.gid_map,
            entry=entry,
            bind_rules=creation.settings.staging.binds,
            local_prefixes=local_prefixes(creation),
            facts=bind_facts(config.get("mounts") or ()),
            private_network=own_network(creation.annotations),
            device_paths=device_paths((config.get("linux") or {}).get("devices") or ()),
            crun=self._conf.runs_crun,
        )
        fitted = node_config(config, plan)
        for note in fitted.notes:
            self._log(Level.INFO, note)
        mounts.stage(draft.work, draft.content, fitted.copies, self._run, self._log, owners=ids.several)
        return fitted

    def _mounted(self, fitted: NodeConfig, config: Config, streams: Streams | None) -> Mounts:
        """All that the runtime mounts but the root file system."""
        room = slurmd_mount.room(self._slurmd, config.get("mounts") or ())
        return [*fitted.config["mounts"], *self._masks, *(streams.mounts() if streams else ()), *room]

    def _root_plan(self, config: Config, draft: Draft, ids: Ids, mounted: Mounts, gpus: Gpus) -> RootPlan:
        return RootPlan(
            creation=self._creation,
            draft=draft,
            owners=ids.several,
            inner=inner_maps(config),
            ids=ids.on_node,
            mounts=(*mounted, *gpus.points, *({"destination": path} for path in self._slurmd.paths)),
            privileged=is_privileged(config),
            nodes=self._job[1],
            changes=wants_sync(self._creation),
            conf=self._conf,
            points=gpus.points,
            hooked=gpus.hooked,
        )

    def _root_path(self, draft: Draft, root: dict[str, Any]) -> str:
        """``root.path`` of config.json; slurmd takes BUNDLE/rootfs, whatever it says."""
        if os.path.exists(f"{draft.work}/rootfs"):
            return draft.root
        if not self._conf.follows_links:
            raise StagingError(
                f"{self._place} is on a file system where root is nobody, which needs an overlay or crun in oci.conf: "
                "runc takes no link as a root"
            )
        os.symlink(f"{PRIVATE}/rootfs", f"{draft.work}/rootfs")
        return str(root["path"])

    def _hooks(self, draft: Draft, streams: Streams | None, root: Root, gpus: Gpus) -> list[Hooks]:
        """Hooks by which programs in the bundle run, in their order."""
        ours = [node_streams.install(streams, draft.content)] if streams else []
        if root.programs:
            ours.append(overlay_hooks(f"{draft.final}/{PROGRAMS}", enters=root.way == "overlay"))
        if gpus.program:
            ours.append(gpus.hooks)
        return ours

    def _excluded(self, config: Config, draft: Draft, root: Root, gpus: Gpus) -> Iterable[str]:
        """What is in the container's root file system and is no change of its own, or the other way round."""
        yield from root.skipped
        yield from _mount_points([*(config.get("mounts") or ()), *gpus.points], self._slurmd.paths)
        if not root.complete:
            from .tree.mirror import missing_paths

            yield from missing_paths(self._creation.rootfs, f"{draft.content}/rootfs")


def _mount_points(mounts: Iterable[dict[str, Any]], slurmd: tuple[str, ...]) -> list[str]:
    """Mount points: the copy has an empty file or directory there, the original something of its own, or nothing.

    Args:
        mounts: of config.json, and those of hooks.
        slurmd: where slurmd mounts a directory of its own; /var/run is /run in most images.

    """
    found = [str(mount.get("destination", "/")) for mount in mounts]
    found += [*slurmd, *(path.replace("/var/run/", "/run/", 1) for path in slurmd)]
    return [os.path.normpath(path).strip("/") for path in found]
