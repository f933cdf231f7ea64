"""oci.conf: the keys that concern the submitting side (man page oci.conf(5))."""

import os

from proto.value import Value

STARTS = ("RunTimeRun", "RunTimeCreate", "RunTimeStart")
"""Keys by which a container is started: the first, or the two others."""
OTHERS = ("RunTimeQuery", "RunTimeKill", "RunTimeDelete")
"""The other keys by which slurmstepd calls the runtime."""
HOOKED = frozenset(("crun", "runc"))
"""Runtimes that run hooks as the specification has it, from their first versions on."""
_TRUE = frozenset(("1", "true", "up", "yes"))
TOOLKIT = "nvidia-container-runtime"
"""NVIDIA's, which is runc with a change of config.json before it; its variants have a dot and a word more."""


class OciConf(Value):
    """What oci.conf says.

    Attributes:
        srun_path: ``SrunPath``, or empty.
        srun_args: ``SrunArgs``, one argument per line of the file.
        runtime_lines: the patterns by which the runtime is called, by key as the manual writes it.
        mount_spool_dir: ``MountSpoolDir``, or empty (``spool_mount``).
        container_path: ``ContainerPath``, or empty.
        ignores_config: ``IgnoreFileConfigJson``.
        disabled_hooks: ``DisableHooks``: kinds of hooks that slurmd takes out of config.json.

    """

    srun_path: str = ""
    srun_args: tuple[str, ...] = ()
    runtime_lines: dict[str, str] = {}
    mount_spool_dir: str = ""
    container_path: str = ""
    ignores_config: bool = False
    disabled_hooks: tuple[str, ...] = ()

    @property
    def runtime_run(self) -> str:
        """Pattern ``RunTimeRun``, or empty."""
        return self.runtime_lines.get("RunTimeRun", "")

    @property
    def runtime(self) -> str:
        """The OCI runtime that it names, or empty."""
        return program_of(self.runtime_run.split())

    @property
    def runtime_name(self) -> str:
        """The same without its directory."""
        return os.path.basename(self.runtime)

    @property
    def replaces_shell(self) -> bool:
        """Whether it takes the place of the shell that slurmstepd runs the line with, and hears the step's signals."""
        return self.runtime_run.split()[:1] == ["exec"]

    @property
    def hands_descriptors(self) -> bool:
        """Whether a program gets the descriptors that slurmstepd has opened for it (PMI-2)."""
        return "--preserve-fds" in self.runtime_run

    @property
    def runs_crun(self) -> bool:
        """Whether that is crun; it is what scrun tells sites to have, so also where none is named."""
        return self.runtime_name in {"", "crun"}

    @property
    def stays_beside(self) -> bool:
        """Whether it may be that it stays beside its program and ends when that has: without the file nobody knows."""
        return not self.runtime_lines or self.runtime_name in HOOKED or self.gives_gpus

    @property
    def makes_streams(self) -> bool:
        """Whether it runs the hooks that make a program's standard output a pipe (``actors.oci.streams``)."""
        return (self.runtime_name in HOOKED or self.gives_gpus) and not self.disabled("poststart", "poststop")

    @property
    def follows_links(self) -> bool:
        """Whether its root file system may be a link; runc says "not an absolute path, or a symlink" (1.1.5)."""
        return self.runtime_name != "runc" and not self.gives_gpus

    @property
    def gives_gpus(self) -> bool:
        """Whether it gives a container its GPUs by itself."""
        return self.runtime_name.partition(".")[0] == TOOLKIT

    def disabled(self, *kinds: str) -> list[str]:
        """Those of these kinds of hooks that ``DisableHooks`` has, as it writes them."""
        lower = {kind.lower() for kind in kinds}
        return sorted(hook for hook in self.disabled_hooks if hook.lower() in lower)


def parse(text: str) -> OciConf:
    """Read the file. Keys in any case, ``#`` begins a comment, a value may stand in double quotes."""
    values: dict[str, str] = {}
    srun_args: list[str] = []
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals or key.lstrip().startswith("#"):
            continue
        key, plain = key.strip().lower(), _value(value)
        values[key] = plain
        if key == "srunargs" and plain:
            srun_args.append(plain)
    hooks = tuple(word.strip() for word in values.get("disablehooks", "").split(",") if word.strip())
    return OciConf(
        srun_path=values.get("srunpath", ""),
        srun_args=tuple(srun_args),
        runtime_lines={name: pattern for name in (*OTHERS, *STARTS) if (pattern := values.get(name.lower()))},
        mount_spool_dir=values.get("mountspooldir", ""),
        container_path=values.get("containerpath", ""),
        ignores_config=values.get("ignorefileconfigjson", "").lower() in _TRUE,
        disabled_hooks=hooks,
    )


def _value(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return text.partition("#")[0].strip()


def place(slurm_conf: str) -> str:
    """Where it is: beside slurm.conf."""
    return os.path.join(os.path.dirname(slurm_conf) if slurm_conf else "/etc/slurm", "oci.conf")


def load(slurm_conf: str) -> OciConf:
    """Read the oci.conf beside slurm.conf; without one everything is at its default."""
    try:
        with open(place(slurm_conf), encoding="utf-8", errors="surrogateescape") as file:
            return parse(file.read())
    except OSError:
        return OciConf()


def program_of(words: list[str]) -> str:
    """The program that a RunTime line runs in the end, or empty: what ``exec``, ``env`` and its options lead to."""
    rest = iter(words)
    for word in rest:
        if word in {"-u", "--unset"}:
            next(rest, None)
        elif word not in {"exec", "env"} and "=" not in word and not word.startswith("-"):
            return word
    return ""
