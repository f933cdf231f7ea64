# shellcheck shell=sh
# Follows find_runtime.sh: runs the program that %s describes, on a terminal of the runtime's making. No --log: with it crun 1.8.1
# now and then ends without the last of the program's output (12 of 799 under load). Without it, that comes from its standard
# error, with an end of line of its own, when it has given up our terminal: one exec in five under load. Its own words it says there,
# too: those of its child, which come through the terminal, begin with colour and date; in others there is no carriage
# return, and it fails with one of four statuses. runc's begin with the time.
# shellcheck disable=SC2154,SC2034 # id is of what precedes it, status for what follows
exec 5>&1
# (the dot keeps the ends of lines before it)
log=$(
    "$@" exec --process /dev/fd/3 "$id" 2>&1 >&5 5>&- 3<<END
%s
END
    printf .%d $?
)
status=${log##*.}
log=${log%.*}
red=$(printf '\033[1;31m')
cr=$(printf '\r')
own=
case $status:${log#"$red"} in
    *:20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z:\ *) log=${log#*Z: } own=yes ;;
    *:time=*) own=yes ;;
    *:*"$cr"*) ;;
    1:?* | 126:?* | 127:?* | 255:?*) own=yes ;;
esac
if [ "$own" ]; then
    log=$(printf %s "${log%"${red%"[1;31m"}"*}")  # (without colours, and the ends of lines)
    echo "$log" >&2
elif [ "$log" ]; then
    stty -opost 2>/dev/null
    printf %s "${log%?}"
    log=
fi
