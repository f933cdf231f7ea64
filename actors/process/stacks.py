"""What an actor's threads are doing: written into the container's log on a signal, also by an actor that is stuck.

A stuck actor answers no message. The interpreter's fault handler does: it is C code that runs in the signal's handler,
whatever Python does or waits for.
"""

import faulthandler
import re
import signal

SIGNAL = signal.SIGUSR2
_THREAD = re.compile(r"(?:Current thread|Thread) (0x[0-9a-f]+).*\(most recent call first\):")
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)')

Frame = tuple[str, str, int, str]
"""Thread, file, line, function."""


def offer(log: int) -> None:
    """Answer the signal from now on: the stacks of all threads go to this descriptor."""
    faulthandler.register(SIGNAL, log, all_threads=True)


def read(text: str) -> list[Frame]:
    """The frames in a piece of the log, thread by thread, the innermost first; other lines are passed over."""
    found = []
    thread = ""
    for line in text.splitlines():
        if match := _THREAD.match(line):
            thread = match[1]
        elif thread and (match := _FRAME.fullmatch(line)):
            found.append((thread, match[1], int(match[2]), match[3]))
    return found
