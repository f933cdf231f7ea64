"""Exit statuses of what did not end by itself, as engines and shells know them.

======================  ===  ========================================================================
``INTERNAL``             70  scrun itself failed (sysexits.h: EX_SOFTWARE)
``REFUSED``             125  the program never ran, and is not to blame: no job, no staging, no step
``NOT_FOUND``           127  a command of ours could not be started
``INTERRUPTED``         130  SIGINT, by which a caller cancels
``KILLED``              137  SIGKILL: killed, or lost in a way that nobody can tell from it
======================  ===  ========================================================================
"""

INTERNAL = 70
REFUSED = 125
NOT_FOUND = 127
SIGNALLED = 128
"""Plus the number of the signal."""
INTERRUPTED = SIGNALLED + 2
KILLED = SIGNALLED + 9
