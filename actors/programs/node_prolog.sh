#!/bin/sh
# srun's --task-prolog for a container whose node has something to do before the runtime starts: as the user, in the directory of the
# task's own where slurmstepd has put the config.json that the runtime is about to read. Beside it:
#   lay          makes the directories of overlays          terminal     if the program wants one
#   tasks        if each task has a pipe of its own         task-prolog  a link to the user's own
here=${0%/*}
if [ -e "$here/lay" ]; then "$here/lay" || exit; fi
# slurmstepd before 23.11 writes "false" whatever srun's --pty says, and the program would be given its terminal, which is another
# session's. In a string these quotes would have backslashes. What is typed before the runtime has made slurmstepd's terminal
# raw would be echoed twice.
if [ -e "$here/terminal" ] && [ "$SLURM_PTY_PORT" ]; then
    sed 's/"terminal": *false/"terminal": true/' config.json >config.json.new && mv config.json.new config.json || exit
    (trap '' TTOU && stty raw -echo </dev/tty) 2>/dev/null  # as a process group in the background may
fi
if [ -e "$here/tasks" ]; then mkfifo -m 666 scrun-stdout || exit; fi
if [ -e "$here/task-prolog" ]; then exec "$here/task-prolog"; fi
