import pytest

from actors.oci.overlay import OPTIONS_LIMIT, Top, overlay_mounts

USR = Top("usr", ("/s/own/usr", "/s/cache/a/usr"))


def options(top: Top, place: str = "/tmp/x") -> list[str]:
    mounts = overlay_mounts([top], place, "/s/empty")
    assert mounts is not None
    return [word for word in mounts[0]["options"] if word != "userxattr"]


def test_a_writable_one_has_its_changes_on_the_node() -> None:
    assert overlay_mounts([USR], "/tmp/x", "/s/empty") == [
        {
            "destination": "/usr",
            "type": "overlay",
            "source": "overlay",
            "options": [
                "userxattr", "lowerdir=/s/own/usr:/s/cache/a/usr", "upperdir=/tmp/x/u/usr", "workdir=/tmp/x/w/usr",
            ],
        }
    ]  # fmt: skip


def test_a_read_only_one_has_two_lower_directories_at_least() -> None:
    assert options(USR, "") == ["lowerdir=/s/own/usr:/s/cache/a/usr", "ro"]
    assert options(Top("etc", ("/t/etc",)), "") == ["lowerdir=/t/etc:/s/empty", "ro"]


@pytest.mark.parametrize("mark", [":", ",", "\\", '"'])
@pytest.mark.parametrize("where", ["name", "lower", "place"])
def test_what_would_part_the_options_is_not_written_down(mark: str, where: str) -> None:
    top = Top(f"a{mark}b" if where == "name" else "a", (f"/s/{mark if where == 'lower' else ''}",))
    assert overlay_mounts([top], f"/tmp/{mark if where == 'place' else ''}", "/s/empty") is None


def test_so_many_layers_that_a_page_does_not_hold_them() -> None:
    assert overlay_mounts([Top("usr", ("/s/t/usr",) * (OPTIONS_LIMIT // 8))], "/tmp/x", "/s/empty") is None
    assert overlay_mounts([Top("usr", ("/s/t/usr",) * 100)], "/tmp/x", "/s/empty")
