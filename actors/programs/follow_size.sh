# shellcheck shell=sh
# Follows find_runtime.sh where there is a terminal. crun before 1.8.7 tells its terminal's new size to nobody. The
# program's own terminal is that of a child of the runtime, which is a grandchild of ours. What is there for the size goes with the step.
# shellcheck disable=SC2154 # parent and found are of what precedes it
resize() {
    size=$(stty size </dev/tty)
    inside
    for child in $found; do
        parent "$child"
        parent "/proc/$parent"
        parent "/proc/$parent"
        if [ "$parent" = "$$" ]; then
            stty rows "${size% *}" columns "${size#* }" <>"$child/fd/0" && return
        fi
    done
    return 1
} 2>/dev/null
# A size may be told while the runtime, which has read the one before, has not started the program yet.
resized() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if resize; then break; fi
        sleep 0.1
    done
}
(trap resized WINCH; while :; do sleep 3600 & wait; done) &
