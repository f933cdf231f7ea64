# shellcheck shell=sh
# Follows find_runtime.sh: runs the program that %s describes, without a terminal. slurmstepd gives us a terminal of its own as standard
# output; a pipe leads there, and cat(1) carries on, as in node_streams.sh. The runtime tells a failure on standard error
# and in its log, which tells it apart from what the program says.
# shellcheck disable=SC2154,SC2034 # id and cookie are of what precedes it, log and status for what follows
pipe=${TMPDIR:-/tmp}/.scrun-exec-$cookie-$$
mkfifo -m 666 "$pipe" || exit 255
# shellcheck disable=SC2094 # it is a pipe
exec 5>&1 7<>"$pipe" 8<"$pipe" 9>"$pipe"
exec 7>&-
# (what need not be waited for is done beside the runtime)
{
    rm -f "$pipe"
    exec cat
} <&8 >&5 9>&- &
carrier=$!
log=$(exec "$@" --log=/dev/fd/4 exec --process /dev/fd/3 "$id" 4>&1 >&9 9>&- 8<&- 5>&- 3<<END
%s
END
)
status=$?
# What the program has left in the background may have the pipe: all is through when cat waits for more.
exec 8<&- 9>&-
pause=0.001
while read -r _ _ state _ <"/proc/$carrier/stat" && [ "$state" != Z ]; do
    read -r waits <"/proc/$carrier/wchan"  # (has no end of line)
    case $waits in *pipe_read*) break ;; esac
    sleep $pause
    case $pause in 0.001) pause=0.01 ;; *) pause=0.1 ;; esac  # soon, then seldom: who reads may take long
done 2>/dev/null
