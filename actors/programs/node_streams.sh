#!/bin/sh
# A container's standard output on its node, and the size of its terminal. The runtime runs it as a hook, outside of the container, as the
# user: "pass" or "watch" when the program starts (poststart), "finish" after its end (poststop).
#
# slurmstepd gives the runtime a terminal of its own as standard output, for through a pipe it would pass on whole lines only. So the
# program writes into a named pipe, $2, which a name in the container leads to, and cat(1) carries on from there. A program on a terminal
# only waits for somebody who reads it.
export LC_ALL=C
# The container's state: one line of runc's or crun 1.21's, several of crun 1.28's, the last one without an end.
state=
if [ "$1" != follow ]; then
    while read -r line || [ "$line" ]; do state=$state$line; done
fi

# Until the last writer has gone. The pipe is open for both until the entry file has opened it and has written one byte, unless its
# process, $2, ends before. What Slurm signals to all processes of a step is not for us; and if cat is killed, the pipe still
# has a reader, and another one goes on.
pass() {
    trap '' HUP INT QUIT USR1 USR2 PIPE ALRM TERM WINCH
    # shellcheck disable=SC2094 # it is a pipe
    exec 4<>"$1" 3<"$1"
    # The container has it by a mount, and slurmd removes a task's directory if nothing is left in it, also when we are killed.
    case $1 in */*) ;; *) rm -f -- "$1" ;; esac
    until timeout -s KILL 1 dd bs=1 count=1 <&3 >/dev/null 4>&-; do [ -e "/proc/$2" ] || exit; done
    exec 4>&-
    while cat <&3; [ $? -gt 128 ]; do :; done
    rm -f -- "$note"
}

# $1: if processes may outlive the program, what their mountinfo has. slurmstepd would kill them in an instant; they write until then.
finish() {
    if [ "$1" ]; then
        # shellcheck disable=SC2013 # each line is a word
        for each in $(grep -lsF "$1 " /proc/[0-9]*/mountinfo); do
            each=${each#/proc/}
            kill -KILL "${each%%/*}"
        done
    fi
    # runc does not wait for what its hooks have left, nor reap it; crun does.
    while read -r pid <"$note" && read -r _ _ is _ <"/proc/$pid/stat" && [ "$is" != Z ]; do sleep 0.02; done
}

# The terminal that the runtime has made gets the size of slurmstepd's; it is that of the container's first process, $1. What was told
# before the runtime listened is lost otherwise.
resize() {
    size=$(stty size </dev/tty)
    case $size in "0 0" | "") ;; *) stty rows "${size% *}" columns "${size#* }" <>"/proc/$1/fd/0" ;; esac
}

# crun before 1.8.7 tells its terminal's new size to nobody. It waits for us as well, so the end of the program must be seen at once.
follow() {
    trap 'resize "$1"' WINCH
    resize "$1"
    tail --pid="$1" -s 0.05 -f /dev/null &
    while kill -0 $!; do wait $!; done
}

# The program may begin when the runtime looks after the terminal, which it does by epoll(7): crun 1.21 takes what one has written that had
# ended by then for an error message of its own.
let_begin() {
    # shellcheck disable=SC2010 # these are numbers, and busybox's find knows no -lname
    until ls -l "/proc/$PPID/fd" | grep -q eventpoll; do
        [ -e "/proc/$PPID" ] || return
        sleep 0.005
    done
    # shellcheck disable=SC2016 # the inner shell expands it
    timeout -s KILL 10 sh -c ': <"$0"' "$1"
}

# What the state has under a name, in $value. The first of that name, for annotations come last and may be called anything.
look_up() {
    value=${state#*\""$1"\":}
    value=${value#"${value%%[! \"]*}"}
    value=${value%%[ \"/,\}]*}
}

look_up pid
process=$value
look_up id
note=${0%/*}/carrier.$value  # who carries on for this container: each task's has an id of its own

tells_sizes() {
    case $("/proc/$PPID/exe" --version) in
    "crun version 0."* | "crun version 1."[0-7] | "crun version 1."[0-7][!0-9]* | "crun version 1.8" | "crun version 1.8."[0-6]* | \
        "crun version 1.8"[!.0-9]*) return 1 ;;
    esac
}

case $1 in
pass)
    # runc reads a hook's output to its end, so nobody may keep it.
    exec >"/proc/$PPID/fd/1" 2>/dev/null </dev/null
    pass "$2" "$process" &
    echo $! >"$note"
    ;;
finish) finish "$2" >/dev/null 2>&1 ;;
watch)
    let_begin "$2" </dev/null >/dev/null 2>&1 &
    if tells_sizes; then
        # crun 1.21 takes a hook that fails for a failure of its own, and what the program has written for the reason.
        resize "$process" >/dev/null 2>&1
        exit 0
    fi
    # A hook of crun's has all signals blocked; env of GNU coreutils before 8.31 cannot help there.
    env --default-signal sh "$0" follow "$process" </dev/null >/dev/null 2>&1 &
    ;;
follow) follow "$2" ;;
esac
