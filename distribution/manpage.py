"""The manual page scrun(1): verbs and options from the grammar, the words around them from here."""

import os
import textwrap
import time

from actors.slurm.option_table import TABLE
from proto import OCI_VERSION, __version__
from proto import exit_codes as codes
from scrun.cli.grammar import DEBUG_VARIABLES, EXIT_CODES, VERBS
from scrun.cli.help_text import USAGE
from scrun.create.settings import SITE

from .vocabulary import Choice, global_options, options_of, unsupported, verbs

_DESCRIPTION = f"""
scrun is an OCI runtime ({OCI_VERSION}) that podman, docker and buildah call in place of crun or runc. The container
runs as a Slurm job on a compute node. Output, input, signals and the exit status come back as if it ran here. When the
container is gone, so is its job.
%
Engines call create, start, state, kill and delete. The other verbs are for people.
%
What runc and crun take beyond the options below is accepted and has no effect. Options may be written
--option=VALUE or --option VALUE; a value in brackets may be left out, and needs the equals sign.
"""

_ENVIRONMENT = (
    (
        "XDG_RUNTIME_DIR",
        (
            "The state directory is $XDG_RUNTIME_DIR/scrun. Without it /run/scrun of root, /run/user/UID/scrun or"
            " /tmp/scrun-UID."
        ),
    ),
    ("SLURM_CONF", "slurm.conf to use; --slurm-conf goes before it."),
    ("SCRUN_SCHEDULER", "Who runs the container: slurm, pyslurm or local; goes before scrun.toml."),
    (
        ", ".join(DEBUG_VARIABLES),
        "How much is said everywhere, to standard error, to syslog, to the file of --log: a level's name or number.",
    ),
    ("SCRUN_OPTION", "A job option, see JOB OPTIONS."),
)

_FILES = (
    (f"scrun.toml beside slurm.conf, or {SITE}", "The site's settings."),
    ("~/.config/scrun/scrun.toml", "A user's settings, on top of the site's."),
    ("scrun.lua beside slurm.conf", "The site's own way to bring containers to the nodes."),
    ("oci.conf beside slurm.conf", "The nodes' OCI runtime; Slurm's, see oci.conf(5)."),
    ("ROOT/ID/", "A container's state, journal and logs; ROOT is the state directory."),
    ("~/.scrun", "What is staged for the nodes, unless scrun.toml names another directory."),
)

_STATUS = (
    ("0", "Success. run, and the engines for the program: its own exit status."),
    ("1", "The command failed, and says why in one sentence on standard error, or in the file of --log."),
    (str(codes.INTERNAL), "scrun itself failed."),
    (str(codes.REFUSED), "The program never ran, and is not to blame: no job, no staging, no step."),
    (str(codes.NOT_FOUND), "The program, or a command of Slurm's, is not there."),
    (f"{codes.SIGNALLED}+N", f"Signal N ended the program; {codes.KILLED} also if it was lost."),
    *((str(status), f"{verb} itself failed.") for verb, status in EXIT_CODES.items()),
)

_EXAMPLES = (
    ("A container as a job of two hours in the partition short:",
     "podman --runtime scrun run --annotation scrun.partition=short -e SCRUN_TIMELIMIT=120 busybox hostname"),
    ("What becomes of it, and why it waits or has ended:", "scrun list\nscrun state ID\nscrun console ID journal"),
    ("What is missing on this host, and on a node:", "scrun doctor\nscrun doctor --nodes=node7"),
    ("What killed processes have left:", "scrun gc --dry-run"),
)  # fmt: skip

_SEE_ALSO = "podman(1), docker(1), crun(8), runc(8), salloc(1), srun(1), slurm.conf(5), oci.conf(5)"


def page() -> str:
    """The page, for man(7)."""
    supported = verbs()
    date = time.strftime("%Y-%m-%d", time.gmtime(float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    return "".join((
        f'.TH SCRUN 1 {date} "scrun {__version__}" "User Commands"\n',
        ".nh\n.ad l\n",
        _section("name", "scrun \\- OCI runtime whose containers are Slurm jobs\n"),
        _section("synopsis", f".B scrun\n{_text(USAGE.removeprefix('scrun '))}"),
        _section("description", _paragraphs(_DESCRIPTION)),
        _section("verbs", "".join(map(_verb, supported))),
        _section("global options", "".join(map(_option, global_options()))),
        _section("job options", _job_options()),
        _section("environment", _list(_ENVIRONMENT)),
        _section("files", _list(_FILES)),
        _section("exit status", _list(_STATUS)),
        _section("examples", "".join(_example(*row) for row in _EXAMPLES)),
        _section("see also", _prose(_SEE_ALSO)),
    ))  # fmt: skip


def _section(name: str, body: str) -> str:
    return f".SH {_text(name.upper(), end='')}\n{body.removeprefix(_PARAGRAPH)}"


_PARAGRAPH = ".PP\n"


def _verb(verb: str) -> str:
    _, arguments, summary, _ = VERBS[verb]
    options = [option for option in options_of(verb) if option.names != ("help",)]
    usage = _text(f"{verb} {'[OPTIONS] ' if options else ''}{arguments}".strip(), end="")
    inner = f".RS\n{''.join(map(_option, options))}.RE\n" if options else ""
    return f".SS {usage}\n{_prose(f'{summary[0].upper()}{summary[1:]}.')}{inner}"


def _option(option: Choice) -> str:
    value = option.value
    if option.words:
        value = "WORD"
    words = [f"\\fB\\-{option.letter}\\fR"] if option.letter else []
    words += [f"\\fB{_escaped(f'--{name}')}\\fR" for name in option.names]
    if value:
        words[-1] += f"[=\\fI{_escaped(value)}\\fR]" if option.optional else f" \\fI{_escaped(value)}\\fR"
    first = option.text[0] if option.words else option.text[0].upper()
    text = f"{first}{option.text[1:]}."
    if not all(word in text for word in option.words):
        text += f" WORD is one of {', '.join(option.words)}."
    return f".TP\n{', '.join(words)}\n{_prose(text)}"


def _job_options() -> str:
    names = ", ".join(sorted(option.name for option in TABLE))
    return _paragraphs(f"""
Each long option of salloc(1) and srun(1) below may be an annotation of the container, scrun.NAME=VALUE, a variable of
the container or of the environment, SCRUN_NAME=VALUE, in capital letters and with underscores, or a default in the
section [job] of scrun.toml. The first that names it wins.
%
{names}.
%
Not supported, since the container is on another machine: {", ".join(unsupported())}.
""")


def _example(what: str, how: str) -> str:
    return f"{_PARAGRAPH}{_prose(what)}.PP\n.RS\n.EX\n{_text(how)}.EE\n.RE\n"


def _list(rows: tuple[tuple[str, str], ...]) -> str:
    return "".join(f".TP\n\\fB{_escaped(left)}\\fR\n{_prose(right)}" for left, right in rows)


def _paragraphs(text: str) -> str:
    """Paragraphs that are parted by a percent sign on a line of its own."""
    return "".join(f"{_PARAGRAPH}{_prose(part.strip())}" for part in text.split("\n%\n"))


def _prose(text: str) -> str:
    """Text in lines of a usual length."""
    return _text(textwrap.fill(text, 68, break_long_words=False, break_on_hyphens=False))


def _text(text: str, *, end: str = "\n") -> str:
    """Text, line by line; a point at the beginning of one would be a request."""
    return "\n".join(f"\\&{line}" if line[:1] == "." else line for line in _escaped(text).split("\n")) + end


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("~", "\\(ti").replace("'", "\\(aq")
