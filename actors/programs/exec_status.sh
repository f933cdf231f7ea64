# shellcheck shell=sh
# Follows both: the failure of a program that is not there is told from its own exit status.
# shellcheck disable=SC2154 # of what precedes it
case $status:$log in
    0:*) ;;
    *"executable file"*"not found"* | *": stat "*"no such file"*) status=127 ;;
    *chdir*"o such file or directory"*) status=127 ;;
    *"open executable"* | *"exec: "*"permission denied"* | *"exec: "*": is a directory"*) status=126 ;;
    *"the path "*"is not "*"executable"* | *"the path "*"is not a regular file"*) status=126 ;;
esac
