"""What an actor's threads are doing: written into the container's log on a signal, also by an actor that is stuck.

A stuck actor answers no message. The interpreter's fault handler does: it is C code that runs in the signal's handler,
whatever Python does or waits for. On the path of ``create``.
"""

import faulthandler
import signal

SIGNAL = signal.SIGUSR2


def offer(log: int) -> None:
    """Answer the signal from now on: the stacks of all threads go to this descriptor."""
    faulthandler.register(SIGNAL, log, all_threads=True)
