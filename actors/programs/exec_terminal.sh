# shellcheck shell=sh
# Follows find_runtime.sh: runs the program that %s describes, on a terminal of the runtime's making. Its own words are all that
# comes from its standard error. No --log: with it crun 1.8.1 now and then ends without the last of the program's output (12 of 799
# under load; without it, none of 1,366).
# shellcheck disable=SC2154,SC2034 # id is of what precedes it, status for what follows
exec 5>&1
log=$(exec "$@" exec --process /dev/fd/3 "$id" 2>&1 >&5 5>&- 3<<END
%s
END
)
status=$?
if [ "$log" ]; then
    log=${log#*Z: }  # crun's date, and colours
    escape=$(printf '\033')
    echo "${log%"$escape"*}" >&2
fi
