# shellcheck shell=sh
# Follows find_runtime.sh: the node's runtime gives the container's first process the signal that %s is the number of.
# shellcheck disable=SC2154 # id is of what precedes it
exec "$@" kill "$id" %s
