"""Puts together what ``create`` knows: bundle, settings, caller and command line become one ``Creation``.

Everything that can be refused is refused here, before anything is made.
"""

import os
import time
from collections.abc import Mapping

from actors.oci import entry_place
from actors.oci.bundle import Bundle, load
from actors.oci.entry import DIRECTORY
from actors.oci.namespaces import NETWORK
from actors.oci.program import find_program
from actors.stdio.null import is_null
from proto.errors import BundleError, SettingsError, StagingError
from proto.host.log_record import file_of
from proto.host.machine import host
from proto.life.creation import Creation, Log
from proto.life.settings import SchedulerName, Settings
from proto.value import replace
from scrun.cli.given import absolute, refuse_descriptors
from scrun.cli.parsing import Line
from scrun.packages import directories
from scrun.report import levels
from scrun.report.diagnostics import say, warn

from . import allocation, caller, engine_record, gpus, possible, settings

ANNOTATIONS_OF_STAGING = frozenset({NETWORK.removeprefix("scrun.")})
"""Annotations ``scrun.…`` that are no job options."""


def prepare(line: Line, root: str, *, check: bool = True) -> tuple[Creation, Bundle]:
    """Check everything and describe the container; with ``check`` also that a terminal has its console socket.

    Raises:
        ScrunError: the bundle, a setting, or the command line cannot be used.

    """
    own = line.own
    possible.check_host()
    bundle = load(own.text("bundle") or ".", own.text("config"))
    console = absolute(own.text("console-socket"))
    if check or not bundle.terminal:
        check_console(console, terminal=bundle.terminal)
    environ = dict(os.environ)
    who = caller.find()
    conf = settings.slurm_conf_of(line.options.text("slurm-conf"), environ)
    chosen = settings.read(conf, who, environ.get("SCRUN_SCHEDULER", ""))
    conf = _slurm_conf(line, environ, chosen, conf)
    program = find_program(
        bundle.rootfs, bundle.args[0], os.fsencode(bundle.env_value("PATH")), bundle.cwd, bundle.binds
    )
    environment = caller.kept_environ(dict(os.environb), who, conf)
    from actors.slurm.commands import probe_version
    from actors.slurm.option_sources import unknown_variables
    from actors.slurm.options import resolve

    def options(defaults: Mapping[str, str]) -> dict[str, str]:
        return resolve(
            bundle.annotations,
            bundle.env,
            environ,
            bundle.resources,
            defaults,
            ANNOTATIONS_OF_STAGING,
            chosen.forced,
            chosen.limits,
        )

    job_id = _job_id(options(chosen.job).get("jobid", ""), bundle, environ)
    for sentence in unknown_variables(environ, "of the environment"):
        warn(line, f"{sentence}; it has no effect")
    version = (0, 0) if chosen.scrun.scheduler == "local" else probe_version(environment)
    _check_scheduler(chosen.scrun.scheduler, environment)
    decided = replace(
        chosen,
        scrun=replace(
            chosen.scrun,
            slurm_conf=conf,
            lua=settings.find_lua(chosen, conf),
        ),
        job=options(gpus.defaults(bundle.config, options, chosen.job, foreign=job_id != 0)),
        forced=(),
        limits=(),
    )
    called = engine_record.called(bundle, line.id)
    creation = Creation(
        id=line.id,
        root=root,
        bundle=bundle.path,
        rootfs=bundle.rootfs,
        oci_version=bundle.oci_version,
        terminal=bundle.terminal,
        readonly=bundle.readonly,
        args=bundle.args,
        program=program,
        annotations=bundle.annotations,
        created=time.time(),
        cookie=os.urandom(8).hex(),
        caller=who,
        environ=environment,
        cwd=os.getcwd(),
        pid_file=absolute(own.text("pid-file")),
        console_socket=console,
        log=Log(
            _log(line.options.text("log")), line.options.text("log-format") or "text", *levels.of_anchor(line, environ)
        ),
        job_id=job_id,
        settings=decided,
        host=host(),
        entry_directory=_entry_directory(bundle, decided),
        null_input=not bundle.terminal and is_null(0),
        name=called.name,
        image=called.image,
        slurm=version,
    )
    scheduler, script = decided.scrun.scheduler, decided.scrun.lua
    refuse_descriptors(line)
    from actors.slurm import oci_conf

    site = oci_conf.load(conf)
    if not script:
        possible.check(creation, bundle.config, site)
    if scheduler != "local":
        possible.check_site(creation, site)
        possible.check_tasks(creation)
    if scheduler != "local" and not script:
        from actors.staging import reach

        possible.check_mpi(creation, bundle.config, site)
        reach.check(decided, who.home, tells=bundle.tells)
        if who.uid and ((bundle.config.get("process") or {}).get("user") or {}).get("uid"):
            from actors.staging import single_id

            single_id.check(creation, bundle.config)
    creation = allocation.join(creation)
    stager = script or "the built-in stager"
    say(line, "verbose", f"bundle {bundle.path}, slurm.conf {conf or '-'}, scheduler {scheduler}, {stager}")
    return creation, bundle


def _entry_directory(bundle: Bundle, decided: Settings) -> str:
    """Where the entry file is to be in the container.

    Raises:
        StagingError: there is no place for it.

    """
    namespaces = {str(entry.get("type")) for entry in (bundle.config.get("linux") or {}).get("namespaces") or ()}
    found = entry_place.entry_directory(bundle.config.get("mounts") or (), namespaces)
    if not found and decided.scrun.entry and decided.scrun.scheduler != "local":
        raise StagingError(
            "the container's /dev is to be the node's own, so scrun's entry file needs another file system that is the "
            "container's alone; give it one by --tmpfs /run"
        )
    return found or DIRECTORY


def _check_scheduler(wanted: SchedulerName, environ: tuple[bytes, ...]) -> None:
    if wanted == "pyslurm":
        from actors.slurm import pyslurm

        pyslurm.check(environ, directories())


def _log(log: str) -> str:
    """The value of ``--log`` for a process with another working directory."""
    return log if log.startswith(("syslog:", "journald:")) else absolute(file_of(log))


def check_console(console: str, *, terminal: bool) -> None:
    """Terminal and console socket belong together.

    Raises:
        BundleError: one without the other.

    """
    if terminal and not console:
        raise BundleError("cannot allocate a terminal without a console socket: give --console-socket")
    if console and not terminal:
        raise BundleError("a console socket is given, but process.terminal of config.json is false")


def _slurm_conf(line: Line, environ: dict[str, str], chosen: Settings, found: str) -> str:
    """slurm.conf, now that scrun.toml has been read."""
    named = line.options.text("slurm-conf") or environ.get("SLURM_CONF")
    if chosen.scrun.slurm_conf and not named:
        found = settings.check_slurm_conf(chosen.scrun.slurm_conf, "setting slurm_conf")
    if not found and chosen.scrun.scheduler != "local":
        raise SettingsError(
            f"slurm.conf is not at {settings.SLURM_CONFS[0]}: name it by -f, SLURM_CONF or slurm_conf in scrun.toml"
        )
    return found


def _job_id(option: str, bundle: Bundle, environ: dict[str, str]) -> int:
    """The existing allocation that the user named: by an option, or a variable, the container's or the caller's."""
    word = option or bundle.env_value("SLURM_JOB_ID") or environ.get("SLURM_JOB_ID", "")
    if not word:
        return 0
    if not (word.isascii() and word.isdigit() and 0 < int(word[:12]) < 1 << 32):
        raise SettingsError(f"{'scrun.jobid' if option else 'SLURM_JOB_ID'} is no job id: {word[:40]!r}")
    return int(word)
