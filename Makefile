# Everything a developer or CI does. All of it runs as root on a Debian machine without systemd;
# "make check" needs no root once .venv exists.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

python := .venv/bin/python3
folders := proto actors scrun
tools := distribution
# Debian's own Python: one below /root could not be run by the unprivileged user of the cluster.
base_python := /usr/bin/python3

# All that is a shell's: by its first line, or by its name.
shell_programs = find .ci $(folders) $(tools) tests examples -name __pycache__ -prune -o -type f -print | sort | \
    xargs awk 'FNR == 1 && (/^\#!.*sh$$/ || FILENAME ~ /[.](sh|bash)$$/) { print FILENAME } { nextfile }'

.PHONY: help demo test test-slice check chaos conformance bench compare cluster-up cluster-down site site-down site-test site-slice packages matrix lock clean bytecode

help: ## This list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1 \2/p' Makefile | while read -r name what; do printf '  make %-14s%s\n' "$$name" "$$what"; done

demo: cluster-up ## A fresh machine to the first "podman run" that is a Slurm job
	@tests/cluster/demo

ROUNDS ?= 1
ifdef RELEASE
# On the machine of another release of Debian: see tests/cluster/README.md.
test test-slice chaos: .venv
	@SEED=$(SEED) ROUNDS=$(ROUNDS) tests/releases/in $(RELEASE) make $@

cluster-up: .venv
	@tests/releases/up $(RELEASE)

cluster-down:
	@tests/releases/down $(RELEASE)

bench: cluster-up
	@tests/releases/in $(RELEASE) $(python) -m tests.bench --only peer $(BENCH) \
	    --commit "$$(git describe --always --dirty --exclude='*')"

compare: cluster-up
	@tests/releases/in $(RELEASE) $(python) -m tests.compare
else
# What is merged must not depend on chance: the slice of the chaos tests is the same one each time.
test: export SEED ?= 9
test: export ACCOUNTING ?= 1
test: check ## All checks and all tests; the cluster is taken down again if it was down (RELEASE=trixie: there)
	@tests/cluster/with-cluster $(python) -m pytest -q -m "not outage" tests/process tests/slurm tests/oci tests/conformance tests/chaos

test-slice: .venv bytecode ## Of the tests of processes, Slurm and engines what users do every day (RELEASE=trixie: there)
	@tests/cluster/with-cluster $(python) -m pytest -q -m slice tests/process tests/slurm tests/oci

chaos: cluster-up ## Kill, stop and lie to every process at every event; SEED=N repeats a run, ROUNDS=N does more
	SEED=$(SEED) ROUNDS=$(ROUNDS) $(python) -m pytest -q tests/chaos

cluster-up: .venv bytecode ## A real Slurm cluster with podman, on this machine (root); RELEASE=trixie beside it, ACCOUNTING=1 for sacct
	@tests/cluster/up

cluster-down: ## Stop that cluster; nothing of it keeps running
	@tests/cluster/down

bench: cluster-up ## Measure latency and throughput on the cluster; RELEASE=forky: beside Slurm's own scrun
	$(python) -m tests.bench $(BENCH)

compare: cluster-up ## Rows of docs/comparison.md with Slurm's scrun and with this one; rewrites it; RELEASE=forky
	$(python) -m tests.compare
endif

check: .venv bytecode ## Lint, types, layers and unit tests; under 45 s on two cores, no cluster
	@$(MAKE) -j3 --output-sync=target lint unit

.PHONY: lint unit unit-first unit-second
lint:
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	@$(shell_programs) | xargs -P 2 -n 8 .venv/bin/shellcheck
	.venv/bin/mypy

# Two whole runs side by side: the workers of pytest-xdist tell their parent of each of 5,000 tests three times,
# which made the whole eleven seconds longer.
unit_first := $(addprefix tests/unit/,docs oci proto slurm)
unit_second = $(filter-out $(unit_first) %/__pycache__,$(patsubst %/,%,$(wildcard tests/unit/*/ tests/unit/test_*.py)))

unit: unit-first unit-second
unit-first:
	$(python) -m pytest -q -p no:cacheprovider $(unit_first)
unit-second:
	$(python) -m pytest -q -p no:cacheprovider $(unit_second)

conformance: cluster-up ## runc's own tests, with runc and with scrun; rewrites docs/conformance.md
	$(python) -m tests.conformance

site: .venv ## A real site in three virtual machines (root; SCRUN_SITE=directory, RELEASE=forky)
	@tests/site/up

site-down: ## End these machines; the next "make site" takes a minute
	@tests/site/down

site-test: site ## Install by docs/install.md there, and try what users do and what breaks (an hour); SITE_KEEP=1
	nice $(python) -m pytest -q tests/site

site-slice: site ## A part of that: install by the book, doctor, run, exec, volumes, images
	nice $(python) -m pytest -q tests/site -m slice

packages: .venv ## A deb and an rpm in dist/, for this machine's architecture and its Python
	$(python) -m distribution.packages dist

RELEASES ?= bookworm trixie forky
matrix: .venv ## Unit tests and mypy with the Python of each of RELEASES of Debian (root); RELEASES="trixie" for one
	@tests/releases/matrix $(RELEASES)

lock: ## Pin the newest versions that pyproject.toml allows, with hashes
	@tests/cluster/apt-ensure python3-venv
	rm -rf build/lock
	$(base_python) -m venv build/lock
	build/lock/bin/python3 -m pip install -q uv
	build/lock/bin/uv pip compile pyproject.toml --group dev \
	    --universal --python-version 3.11 --upgrade --generate-hashes --quiet \
	    --no-emit-index-url --no-emit-find-links --no-annotate \
	    --custom-compile-command 'make lock' -o requirements.lock
	rm -rf build

clean: ## Remove what can be made again, .venv included (not the cluster)
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(folders) $(tools) tests -name __pycache__ -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------

.PHONY: .venv
.venv: .venv/complete

# Never an editable install: its import hook costs every start of the runtime 20 ms.
.venv/complete: requirements.lock scrun/launcher
	@tests/cluster/apt-ensure python3-venv
	$(base_python) -m venv $(if $(wildcard $@),,--clear) .venv
	$(python) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	install -m 755 scrun/launcher .venv/bin/scrun
	@touch $@

# The unprivileged user cannot write the bytecode that it runs; without it a call takes twice as long.
bytecode: .venv
	@$(python) -m compileall -q $(folders)
