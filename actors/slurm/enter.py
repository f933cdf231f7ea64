"""How another program gets into a container that runs: by the OCI runtime that runs it, on its node.

The container's runtime (``crun … run … ID``) stays beside it as the parent of its program, and says in its own
command line where it keeps its state and by what id it knows the container. So a shell on the node looks for it and
calls the same runtime with ``exec``. Namespaces, capabilities and the system call filter are the runtime's affair then,
as they were when the container was made. With nsenter(1) they would be ours, and the program would have every
capability of the user namespace.

The program is described by a ``process`` object as config.json has one. It travels in the environment, where nobody
else can read it, and never as a word of a command line; nothing is left behind that would have to be removed.
"""

VARIABLE = "SCRUN_EXEC_"
PART = 96 << 10
"""Bytes of the description in one variable; execve(2) takes 128 KiB in all (MAX_ARG_STRLEN)."""
NO_RUNTIME = "exec failed: on this node no OCI runtime stays beside the container; RunTimeRun must be one that can exec"

# The program's descendants have its mounts as well, and so has whatever was added before: the runtime is the one
# process without them that has "run" among its words and such a child. grep is started once for all processes.
FIND = rb"""
mark="/dev/.scrun-$1 "
set --
inside() { grep -lsF "$mark" /proc/[0-9]*/mountinfo; }
parent() { sed -n 's/^PPid:[[:blank:]]*/\/proc\//p' "$1/status" 2>/dev/null; }
id=
for child in $(inside); do
    runtime=$(parent "${child%/mountinfo}")
    if grep -qsF "$mark" "$runtime/mountinfo"; then continue; fi
    set --
    verb=
    while IFS= read -r word; do
        if [ "$word" = run ]; then verb=run; fi
        if [ "$verb" ]; then id=$word; else set -- "$@" "$word"; fi
    done <<END
$(tr '\0' '\n' 2>/dev/null <"$runtime/cmdline")
END
    if [ "$verb" ]; then break; fi
done
if [ -z "$id" ]; then echo "%s" >&2; exit 255; fi
for name in PATH XDG_RUNTIME_DIR; do
    value=$(tr '\0' '\n' 2>/dev/null <"$runtime/environ" | sed -n "s/^$name=//p")
    if [ "$value" ]; then export "$name=$value"; fi
done
""".replace(b"%s", NO_RUNTIME.encode())
"""With the cookie as $1: the runtime's words up to its verb become "$@", the container's id $id."""

HERE = rb"""
id=$1
shift
"""
"""The same with the id as $1 and the runtime's words after it: a container of this machine."""

# crun before 1.8.7 tells its terminal's new size to nobody. The program's own terminal is that of a grandchild of ours
# in the container. What is there for the size goes with the step.
FOLLOW = rb"""
resize() {
    size=$(stty size </dev/tty)
    for child in $(inside); do
        child=${child%/mountinfo}
        if [ "$(parent "$(parent "$child")")" = "/proc/$$" ]; then
            stty rows "${size% *}" columns "${size#* }" <>"$child/fd/0"
        fi
    done
} 2>/dev/null
(trap resize WINCH; while :; do sleep 3600 & wait; done) &
"""

# The runtimes tell a failure on standard error and in their log. The log tells it apart from what the program says,
# and the failure of a program that is not there from its own exit status.
EXEC = rb"""
exec 5>&1
log=$(exec "$@" --log=/dev/fd/4 exec --process /dev/fd/3 "$id" 4>&1 >&5 5>&- 3<<END
%s
END
)
status=$?
case $status:$log in
    0:*) ;;
    *"executable file"*"not found"* | *": stat "*"no such file"*) status=127 ;;
    *"open executable"* | *"exec: "*"permission denied"*) status=126 ;;
esac
exit $status
"""
# Without a shell that outlives it: signals are for the runtime, which passes them on.
PLAIN_EXEC = rb"""
exec "$@" exec --process /dev/fd/3 "$id" 3<<END
%s
END
"""


def variables(process: bytes) -> list[bytes]:
    """The description of the program as variables, ``K=V``."""
    parts = [process[at : at + PART] for at in range(0, len(process), PART)]
    return [b"%s%d=%s" % (VARIABLE.encode(), number, part) for number, part in enumerate(parts)]


def names(entries: list[bytes]) -> list[str]:
    """Names of the variables."""
    return [entry.partition(b"=")[0].decode() for entry in entries]


def on_node(entries: list[bytes], terminal: bool) -> bytes:
    """The shell's script for a node, which wants the container's cookie as an argument."""
    return FIND + (FOLLOW if terminal else b"") + reading(EXEC, entries)


def here(entries: list[bytes]) -> bytes:
    """The same on this machine; its id and the runtime's words are the arguments."""
    return HERE + reading(PLAIN_EXEC, entries)


def reading(script: bytes, entries: list[bytes]) -> bytes:
    """``EXEC`` or ``PLAIN_EXEC`` with the variables that the runtime shall read."""
    return script.replace(b"%s", b"".join(b"$" + name.encode() for name in names(entries)))
