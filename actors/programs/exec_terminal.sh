# shellcheck shell=sh
# Follows find_runtime.sh: runs the program that %s describes, on a terminal of the runtime's making. No --log: with it crun 1.8.1
# now and then ends without the last of the program's output (12 of 799 under load). Without it, that comes from its standard
# error, with an end of line of its own, when it has given up our terminal: one exec in five under load. All else there is
# what it has to say itself, which begins with a date.
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
case ${log#"$red"} in
    "") ;;
    20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z:\ *)
        log=${log#*Z: }
        log=$(printf %s "${log%"${red%"[1;31m"}"*}")  # (without colours, and the ends of lines)
        echo "$log" >&2
        ;;
    *)
        stty -opost
        printf %s "${log%?}"
        log=
        ;;
esac
