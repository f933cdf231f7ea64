# shellcheck shell=bash disable=SC2034,SC2154 # lib, log, checkout, and the functions that do the work, are the others'
# pyslurm.sh: with PYSLURM=1 the checkout's .venv gets a pyslurm that is built for the Slurm of this machine, once. Sourced by
# up and by tests/releases/build, never run.
#
# PyPI's newest is for Slurm 25.11 and refuses every other one. What it needs of 26.05 differs in few names, which a header
# of our own in the place of slurm_version.h puts right; none of its source is changed. 24.11 lacks too much of it.

pyslurm=25.11.2
pyslurm_builders=(setuptools wheel packaging Cython)
pyslurm_packages=()
[ "${PYSLURM:-}" != 1 ] || pyslurm_packages=(gcc libc6-dev python3-dev libslurm-dev)

wants_pyslurm() { [ ${#pyslurm_packages[@]} -gt 0 ]; }

install_pyslurm() {
    wants_pyslurm || return 0
    local slurm wheels
    slurm=$(dpkg-query -W -f '${Version}' libslurm-dev)
    case $slurm in
    25.11.* | 26.05.*) ;;
    *) die "pyslurm $pyslurm can be built for Slurm 25.11 and 26.05, and not for $slurm, which is here" ;;
    esac
    # It links a private library of Slurm's, so it fits that one release.
    wheels=$lib/pyslurm/$slurm
    compgen -G "$wheels/pyslurm-$pyslurm-*.whl" >/dev/null || build_pyslurm "$wheels"
    "$checkout/.venv/bin/python3" -m pip install -q --disable-pip-version-check --no-index --no-deps \
        "$wheels/pyslurm-$pyslurm"-*.whl
}

build_pyslurm() { # DIRECTORY
    local include=$1/include
    say "building pyslurm $pyslurm (once, some three minutes)"
    rm -rf "$1"
    mkdir -p "$include/slurm"
    ln -s /usr/include/slurm/* "$include/slurm"
    rm "$include/slurm/slurm_version.h"
    {
        sed 's/\(#define SLURM_VERSION_NUMBER\) .*/\1 0x190b02/' /usr/include/slurm/slurm_version.h
        echo '#define SLURM_BACKWARD_COMPAT 1 /* of slurm.h: jobs are told by their numbers */'
        echo '#define ESLURM_ERROR_ON_DESC_TO_RECORD_COPY 2007 /* gone */'
        echo '#define slurm_free_ctl_conf(x) ((void) 0) /* gone */'
    } >"$include/slurm/slurm_version.h"
    SLURM_INCLUDE_DIR=$include SLURM_LIB_DIR=$(dirname "$(dpkg -L libslurm-dev | grep '/libslurm[.]so$')") PYSLURM_BUILD_JOBS=$(nproc) \
        nice "$checkout/.venv/bin/python3" -m pip wheel -q --disable-pip-version-check --no-deps --no-binary pyslurm \
        --wheel-dir "$1" "pyslurm==$pyslurm" >>"$log/pyslurm.log" 2>&1 || die "pyslurm could not be built (see $log/pyslurm.log)"
}
