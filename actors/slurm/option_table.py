"""THE table of job options: one row per option, with every name it goes by and where it is applied.

The name is Slurm's own long word, so that ``scrun.toml``, annotations (``scrun.cpus-per-task``) and the manual
pages of salloc and srun speak one language. Sources: scrun(1) of 23.02, 24.05 and 24.11 for the variables; salloc(1)
and srun(1) of 22.05, 24.11 and 26.05, of which a test has the lists, and the changelogs for the versions between them.
"""

from proto.value import Value

VALUE = "value"
FLAG = "flag"
OPTIONAL = "optional"
NUMBER = "number"
ENVIRONMENT = "environment"

JOB = "job"
STEP = "step"
BOTH = "both"
PLACE = "place"
ALLOCATION = "allocation"

Version = tuple[int, int]


class Option(Value):
    """One job option.

    Attributes:
        name: Slurm's long option word, which is also the key in ``scrun.toml`` and in annotations.
        variable: the ``SCRUN_`` variable that scrun(1) documents, without the prefix; empty: derived from the name.
        kind: ``value`` needs a text, ``number`` a whole number, ``flag`` none, ``optional`` may have one;
            ``environment`` travels as ``SALLOC_`` variable since salloc has no separate option for it.
        where: ``job`` goes to salloc, ``step`` to srun, ``both`` to both; ``place`` says which part of a cluster is
            meant: it goes to salloc or, in an allocation that is not scrun's own, to srun; ``allocation`` says in which
            one that is.
        since: first version of Slurm that knows it; (0, 0) is "at least since 22.05".
        until: last version that knew it; later ones get nothing, and a notice.
        aliases: further names that are understood.
        exclusive: name of the group of which Slurm accepts only one member.

    """

    name: str
    variable: str = ""
    kind: str = VALUE
    where: str = JOB
    since: Version = (0, 0)
    until: Version = (9999, 0)
    aliases: tuple[str, ...] = ()
    exclusive: str = ""

    @property
    def dated(self) -> bool:
        """Whether it depends on the version of Slurm."""
        return self.since != (0, 0) or self.until != (9999, 0)

    @property
    def variables(self) -> tuple[str, ...]:
        """Every ``SCRUN_`` variable that sets it, the documented one first."""
        derived = "SCRUN_" + self.name.upper().replace("-", "_")
        documented = "SCRUN_" + self.variable if self.variable else derived
        return (documented,) if documented == derived else (documented, derived)


TABLE: tuple[Option, ...] = (
    # --- who asks, and for how long
    Option("account", "ACCOUNT"),
    Option("acctg-freq", "ACCTG_FREQ", where=BOTH),
    Option("begin"),
    Option("clusters", "CLUSTERS", aliases=("cluster",)),
    Option("comment"),
    Option("deadline"),
    Option("dependency", "DEPENDENCY"),
    Option("extra", since=(23, 2)),
    Option("hold", kind=FLAG),
    Option("immediate", kind=OPTIONAL),
    Option("job-name", "JOB_NAME", where=BOTH, aliases=("name",)),
    Option("mail-type"),
    Option("mail-user"),
    Option("mcs-label"),
    Option("nice", kind=OPTIONAL),
    Option("no-kill", kind=FLAG, where=BOTH),
    Option("priority"),
    Option("qos", "QOS"),
    Option("signal", "SIGNAL"),
    Option("time", "TIMELIMIT", aliases=("time-limit", "timelimit")),
    Option("time-min"),
    Option("wckey", "WCKEY"),
    # --- where
    Option("bb", "BURST_BUFFER", aliases=("burst-buffer",)),
    Option("bbf"),
    Option("chdir", "WORKING_DIR", aliases=("working-dir",)),
    Option("cluster-constraint", "CLUSTER_CONSTRAINT"),
    Option("consolidate-segments", kind=FLAG, since=(25, 11)),
    Option("constraint", "CONSTRAINT"),
    Option("contiguous", kind=FLAG),
    Option("exclude", where=PLACE),
    Option("het-group", where=ALLOCATION),
    Option("jobid", kind=NUMBER, where=ALLOCATION),
    Option("nodefile", where=PLACE),
    Option("nodelist", "JOB_NODELIST", where=PLACE),
    Option("partition", "PARTITION", aliases=("queue",)),
    Option("prefer"),
    Option("reboot", kind=FLAG),
    Option("req-switch", "REQ_SWITCH", kind=ENVIRONMENT),
    Option("reservation", "RESERVATION"),
    Option("resources", since=(25, 5)),
    Option("segment", kind=NUMBER, since=(24, 11)),
    Option("spread-job", "SPREAD_JOB", kind=FLAG),
    Option("spread-segments", kind=FLAG, since=(25, 11)),
    Option("switches"),
    Option("use-min-nodes", "USE_MIN_NODES", kind=FLAG),
    Option("wait-all-nodes", kind=NUMBER),
    Option("wait4switch", "WAIT4SWITCH", kind=ENVIRONMENT),
    # --- how much
    Option("core-spec", "CORE_SPEC", kind=NUMBER, exclusive="specialized"),
    Option("cores-per-socket", "NCORES_PER_SOCKET"),
    Option("cpus-per-gpu", "CPUS_PER_GPU", kind=NUMBER, exclusive="cpus"),
    Option("cpus-per-task", "CPUS_PER_TASK", kind=NUMBER, where=BOTH, aliases=("cpus",), exclusive="cpus"),
    Option("exclusive", "EXCLUSIVE", kind=OPTIONAL, exclusive="sharing"),
    Option("extra-node-info"),
    Option("gpus", "GPUS", where=PLACE),
    Option("gpus-per-node", "GPUS_PER_NODE", where=PLACE),
    Option("gpus-per-socket", "GPUS_PER_SOCKET", where=PLACE),
    Option("gpus-per-task", "GPUS_PER_TASK", where=PLACE),
    Option("gres", "GRES", where=PLACE),
    Option("gres-flags", "GRES_FLAGS"),
    Option("licenses", where=PLACE),
    Option("mem", "MEM_PER_NODE", where=PLACE, aliases=("memory", "mem-per-node"), exclusive="memory"),
    Option("mem-per-cpu", "MEM_PER_CPU", where=PLACE, exclusive="memory"),
    Option("mem-per-gpu", "MEM_PER_GPU", where=PLACE, exclusive="memory"),
    Option("mem-update", since=(26, 5)),
    Option("mincpus", kind=NUMBER),
    Option("nodes", "JOB_NUM_NODES", where=BOTH),
    Option("ntasks", "NTASKS", kind=NUMBER, where=BOTH),
    Option("ntasks-per-core", "NTASKS_PER_CORE", kind=NUMBER, where=BOTH),
    Option("ntasks-per-gpu", "NTASKS_PER_GPU", kind=NUMBER),
    Option("ntasks-per-node", "NTASKS_PER_NODE", kind=NUMBER, where=BOTH),
    Option("ntasks-per-socket", kind=NUMBER),
    Option("ntasks-per-tres", "NTASKS_PER_TRES", kind=NUMBER),
    Option("overcommit", "OVERCOMMIT", kind=FLAG, where=BOTH),
    Option("oversubscribe", kind=FLAG, exclusive="sharing"),
    Option("power", "POWER", until=(23, 11)),
    Option("sockets-per-node", "NSOCKETS_PER_NODE"),
    Option("stepmgr", kind=FLAG, since=(24, 5)),
    Option("thread-spec", "THREAD_SPEC", kind=NUMBER, exclusive="specialized"),
    Option("threads-per-core", "THREADS_PER_CORE", kind=NUMBER, where=BOTH),
    Option("tmp"),
    Option("tres-per-task", "TRES_PER_TASK", where=BOTH, since=(23, 2)),
    # --- how it runs on the nodes
    Option("accel-bind", where=STEP, until=(24, 5)),
    Option("cpu-bind", "CPU_BIND", where=STEP),
    Option("cpu-freq", "CPU_FREQ_REQ", where=BOTH),
    Option("delay-boot", "DELAY_BOOT"),
    Option("distribution", "DISTRIBUTION", where=BOTH),
    Option("epilog", "EPILOG", where=STEP),
    Option("exact", "EXACT", kind=FLAG, where=STEP),
    Option("gpu-bind", "GPU_BIND", where=BOTH),
    Option("gpu-freq", "GPU_FREQ", where=BOTH),
    Option("hint", "HINT", where=BOTH),
    Option("input", where=STEP),
    Option("kill-on-bad-exit", kind=FLAG, where=STEP),
    Option("label", "LABELIO", kind=FLAG, where=STEP),
    Option("mem-bind", "MEM_BIND", where=BOTH),
    Option("mpi", "MPI_TYPE", where=STEP),
    Option("msg-timeout", kind=NUMBER, where=STEP),
    Option("network", "NETWORK", where=BOTH),
    Option("oom-kill-step", kind=FLAG, where=STEP, since=(24, 5)),
    Option("open-mode", "OPEN_MODE", where=STEP),
    Option("overlap", "OVERLAP", kind=FLAG, where=STEP),
    Option("profile", "PROFILE", where=BOTH),
    Option("prolog", "PROLOG", where=STEP),
    Option("propagate", kind=OPTIONAL, where=STEP),
    Option("relative", kind=NUMBER, where=STEP),
    Option("resv-ports", kind=OPTIONAL, where=STEP),
    Option("slurmd-debug", "SLURMD_DEBUG", where=STEP),
    Option("task-epilog", "TASK_EPILOG", where=STEP),
    Option("task-prolog", "TASK_PROLOG", where=STEP),
    Option("threads", "THREADS", kind=NUMBER, where=STEP),
    Option("treewidth", where=STEP, since=(23, 2)),
    Option("tres-bind", "TRES_BIND", where=BOTH, since=(23, 11)),
    Option("unbuffered", "UNBUFFEREDIO", kind=FLAG, where=STEP),
    Option("wait", kind=NUMBER, where=STEP),
    Option("wait-for-children", kind=FLAG, where=STEP, since=(25, 5)),
)
"""SCRUN_REMOTE_CWD is the one documented variable without a row of its own: see ``EXTRA_VARIABLES``."""

EXTRA_VARIABLES: dict[str, str] = {"SCRUN_REMOTE_CWD": "chdir"}
"""Second documented variables of an option; the first one wins (scrun(1): SCRUN_WORKING_DIR over this one)."""

BY_NAME: dict[str, Option] = {option.name: option for option in TABLE}
ALIASES: dict[str, str] = {alias: option.name for option in TABLE for alias in option.aliases}
