"""The command ``scrun``: reads the command line, calls the verb, reports what went wrong.

Imports of its own would be on the path of every verb: each verb is a module that is imported when it is called.
"""

import os
import sys

from proto import __version__
from scrun.cli.grammar import VERBS
from scrun.cli.parsing import Line, parse
from scrun.report import diagnostics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main(words: list[str]) -> int:
    """Run one command; return its exit status."""
    line = Line()
    try:
        _open_standard_streams()
        return _run(parse(words, line))
    except KeyboardInterrupt:
        return 130
    except BaseException as error:  # the edge of the process
        return diagnostics.report(line, error)


def _open_standard_streams() -> None:
    """Put /dev/null where the caller has closed 0, 1 or 2: what is opened later must not be taken for one of them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # open() takes the lowest free number, which is this one: those below are open by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _run(line: Line) -> int:
    command = _command(line)
    diagnostics.check_log(line)
    diagnostics.say(line, "debug", f"scrun {__version__}: {line.verb} {' '.join(line.arguments[:1])}")
    status = command(line)
    diagnostics.say(line, "debug", f"{line.verb} ends with {status}")
    return status


def _command(line: Line) -> "Callable[[Line], int]":
    """The verb's function, or that of the global option which stands in for a verb."""
    if line.options.flag("version") or (not line.verb and line.options.count("verbose")):
        module = "version"
    elif not line.verb or line.options.flag("help") or line.options.flag("usage") or (line.own.flag("help")):
        module = "help"
    else:
        module = VERBS[line.verb][0]
    name = f"scrun.commands.{module}"
    __import__(name)
    run: Callable[[Line], int] = sys.modules[name].run
    return run
