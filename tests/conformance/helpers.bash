
# --- what follows is scrun's, appended to runc's helpers ---

# As runc's, but it waits until somebody listens: ours is Python, which starts more slowly than some runtimes call.
setup_recvtty() {
    mkdir "$ROOT/tty"
    export CONSOLE_SOCKET="$ROOT/tty/sock"
    # (3 is bats' own; whoever keeps it open keeps bats from ending)
    ("$RECVTTY" --pid-file "$ROOT/tty/pid" --mode null "$CONSOLE_SOCKET" 3>&- &) &
    until [ -S "$CONSOLE_SOCKET" ]; do sleep 0.01; done
}
