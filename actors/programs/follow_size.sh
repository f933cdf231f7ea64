# shellcheck shell=sh
# Follows find_runtime.sh where there is a terminal. crun before 1.8.7 tells its terminal's new size to nobody. The
# program's own terminal is that of a grandchild of ours in the container. What is there for the size goes with the step.
resize() {
    size=$(stty size </dev/tty)
    for child in $(inside); do
        child=${child%/mountinfo}
        if [ "$(parent "$(parent "$child")")" = "/proc/$$" ]; then
            stty rows "${size% *}" columns "${size#* }" <>"$child/fd/0"
        fi
    done
} 2>/dev/null
(trap resize WINCH; while :; do sleep 3600 & wait; done) &
