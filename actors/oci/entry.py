"""The entry file: proof that a program starts inside the container, and nowhere else; it brings its environment.

slurmd of a node that has no ``oci.conf`` ignores ``srun --container`` without a word and runs the command on the
host. So scrun never launches the program by its own name. It launches ``/dev/.scrun-COOKIE PATH ARGV0 ARGV1 …``:
a small static executable that the staged bundle bind-mounts there and that does one execve(2). Without a container
the path does not exist, and nothing runs.

The container's variables are in the file as well, since the node's config.json may have to be readable for everybody
(``actors.staging.reach``). Their owner alone can read the file, all others can only execute it::

    for each signal: as a program expects it, not ignored, not blocked
    if standard input is to be a file: open it for that
    if there is a pipe: wait until somebody reads it, for ten seconds at most
    if it is to be standard output: open it as that, and write a byte
    environment = [v for v in variables if not (v begins with "SLURM_" and the step has one of that name)]
                + [v for v in the step's if v begins with "SLURM_" or variables have none of that name]
    execve(argv[1], &argv[2], environment)
    say why not;  exit(errno == ENOENT ? 127 : 126)

Behind the code lie the addresses of the two paths and of the texts, then those of the variables, which end with 0.
The new array of variables grows down the stack. Two passes share the code, first over the step's variables, then over
those of the table: whatever begins as the pass does not look for is taken, and the rest only if the other list has no
variable of that name.

It exits with 127 where the program does not exist and with 126 where it cannot be executed, as shells do, and says why
in the words of runc, which says them with status 1.
"""

import errno
import os
import struct
from collections.abc import Sequence

from . import entry_aarch64, entry_x86_64

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
_MACHINES = {"x86_64": (62, entry_x86_64.CODE), "aarch64": (183, entry_aarch64.CODE)}
_INTERPRETER = 255  # the code's own number: the file is there, and what it names is not
_REASONS = {
    errno.ENOENT: "no such file or directory",
    _INTERPRETER: "no such file or directory: the image lacks the interpreter, or the loader, that it names",
    errno.EACCES: "permission denied",
    errno.ENOEXEC: "exec format error",
    errno.E2BIG: "argument list too long",
    0: "it cannot be executed",
}
"""What is said; 0 stands for all other numbers, and is the last one."""


def has_code(machine: str) -> bool:
    """Whether there is an entry file for a machine: what ``uname -m`` says."""
    return machine in _MACHINES


def entry_file(
    machine: str, env: Sequence[bytes] = (), pipe: str = "", stdin: str = "", *, waits: bool = False
) -> bytes:
    """Return the whole executable for a machine.

    Args:
        machine: what ``uname -m`` says **on the node**. Slurm does not tell a node's machine before the step
            runs, so scrun passes ``os.uname().machine`` of the submit host: on a cluster of several
            architectures the entry must be switched off (``entry = false``) for jobs that leave that of the host.
        env: the container's variables, ``K=V``. They go before those of the step, but for names that begin with
            ``SLURM_``: there the step knows better.
        pipe: path in the container of the named pipe that is to be standard output, or nothing.
        stdin: path in the container of what is to be standard input, or nothing.
        waits: it is only waited for that somebody reads the pipe; standard output stays.

    """
    number, code = _MACHINES[machine]
    start = _ELF_HEADER.size + _PROGRAM_HEADER.size
    content = code + _data(_BASE + start + len(code), env, (os.fsencode(stdin), os.fsencode(pipe)), waits=waits)
    size = start + len(content)
    identity = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bits, little endian
    header = _ELF_HEADER.pack(
        identity, 2, number, 1, _BASE + start, _ELF_HEADER.size, 0, 0,
        _ELF_HEADER.size, _PROGRAM_HEADER.size, 1, 0, 0, 0,
    )  # fmt: skip
    # One segment, read and execute, aligned to 64 KiB: the largest page size of aarch64.
    segment = _PROGRAM_HEADER.pack(1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return header + segment + content


def _data(address: int, env: Sequence[bytes], streams: tuple[bytes, bytes], *, waits: bool) -> bytes:
    """What lies behind the code: the addresses of streams, texts and variables, and all of these.

    Args:
        address: where it will be in memory.
        env: the variables; the last one comes first, for so they come onto the stack.
        streams: paths of standard input and output, or nothing.
        waits: see ``entry_file``; the byte before the second path says it.

    """
    said = [bytes((number, len(text) + 3)) + f": {text}\n".encode() for number, text in _REASONS.items()]
    pieces = [
        streams[0] + (b"\1" if waits else b"\0"),
        streams[1] + b"\0",
        b"exec " + b"".join(said),
        *(entry + b"\0" for entry in reversed(env)),
    ]
    where = address + 8 * (len(pieces) + 1)
    addresses = []
    for piece in pieces:
        addresses.append(where)
        where += len(piece)
    addresses[: len(streams)] = [at if path else 0 for at, path in zip(addresses, streams, strict=False)]
    # A look at the first six bytes of a short one must not leave the file.
    return struct.pack(f"<{len(pieces) + 1}Q", *addresses, 0) + b"".join(pieces) + bytes(8)


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
