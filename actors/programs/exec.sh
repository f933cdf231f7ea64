# shellcheck shell=sh
# Follows one of the two: runs the program that %s describes. The runtimes tell a failure on standard error and in their
# log. The log tells it apart from what the program says, and the failure of a program that is not there from its own
# exit status.
# shellcheck disable=SC2154 # id is of what precedes it
exec 5>&1
log=$(exec "$@" --log=/dev/fd/4 exec --process /dev/fd/3 "$id" 4>&1 >&5 5>&- 3<<END
%s
END
)
status=$?
case $status:$log in
    0:*) ;;
    *"executable file"*"not found"* | *": stat "*"no such file"*) status=127 ;;
    *"open executable"* | *"exec: "*"permission denied"*) status=126 ;;
esac
exit $status
