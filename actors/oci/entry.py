"""The entry file: proof that a program starts inside the container, and nowhere else; it brings its environment.

slurmd of a node that has no ``oci.conf`` ignores ``srun --container`` without a word and runs the command on the
host. So scrun never launches the program by its own name. It launches ``/dev/.scrun-COOKIE PATH ARGV0 ARGV1 …``:
a small static executable that the staged bundle bind-mounts there and that does one execve(2). Without a container
the path does not exist, and nothing runs.

The container's variables are in the file as well, since the node's config.json may have to be readable for everybody
(``actors.staging.reach``). Their owner alone can read the file, all others can only execute it.

It exits with 127 where the program does not exist and with 126 where it cannot be executed, as shells do.
"""

import struct
from collections.abc import Sequence

from .entry_code import AARCH64, X86_64

ENTRY_NAME = ".scrun-entry"  # of the file, in the bundle
ENTRY_MODE = 0o711
DIRECTORY = "/dev"
"""Of the entry file in the container: the tmpfs that every engine mounts there."""
SHELL = b"/bin/sh"
SEARCH = b'exec "$0" "$@"'

_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_BASE = 0x400000
# uname's word for the machine: e_machine and code.
_MACHINES = {"x86_64": (62, X86_64), "aarch64": (183, AARCH64)}


def entry_file(machine: str, env: Sequence[bytes] = ()) -> bytes | None:
    """Return the whole executable for a machine, or ``None`` if there is none for it.

    Args:
        machine: what ``uname -m`` says **on the node**. Slurm does not tell a node's machine before the step
            runs, so scrun passes ``os.uname().machine`` of the submit host: on a cluster of several
            architectures the entry must be switched off (``entry = false``) for jobs that leave that of the host.
        env: the container's variables, ``K=V``. They go before those of the step, but for names that begin with
            ``SLURM_``: there the step knows better.

    """
    known = _MACHINES.get(machine)
    if known is None:
        return None
    number, code = known
    start = _ELF_HEADER.size + _PROGRAM_HEADER.size
    content = code + _table(_BASE + start + len(code), env)
    size = start + len(content)
    identity = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bits, little endian
    header = _ELF_HEADER.pack(
        identity, 2, number, 1, _BASE + start, _ELF_HEADER.size, 0, 0,
        _ELF_HEADER.size, _PROGRAM_HEADER.size, 1, 0, 0, 0,
    )  # fmt: skip
    # One segment, read and execute, aligned to 64 KiB: the largest page size of aarch64.
    segment = _PROGRAM_HEADER.pack(1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return header + segment + content


def _table(address: int, env: Sequence[bytes]) -> bytes:
    """The addresses of the variables, then the variables; the last one first, for so they come onto the stack.

    Args:
        address: where the table will be in memory.
        env: the variables.

    """
    where = address + 8 * (len(env) + 1)
    addresses, texts = [], []
    for entry in reversed(env):
        addresses.append(where)
        texts.append(entry + b"\0")
        where += len(entry) + 1
    # A look at the first six bytes of a short one must not leave the file.
    return struct.pack(f"<{len(env) + 1}Q", *addresses, 0) + b"".join(texts) + bytes(8)


def entry_path(cookie: str, directory: str = DIRECTORY) -> str:
    """Where the entry file is in the container.

    Args:
        cookie: the container's cookie.
        directory: see ``entry_place``.

    """
    return f"{directory}/.scrun-{cookie}"


def entry_argv(cookie: str, program: bytes, args: tuple[bytes, ...], directory: str = DIRECTORY) -> tuple[bytes, ...]:
    """Return the command that srun is to launch.

    Args:
        cookie: the container's cookie.
        program: path of the program in the container, as ``actors.oci.program.find_program`` found it. Empty if it
            could not be found out; then a name without a slash is left to the image's shell to find.
        args: ``process.args``.
        directory: of the entry file in the container.

    """
    path = entry_path(cookie, directory).encode()
    if program:
        return (path, program, *args)
    if args and b"/" in args[0]:
        return (path, args[0], *args)
    return (path, SHELL, b"sh", b"-c", SEARCH, *args)
