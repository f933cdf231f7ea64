"""What an engine calls a container and its image: from annotations and from the engines' own records."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci.bundle import Bundle, check
from scrun.create.engine_record import SIZE_LIMIT, TEXT_LIMIT, Called, called

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

ID = "3f2a" * 16
PODMANS = {
    "id": ID,
    "names": ["web"],
    "image": "4ef1",
    "layer": "2aba",
    "metadata": '{"image-name":"localhost/busybox:latest","image-id":"4ef1","name":"web","created-at":1796003482}',
    "created": "2026-11-30T01:51:22.399029793Z",
    "flags": {"MountLabel": "", "ProcessLabel": ""},
}
"""As podman 4.3 writes it."""
DOCKERS = {"ID": ID, "Name": "/web", "Image": "sha256:7b95", "Config": {"Hostname": "c0ffee", "Image": "busybox"}}
"""The part of docker 20's that is read."""


def bundle(path: pathlib.Path, annotations: dict[str, str] | None = None, hostname: str = "") -> Bundle:
    (path / "rootfs").mkdir(parents=True, exist_ok=True)
    mounts = [{"destination": "/etc/hostname", "type": "bind", "source": hostname}] if hostname else []
    config: dict[str, Any] = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {"args": ["true"], "cwd": "/"},
        "annotations": annotations or {},
        "mounts": mounts,
    }
    return check(str(path), b"", config)


@pytest.fixture
def podmans(tmp_path: pathlib.Path) -> pathlib.Path:
    """The directory of podman's containers."""
    path = tmp_path / "overlay-containers"
    path.mkdir()
    (path / "containers.json").write_text(json.dumps([PODMANS | {"id": "other", "names": ["other"]}, PODMANS]))
    return path


def of_podman(podmans: pathlib.Path, annotations: dict[str, str] | None = None) -> Called:
    return called(bundle(podmans / ID / "userdata", annotations), ID)


def test_podman_tells_both(podmans: pathlib.Path) -> None:
    assert of_podman(podmans) == Called("web", "localhost/busybox:latest")


def test_podmans_list_of_containers_that_do_not_last(podmans: pathlib.Path) -> None:
    (podmans / "containers.json").rename(podmans / "volatile-containers.json")
    assert of_podman(podmans) == Called("web", "localhost/busybox:latest")
    (podmans / "containers.json").write_text("[]")
    assert of_podman(podmans) == Called("web", "localhost/busybox:latest")


def test_a_bundle_elsewhere_is_none_of_podmans(podmans: pathlib.Path) -> None:
    assert called(bundle(podmans / "mine"), ID) == Called()
    assert called(bundle(podmans / "other/userdata"), ID) == Called()


def of_docker(tmp_path: pathlib.Path, directory: str = ID) -> Called:
    path = tmp_path / "containers" / directory
    path.mkdir(parents=True)
    (path / "config.v2.json").write_text(json.dumps(DOCKERS))
    return called(bundle(tmp_path / "moby", hostname=f"{path}/hostname"), ID)


def test_docker_tells_both(tmp_path: pathlib.Path) -> None:
    assert of_docker(tmp_path) == Called("web", "busybox")


def test_a_hostname_from_elsewhere_is_none_of_dockers(tmp_path: pathlib.Path) -> None:
    assert of_docker(tmp_path, "mine") == Called()


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        (
            {
                "io.kubernetes.cri.container-type": "container",
                "io.kubernetes.cri.container-name": "alloy",
                "io.kubernetes.cri.image-name": "grafana/alloy:latest",
            },
            Called("alloy", "grafana/alloy:latest"),
        ),
        (
            {
                "io.kubernetes.container.name": "coredns",
                "io.kubernetes.cri-o.ImageName": "k8s.gcr.io/coredns/coredns:v1.8.6",
            },
            Called("coredns", "k8s.gcr.io/coredns/coredns:v1.8.6"),
        ),
        ({"org.opencontainers.image.ref.name": "x:1"}, Called("", "x:1")),
        ({"org.opencontainers.image.stopSignal": "15"}, Called()),
    ],
)
def test_annotations_tell(tmp_path: pathlib.Path, annotations: dict[str, str], expected: Called) -> None:
    assert called(bundle(tmp_path, annotations), ID) == expected


def test_the_record_goes_before_an_image_that_anybody_may_have_noted(podmans: pathlib.Path) -> None:
    noted = {"org.opencontainers.image.ref.name": "x:1"}
    assert of_podman(podmans, noted) == Called("web", "localhost/busybox:latest")


def closed(path: pathlib.Path) -> None:
    path.unlink()


def link(path: pathlib.Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def fifo(path: pathlib.Path) -> None:
    path.unlink()
    os.mkfifo(path)


def directory(path: pathlib.Path) -> None:
    path.unlink()
    path.mkdir()


def huge(path: pathlib.Path) -> None:
    os.truncate(path, SIZE_LIMIT + 1)


@pytest.mark.parametrize("broken", [closed, link, fifo, directory, huge])
def test_what_cannot_be_read_costs_the_names_only(
    podmans: pathlib.Path, broken: Callable[[pathlib.Path], None]
) -> None:
    broken(podmans / "containers.json")
    assert of_podman(podmans) == Called()


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "{}", "[1]", "[null]", "[" * 100_000, '[{"id": 3}]', f'[{{"id": "{ID}"}}]',
        f'[{{"id": "{ID}", "names": [], "metadata": "{{}}"}}]', f'[{{"id": "{ID}", "names": ["x"], "metadata": "["}}]',
        f'[{{"id": "{ID}", "names": ["x"], "metadata": 5}}]', f'[{{"id": "{ID}", "names": ["x"], "metadata": "5"}}]',
    ],
)  # fmt: skip
def test_a_record_of_another_form_costs_the_names_only(podmans: pathlib.Path, text: str) -> None:
    (podmans / "containers.json").write_text(text)
    assert of_podman(podmans) == Called()


def test_a_name_has_an_end(podmans: pathlib.Path) -> None:
    (podmans / "containers.json").write_text(json.dumps([PODMANS | {"names": ["n" * 5000]}]))
    assert len(of_podman(podmans).name) == TEXT_LIMIT
