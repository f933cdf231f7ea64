"""How a container's standard output and terminal are made on its node, by hooks of the runtime. Pure.

slurmstepd gives a program either a terminal as its standard output, or a pipe whose bytes wait for the end of their
line. Neither is what an engine gives. So the program writes into a named pipe, which the entry file opens as standard
output, and cat(1), which a poststart hook starts beside the runtime, carries the bytes to slurmstepd's terminal
(``actors/programs/node_streams.sh``).
"""

from typing import Any

from proto.value import Value

Hooks = dict[str, list[dict[str, Any]]]

TASKS_PIPE = "scrun-stdout"
"""Name of a task's own pipe, in the directory that slurmstepd makes for each task."""


class Streams(Value):
    """What a container gets.

    Attributes:
        program: path of ``node_streams.sh`` in the bundle.
        pipe: where the named pipe is in the container.
        source: where it is on the node: a path, or a name in the task's directory.
        mark: what shows in the mountinfo of all its processes, if these may outlive the program.
        terminal: it has a terminal, and begins when the pipe is read: crun 1.21 takes what a program has written that
            ends before crun looks after its terminal for an error message of its own.

    """

    program: str
    pipe: str
    source: str
    mark: str = ""
    terminal: bool = False

    def mounts(self) -> tuple[dict[str, Any], ...]:
        """The mount that shows the pipe in the container."""
        options = ["bind", "rprivate", "rw", "nosuid", "nodev", "noexec"]
        return ({"destination": self.pipe, "type": "bind", "source": self.source, "options": options},)

    def hooks(self) -> Hooks:
        """The hooks of config.json."""
        if self.terminal:
            return {"poststart": [self._hook("watch", self.source)]}
        end = [self.mark] if self.mark else []
        return {"poststart": [self._hook("pass", self.source)], "poststop": [self._hook("finish", *end)]}

    def _hook(self, *words: str) -> dict[str, Any]:
        return {"path": "/bin/sh", "args": ["sh", self.program, *words]}


def merged(config: dict[str, Any], *ours: Hooks) -> Hooks:
    """The hooks of a node's config.json, with ours before the others, which expect a root file system."""
    found: Hooks = dict(config.get("hooks") or {})
    for hooks in reversed(ours):
        for name, entries in hooks.items():
            found[name] = [*entries, *(entry for entry in found.get(name) or () if entry not in entries)]
    return found
