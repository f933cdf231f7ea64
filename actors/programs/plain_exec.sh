# shellcheck shell=sh
# The same without a shell that outlives it: signals are for the runtime, which passes them on.
# shellcheck disable=SC2154 # id is of what precedes it
exec "$@" exec --process /dev/fd/3 "$id" 3<<END
%s
END
