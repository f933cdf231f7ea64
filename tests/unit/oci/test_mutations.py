"""A config.json with one thing wrong is refused in a sentence by ``create``, or it can be staged.

What passes ``create`` is handed to the staging code as it is there: nothing but a ``ScrunError`` may come of it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci import bundle, hook_config
from actors.oci.node_config import NodePlan, node_config
from actors.oci.program import find_program
from actors.slurm.job_environment import JobFacts
from actors.slurm.options import resolve
from actors.staging import container_ids
from actors.staging.bundle import read_config, write_config
from actors.staging.filesystem import device_paths
from actors.staging.lua.fitting import fit_entry
from actors.staging.sources import bind_facts, local_prefixes
from proto.errors import BundleError, ScrunError, StagingError
from proto.life.creation import Caller
from scrun.create.creating import ANNOTATIONS_OF_STAGING
from tests.unit.creations import creation

from .mutations import Place, mutated, places, sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from actors.oci.id_maps import IdMap

MAPS = container_ids.CallerMaps("0 1001 1\n1 100000 65536\n", "0 1001 1\n1 100000 65536\n")
CALLERS = itertools.cycle(
    [creation(settings__scrun__id_mapping=mapping, **who)
     for mapping in ("auto", "single")
     for who in ({}, {"caller": Caller(0, 0, "root", "root", "/root", namespaced=False)})]
)  # fmt: skip


def written(directory: Path, config: dict[str, Any]) -> None:
    # Without ensure_ascii a lone surrogate could not be written; as an escape anybody can write it.
    (directory / "config.json").write_text(json.dumps(config))


def create(directory: Path) -> None:
    """All that ``create`` makes of a config.json before there is anything."""
    found = bundle.load(str(directory))
    find_program(found.rootfs, found.args[0], os.fsencode(found.env_value("PATH")), found.cwd, found.binds)
    resolve(found.annotations, found.env, {}, found.resources, {}, ANNOTATIONS_OF_STAGING)
    hook_config.choose(found.hooks, ())


def stage(directory: Path, target: Path) -> None:
    """All that the built-in stager makes of it."""
    container = next(CALLERS)
    config = read_config(str(directory))
    uid_map, gid_map = container_ids.container_maps(container, config, MAPS, lambda: True)
    result = node_config(config, plan(config, target, uid_map, gid_map))
    write_config(str(target), result.config)
    # It can be read again, by anybody.
    assert isinstance(json.loads((target / "config.json").read_bytes().decode("utf-8", "surrogateescape")), dict)


def plan(config: dict[str, Any], target: Path, uid_map: IdMap, gid_map: IdMap) -> NodePlan:
    return NodePlan(
        content=str(target),
        uid_map=uid_map,
        gid_map=gid_map,
        entry="/dev/.scrun-c00kie",
        local_prefixes=local_prefixes(creation()),
        facts=bind_facts(config.get("mounts") or ()),
        device_paths=device_paths((config.get("linux") or {}).get("devices") or ()),
    )


@contextlib.contextmanager
def one_sentence(what: str) -> Iterator[None]:
    """Nothing is raised, or a sentence."""
    sentence = ""
    try:
        yield
    except ScrunError as error:
        sentence = error.sentence
    assert "\n" not in sentence, what
    assert len(sentence) < 6000, what


PLACES = list(places())


def test_the_samples_have_something_to_mutate() -> None:
    assert len(PLACES) > 100


@pytest.mark.parametrize(("name", "place"), PLACES, ids=lambda value: value if isinstance(value, str) else None)
def test_one_thing_wrong(name: str, place: Place, tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "target").mkdir()
    for what, config in mutated(sample(name, tmp_path / "rootfs"), place):
        written(tmp_path, config)
        with one_sentence(what):
            create(tmp_path)
            stage(tmp_path, tmp_path / "target")


def test_a_good_sample_is_taken_by_both(tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "target").mkdir()
    for name in {name for name, _ in PLACES}:
        written(tmp_path, sample(name, tmp_path / "rootfs"))
        create(tmp_path)
        stage(tmp_path, tmp_path / "target")


@pytest.mark.parametrize("place", [("mounts",), ("root",), ("mounts", 0), ("linux",), ("root", "path")])
def test_what_a_script_has_made_of_it(place: Place, tmp_path: Path) -> None:
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "home").mkdir()
    container = creation(bundle=str(tmp_path), rootfs=str(tmp_path / "rootfs"), caller__home=str(tmp_path / "home"))
    for _, config in mutated(sample("podman-rootless", tmp_path / "rootfs"), place):
        written(tmp_path, config)
        # (OSError: who calls it makes a sentence of that.)
        with contextlib.suppress(StagingError, OSError):
            fit_entry(container, str(tmp_path), str(tmp_path / "rootfs"), JobFacts(42))


def test_what_engines_may_write_twice_or_not_at_all(tmp_path: Path) -> None:
    """A property that is there twice counts as Go counts it; null is as good as nothing."""
    (tmp_path / "rootfs").mkdir()
    config = sample("podman-rootless", tmp_path / "rootfs")
    text = json.dumps(config | {"hostname": None, "linux": None})
    (tmp_path / "config.json").write_text(text[:-1] + ', "process": {"cwd": "/", "args": ["/bin/true"], "env": null}}')
    found = bundle.load(str(tmp_path))
    assert (found.args, found.env) == ((b"/bin/true",), ())
    assert "linux" not in read_config(str(tmp_path))


def test_depth(tmp_path: Path) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        for count in (100, 100_000):
            (tmp_path / "config.json").write_text('{"x":' + opening * count + "1" + closing * count + "}")
            with pytest.raises(BundleError, match="nested too deeply"):
                bundle.load(str(tmp_path))
            with pytest.raises(StagingError):
                read_config(str(tmp_path))
