"""The anchor's talk: what goes over the socketpair that each actor shares with the anchor."""

from proto.value import Value
from proto.wire.registry import Message, message

from .creation import Creation
from .requests import Action


class Begin(Value):
    """What an actor is told at its birth; it is forked, so this needs no wire.

    Attributes:
        actor: its name.
        incarnation: 1 for the first.
        creation: what ``create`` found out.
        anchor: the anchor's pid.
        descriptors: names to numbers of the descriptors that it inherits.
        counts: what its predecessor has left to it (``Rest``).

    """

    actor: str
    incarnation: int
    creation: Creation
    anchor: int
    descriptors: dict[str, int]
    counts: dict[str, int] = {}


@message("ready")
class Ready(Message):
    """To the anchor: the actor listens."""


@message("lease")
class Lease(Message):
    """To the anchor: if nothing is heard for so many seconds, replace me.

    Attributes:
        task: what takes so long.
        mailbox: how many messages wait for the actor just now.

    """

    seconds: float
    task: str = ""
    mailbox: int = 0


@message("spawn")
class Spawn(Message):
    """To the anchor: start a command under a name; a name is started once in the life of the container.

    Attributes:
        name: by which the end is reported, and a repetition known.
        argv, env: as for execve; ``argv[0]`` is an absolute path.
        cwd: working directory, ``/`` if it cannot be entered.
        stdio: descriptor number in the command to the name of a descriptor of the anchor, or to the path of a
            file that is opened for appending (it begins with a slash). 0, 1 and 2 are /dev/null by default.
        terminal: whether the command uses the container's terminal. It then gets a session of its own, as others
            than the terminal's foreground group may read from it only outside of its session.

    """

    name: str
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    cwd: str
    stdio: dict[str, str]
    terminal: bool = False


@message("spawned")
class Spawned(Message):
    """From the anchor: the command runs, or ran; 0 if it could not be started."""

    name: str
    pid: int


@message("exited")
class Exited(Message):
    """From the anchor: the command's wait status; told again to whoever spawns the same name again."""

    name: str
    status: int


@message("signal-command")
class SignalCommand(Message):
    """To the anchor: send a signal to a command (and to its process group).

    Attributes:
        name: of the command, or of the first of its attempts: ``step`` means ``step-2``, too.

    """

    name: str
    signal: int


@message("follow-window")
class FollowWindow(Message):
    """To the anchor: tell the terminal's command of each new window size from now on, and of one it has missed."""


@message("close")
class Close(Message):
    """To the anchor: close these descriptors; they will be of no use to any incarnation."""

    names: tuple[str, ...]


@message("needed")
class Needed(Message):
    """To the anchor, from state: these actors have something to do. The others may go when they say so (``Rest``)."""

    actors: tuple[str, ...]


@message("rest")
class Rest(Message):
    """To the anchor, from an actor: I have nothing to do, and need not be there until one of these things happens.

    Whatever else happens, the end of a command that it has asked for for instance, brings it back, too.

    Attributes:
        heard: how many messages of the anchor's it has had: it knows nothing of a later one.
        descriptors: names of those of its descriptors that may become ready, and the events of poll(2) that count.
        launcher: pid of a command whose connections matter, or 0.
        connections: how many of them it has as long as all is well.
        counts: what its next incarnation shall know.

    """

    heard: int = 0
    descriptors: dict[str, int] = {}
    launcher: int = 0
    connections: int = 0
    counts: dict[str, int] = {}


@message("answer-create")
class AnswerCreate(Message):
    """To the anchor, from state: let ``create`` return; an empty code is success."""

    code: str
    sentence: str


@message("finish")
class Finish(Message):
    """To the anchor, from state: end everything and exit like the container.

    ``hand_over``: the guard shall go on cancelling the job.
    """

    exit_code: int
    hand_over: bool


@message("child")
class ChildChanged(Message):
    """From the anchor, to state: a process of ours changed. ``status``: running, dead, stopped, given-up."""

    actor: str
    pid: int
    incarnation: int
    restarts: int
    status: str
    reason: str = ""


@message("interrupted")
class Interrupted(Message):
    """From the anchor, to state: the anchor has got this signal, for the ``number``-th time.

    Told again to a new state actor, until ``Heeded``.

    Attributes:
        logout: whether systemd was ending all processes of the user just then, with the last session.

    """

    signal: int
    number: int = 1
    logout: bool = False


@message("heeded")
class Heeded(Message):
    """From state, to the anchor: the journal knows of that signal."""

    signal: int
    number: int


class Process(Value):
    """A process of the anchor's that lives, as only the anchor knows it.

    Attributes:
        name: ``guard``, of the actor, or of the command.
        lease: seconds after which an actor counts as stuck if nothing is heard of it; 0 for others.
        mailbox: messages that waited for an actor when it last renewed its lease.
        task: what an actor has said that takes so long; of a command, the actor that asked for it.
        frozen: whether somebody at the console has stopped it.

    """

    name: str
    pid: int
    incarnation: int = 1
    lease: float = 0.0
    mailbox: int = 0
    task: str = ""
    frozen: bool = False


@message("administer")
class Administer(Message):
    """From state, to the anchor: somebody at the console wants this of you."""

    action: Action
    actor: str = ""
    level: str = ""


@message("set-level")
class SetLevel(Message):
    """From the anchor: say this much in the container's own log from now on."""

    level: str


@message("list-processes")
class ListProcesses(Message):
    """From state, to the anchor: somebody looks; say whom you have."""


@message("processes")
class Processes(Message):
    """From the anchor, to state: the guard, the actors and the commands that live.

    ``held``: whether somebody at the console holds restarts.
    """

    rows: tuple[Process, ...]
    held: bool = False


@message("abandoned")
class Abandoned(Message):
    """From the anchor, to state: ``create`` died before it was answered."""


@message("deserted")
class Deserted(Message):
    """From the anchor, to state: the process that would have started the container, or waited for that, has ended."""


@message("stop")
class Stop(Message):
    """From the anchor: finish what you do, say your last words, and go."""
