# shellcheck shell=sh
# How fast the directory $1 is: small files as images have them, then a large one until it is on the disk. Says lines
# NAME=NANOSECONDS, of what could be written.
now() { date +%s%N; }
measure() {
    began=$(now)
    each=0
    while [ $each -lt 200 ]; do
        echo "$each" >"$1/$each"
        each=$((each + 1))
    done
    if [ -s "$1/199" ]; then echo "files=$(($(now) - began))"; fi
    began=$(now)
    if dd if=/dev/zero of="$1/large" bs=1048576 count=16 conv=fsync 2>/dev/null; then
        echo "bytes=$(($(now) - began))"
    fi
}
# Busybox knows no nanoseconds.
case $(now) in
    *[!0-9]*) ;;
    *) if mkdir "$1/speed" 2>/dev/null; then measure "$1/speed"; fi ;;
esac
rm -rf "$1/speed"
