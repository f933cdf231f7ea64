"""The entry file: proof that a program starts inside the container, and nowhere else.

slurmd of a node that has no ``oci.conf`` ignores ``srun --container`` without a word and runs the command on the
host. So scrun never launches the program by its own name. It launches ``/dev/.scrun-COOKIE PATH ARGV0 ARGV1 …``:
a tiny static executable that the staged bundle bind-mounts there and that does nothing but
``execve(argv[1], &argv[2], envp)``. Without a container the path does not exist, and nothing runs.

It exits with 127 where the program does not exist and with 126 where it cannot be executed, as shells do.
"""

import struct

ENTRY_NAME = ".scrun-entry"  # of the file, in the bundle
SHELL = b"/bin/sh"
SEARCH = b'exec "$0" "$@"'

_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_BASE = 0x400000

# argc lies at the stack pointer, argv after it, then a null pointer, then envp.
_X86_64 = bytes.fromhex(
    "488b0c24"  # mov  rcx, [rsp]              argc
    "488b7c2410"  # mov  rdi, [rsp+16]         argv[1]
    "488d742418"  # lea  rsi, [rsp+24]         &argv[2]
    "488d54cc10"  # lea  rdx, [rsp+rcx*8+16]   envp
    "b83b000000"  # mov  eax, 59               execve
    "0f05"  # syscall
    "83f8fe"  # cmp  eax, -2                   ENOENT?
    "bf7e000000"  # mov  edi, 126
    "7502"  # jne  +2
    "ffc7"  # inc  edi
    "b8e7000000"  # mov  eax, 231              exit_group
    "0f05"  # syscall
)
_AARCH64 = struct.pack(
    "<12I",
    0xF94003E9,  # ldr  x9, [sp]               argc
    0xF9400BE0,  # ldr  x0, [sp, 16]           argv[1]
    0x910063E1,  # add  x1, sp, 24             &argv[2]
    0x8B090C22,  # add  x2, x1, x9, lsl 3
    0xD1002042,  # sub  x2, x2, 8              envp
    0xD2801BA8,  # mov  x8, 221                execve
    0xD4000001,  # svc  0
    0xB100081F,  # cmn  x0, 2                  ENOENT?
    0x52800FC0,  # mov  w0, 126
    0x1A801400,  # cinc w0, w0, eq
    0xD2800BC8,  # mov  x8, 94                 exit_group
    0xD4000001,  # svc  0
)
# uname's word for the machine: e_machine and code.
_MACHINES = {"x86_64": (62, _X86_64), "aarch64": (183, _AARCH64)}


def entry_file(machine: str) -> bytes | None:
    """Return the whole executable for a machine, or ``None`` if there is none for it.

    Args:
        machine: what ``uname -m`` says **on the node**. Slurm does not tell a node's machine before the step
            runs, so scrun passes ``os.uname().machine`` of the submit host: on a cluster of several
            architectures the entry must be switched off (``entry = false``) for jobs that leave that of the host.

    """
    known = _MACHINES.get(machine)
    if known is None:
        return None
    number, code = known
    start = _ELF_HEADER.size + _PROGRAM_HEADER.size
    size = start + len(code)
    identity = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bits, little endian
    header = _ELF_HEADER.pack(
        identity, 2, number, 1, _BASE + start, _ELF_HEADER.size, 0, 0,
        _ELF_HEADER.size, _PROGRAM_HEADER.size, 1, 0, 0, 0,
    )  # fmt: skip
    # One segment, read and execute, aligned to 64 KiB: the largest page size of aarch64.
    segment = _PROGRAM_HEADER.pack(1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    return header + segment + code


def entry_path(cookie: str) -> str:
    """Where the entry file is in the container: on the tmpfs of ``/dev``, which every engine mounts."""
    return f"/dev/.scrun-{cookie}"


def entry_argv(cookie: str, program: bytes, args: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the command that srun is to launch.

    Args:
        cookie: the container's cookie.
        program: path of the program in the container, as ``proto.program.find_program`` found it. Empty if it
            could not be found out; then a name without a slash is left to the image's shell to find.
        args: ``process.args``.

    """
    path = entry_path(cookie).encode()
    if program:
        return (path, program, *args)
    if args and b"/" in args[0]:
        return (path, args[0], *args)
    return (path, SHELL, b"sh", b"-c", SEARCH, *args)
