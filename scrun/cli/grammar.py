"""The words of the command line, as tables: options of scrun, its verbs and theirs.

The union of what runc, crun and the C scrun of Slurm take, because engines were written against those. A row of
options is

    (long names, short names, value, help)

where ``value`` is empty for a flag, the name of a value, the allowed values as ``a|b``, the same in brackets if
the value may be left out, or ``+`` for a flag that counts. ``-`` as help marks what is taken for
compatibility and has no effect here; such options are not in the help texts.

A row of verbs is (module in ``scrun.commands``, arguments, summary, options). Arguments in brackets may be left
out; where they end in ``…``, options end at the first argument, for the rest is another program's.

On the path of the hot verbs: constants only.
"""

from proto.host import log_record

Option = tuple[tuple[str, ...], str, str, str]
Verb = tuple[str, str, str, tuple[Option, ...]]

LEVELS = "|".join((*log_record.LEVELS, "warning", "warn"))  # the last two are crun's words

# Variables of the man page about logging (scrun.report.levels); the first is about everything.
DEBUG_VARIABLES = ("SCRUN_DEBUG", "SCRUN_STDERR_DEBUG", "SCRUN_SYSLOG_DEBUG", "SCRUN_FILE_DEBUG")

HELP: Option = (("help",), "h?", "", "print this text")

GLOBAL: tuple[Option, ...] = (
    (("root",), "", "DIR", "state directory (default: $XDG_RUNTIME_DIR/scrun)"),
    (("log",), "", "FILE", "append a record to FILE if the command fails (also syslog:NAME, journald:NAME)"),
    (("log-format",), "", "text|json", "format of the records (default: text)"),
    (
        ("log-level",),
        "",
        LEVELS,
        "how much goes to --log (without it: to standard error) and to the container's own log",
    ),
    (("debug",), "", "", "level debug; unexpected errors come with a traceback"),
    (("verbose",), "v", "+", "one level more (may be repeated)"),
    (("slurm-conf",), "f", "FILE", "slurm.conf to use (default: $SLURM_CONF, /etc/slurm/slurm.conf)"),
    (("version",), "V", "", "print the version"),
    (("usage",), "", "", "print one line on how to call scrun"),
    HELP,
    (("systemd-cgroup",), "", "", "-"),
    (("cgroup-manager",), "", "cgroupfs|systemd|disabled", "-"),
    (("rootless",), "", "[true|false|auto]", "-"),
    (("criu",), "", "PATH", "-"),
)

_BUNDLE: Option = (("bundle",), "b", "DIR", "directory of config.json (default: the working directory)")
_CONSOLE: Option = (("console-socket",), "", "PATH", "socket that gets the terminal's master")
_PID_FILE: Option = (("pid-file",), "", "FILE", "file that gets the container's process id")
_FORMAT: Option = (("format",), "f", "table|json", "table or json (default: table)")
_IGNORED_BY_CREATE: tuple[Option, ...] = (
    (("no-pivot",), "", "", "-"),
    (("no-new-keyring",), "", "", "-"),
    (("no-subreaper",), "", "", "-"),
    (("preserve-fds",), "", "N", "-"),
)
_PIDFD: Option = (("pidfd-socket",), "", "PATH", "socket that gets a pidfd of the container's process")
_CREATE: tuple[Option, ...] = (
    _BUNDLE,
    (("config",), "f", "FILE", "use FILE in place of the bundle's config.json"),
    _CONSOLE,
    _PID_FILE,
    _PIDFD,
    *_IGNORED_BY_CREATE,
)
_RUN: tuple[Option, ...] = (
    *_CREATE,
    (("detach",), "d", "", "return as soon as the program runs"),
    (("keep",), "", "", "keep the container's state after its end"),
)
_EXEC: tuple[Option, ...] = (
    (("detach",), "d", "", "return as soon as the program runs"),
    (("tty",), "t", "", "with a terminal"),
    (("process",), "p", "FILE", "JSON that describes the program (a process object of config.json)"),
    (("cwd",), "", "DIR", "working directory in the container"),
    (("env",), "e", "K=V", "one variable more (may be repeated)"),
    (("user",), "u", "UID[:GID]", "user and group of the program"),
    (("additional-gids",), "g", "GID", "one group more (may be repeated)"),
    (("cap",), "c", "CAP", "one capability more (may be repeated)"),
    (("no-new-privs",), "", "", "the program can gain no privileges"),
    _CONSOLE,
    (("pid-file",), "", "FILE", "file that gets the id of the process that stands for the program"),
    (("pidfd-socket",), "", "PATH", "socket that gets a pidfd of that process"),
    (("process-label",), "", "LABEL", "-"),
    (("apparmor",), "", "PROFILE", "-"),
    (("preserve-fds",), "", "N", "-"),
    (("cgroup",), "", "PATH", "-"),
    (("ignore-paused",), "", "", "also if the container is paused"),
)
# Limits of ``update``: but for memory each is a wish that Slurm cannot follow once it has the job.
LIMITS = (
    "blkio-weight", "cpu-period", "cpu-quota", "cpu-burst", "cpu-share", "cpu-rt-period", "cpu-rt-runtime",
    "cpuset-cpus", "cpuset-mems", "kernel-memory", "kernel-memory-tcp", "memory", "memory-reservation",
    "memory-swap", "pids-limit", "cpu-idle", "l3-cache-schema", "mem-bw-schema",
)  # fmt: skip
_UPDATE: tuple[Option, ...] = (
    (("time",), "", "TIME", "time limit of the job: 30 (minutes), 2:00:00, +10 or -10"),
    (("nice",), "", "N", "niceness of the job"),
    (("memory",), "m", "BYTES", "memory of a job that waits; with Slurm 26.05 less of one that runs"),
    (("resources",), "r", "FILE", "resources as JSON, - for standard input"),
    *[((name,), "", "VALUE", "-") for name in LIMITS if name != "memory"],
)
_IMAGE: tuple[Option, ...] = (
    *[
        ((name,), "", "VALUE", "-")
        for name in ("image-path", "work-path", "parent-path", "status-fd", "page-server", "empty-ns")
    ],
    *[((name,), "", "VALUE", "-") for name in ("manage-cgroups-mode", "lsm-profile", "lsm-mount-context")],
    *[((name,), "", "", "-") for name in ("leave-running", "tcp-established", "tcp-skip-in-flight")],
    *[((name,), "", "", "-") for name in ("link-remap", "ext-unix-sk", "shell-job", "lazy-pages")],
    *[((name,), "", "", "-") for name in ("file-locks", "pre-dump", "auto-dedup")],
)
_MATCH: Option = (("regex",), "r", "", "ID is a regular expression; all containers that match it whole are meant")

VERBS: dict[str, Verb] = {
    "create": ("create", "ID", "make a container from a bundle, and ask for its job", _CREATE),
    "start": ("start", "ID", "run the program of a created container", ()),
    "state": ("state", "ID", "print a container's state as JSON", ()),
    "kill": (
        "kill",
        "ID [SIGNAL]",
        "send a signal to a container's program (default: TERM)",
        ((("all",), "a", "", "an ended container is no error"), _MATCH),
    ),
    "delete": (
        "delete",
        "ID",
        "remove a container and release what it holds",
        ((("force",), "f", "", "end it first if it runs; an unknown id is no error"), _MATCH),
    ),
    "pause": ("pause", "ID", "stop all processes of a container that runs, until it is resumed", ()),
    "resume": ("pause", "ID", "let the processes of a paused container go on", ()),
    "run": ("run", "ID", "create and start a container, and wait for its end", _RUN),
    "exec": ("exec", "ID [COMMAND…]", "run another program in a container that runs", _EXEC),
    "list": (
        "list",
        "",
        "list the containers",
        (
            _FORMAT,
            (("quiet",), "q", "", "print ids only"),
            (("long",), "l", "", "job, nodes, phase, age and reason in place of runc's columns"),
            (("all-users",), "", "", "the containers of all users of this host; only root may"),
            (("job",), "j", "JOB", "only the containers of this job of Slurm's"),
        ),
    ),
    "ps": ("ps", "ID [PS-OPTION…]", "show the process that stands for a container", (_FORMAT,)),
    "events": (
        "events",
        "ID",
        "print what the container uses as JSON lines, as far as Slurm knows it, and whether memory ran out",
        (
            (("interval",), "", "TIME", "time between two samples, such as 500ms, 5s or 1m30s (default: 5s)"),
            (("stats",), "", "", "one sample only"),
        ),
    ),
    "update": ("update", "ID", "change what Slurm lets a user change of the job", _UPDATE),
    "spec": (
        "spec",
        "",
        "write a config.json to begin with",
        (
            _BUNDLE,
            (("file",), "f", "FILE", "file to write (default: config.json)"),
            (("rootless",), "", "", "with a user namespace (default, unless called by root)"),
        ),
    ),
    "features": ("features", "", "print what scrun can do, as JSON", ()),
    "version": ("version", "", "print the version", ()),
    "why": (
        "why",
        "ID",
        "say why a container waits, failed or ended, also if it is deleted; its job, or the beginning of ID, is enough",
        (),
    ),
    "tap": (
        "tap",
        "[ID]",
        "print what a container's processes say and do, a line each",
        (
            (("all",), "a", "", "all containers, also those to come"),
            (("topic",), "t", "PREFIX", "only topics that begin with PREFIX (LAYER.ACTOR.EVENT)"),
            (("format",), "f", "json|text", "for programs or for people (default: json)"),
        ),
    ),
    "exporter": (
        "exporter",
        "",
        "tell Prometheus how containers fare, until it is ended",
        (
            (("listen",), "", "WHERE", "HOST:PORT or unix:PATH (default: 127.0.0.1:9762)"),
            (("textfile",), "", "FILE", "write FILE every 15 s instead, for node_exporter"),
            (("all-users",), "", "", "the containers of all users of this host; only root may"),
        ),
    ),
    "console": (
        "console",
        "[ID] [COMMAND] [WHAT] [LEVEL]",
        "look into a container's processes; its commands are in scrun help console",
        (
            (("top",), "t", "", "show all containers, or ID, on the whole terminal; root: those of all users"),
            (("format",), "", "text|json", "text or json (default: text)"),
            (("follow",), "f", "", "journal: go on until the container ends"),
            (("yes",), "y", "", "do not ask before something is changed"),
            (("actor",), "", "ACTOR", "messages: only about this actor (may be repeated)"),
            (("type",), "", "WORD", "messages: only of this type (may be repeated)"),
        ),
    ),
    "doctor": (
        "doctor",
        "",
        "check this host, Slurm and the engines, and say what to add where",
        (
            _FORMAT,
            (
                ("nodes",),
                "",
                "[NODES]",
                "also run a short job and a container on each of these nodes (default: all that are idle or mixed)",
            ),
        ),
    ),
    "gc": (
        "gc",
        "",
        "clear up after containers whose processes were killed, and cancel jobs that have none",
        ((("dry-run",), "n", "", "only say what would be done"),),
    ),
    "image": (
        "image",
        "ACTION [WHAT] [STORE]",
        "trees of images: list [STORE], push IMAGE|DIR [STORE], rm KEY [STORE], prune [STORE]",
        (
            _FORMAT,
            (("owners",), "", "", "push for root's containers: owners and modes are kept, and only root may read it"),
            (("all",), "a", "", "prune all that no container uses, or all that was taken back"),
            (("force",), "", "", "rm at once, whoever uses it"),
        ),
    ),
    "help": ("help", "[VERB]", "print how a verb is used", ()),
    "checkpoint": ("unsupported", "ID", "not supported", _IMAGE),
    "mounts": ("unsupported", "ACTION ID [MOUNTS]", "not supported", ()),
    "restore": ("unsupported", "ID", "not supported", (*_RUN, *_IMAGE)),
}

# runc and crun report failures of ``exec`` with 255, so that they are not taken for the program's own status.
EXIT_CODES = {"exec": 255}
