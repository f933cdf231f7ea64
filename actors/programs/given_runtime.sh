# shellcheck shell=sh
# On this machine, with a container's id as $1 and its runtime's words after it: the same as find_runtime.sh gives.
# shellcheck disable=SC2034 # for what follows it
id=$1
shift
