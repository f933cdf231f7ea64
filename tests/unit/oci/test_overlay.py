import pytest

from actors.oci.overlay import MARKED, OPTIONS_LIMIT, hooks, lower_option, overlay_mounts


def test_the_topmost_is_the_first() -> None:
    assert lower_option(("/s/own/0", "/s/cache/a b/tree")) == "/s/own/0:/s/cache/a b/tree"


@pytest.mark.parametrize("mark", sorted(MARKED))
def test_what_would_part_the_options_is_not_written_down(mark: str) -> None:
    assert lower_option(("/s/own", f"/s/a{mark}b")) is None


def test_so_many_layers_that_a_page_does_not_hold_them() -> None:
    assert lower_option(("/s/t",) * (OPTIONS_LIMIT // 5 + 1)) is None
    assert lower_option(("/s/t",) * (OPTIONS_LIMIT // 5 - 1)) is not None


def test_hooks_have_no_word_of_the_user_s() -> None:
    assert hooks("/b/node", enters=False) == {"poststop": [{"path": "/bin/sh", "args": ["sh", "/b/node/collect"]}]}
    assert hooks("/b/node", enters=True) == {
        "createContainer": [{"path": "/bin/sh", "args": ["sh", "/b/node/enter"]}],
        "poststop": [{"path": "/bin/sh", "args": ["sh", "/b/node/collect"]}],
    }


def test_what_need_not_be_on_a_disk_is_said_to_the_kernel() -> None:
    [mount] = overlay_mounts([("usr", ("/s/usr",))], "/tmp/x", volatile=True) or ()
    assert mount["options"][-1] == "volatile"


def test_each_top_directory_has_its_layers_and_a_place_for_changes() -> None:
    assert overlay_mounts([("usr", ("/s/own/usr", "/s/cache/a/usr"))], "/tmp/x") == (
        {
            "destination": "/usr",
            "type": "overlay",
            "source": "overlay",
            "options": [
                "userxattr", "lowerdir=/s/own/usr:/s/cache/a/usr", "upperdir=/tmp/x/u/usr", "workdir=/tmp/x/w/usr",
            ],
        },
    )  # fmt: skip


@pytest.mark.parametrize("mark", sorted(MARKED))
@pytest.mark.parametrize("where", ["name", "layer", "place"])
def test_a_top_directory_that_cannot_be_written_down(mark: str, where: str) -> None:
    name, layer, place = (f"a{mark}b" if each == where else "a" for each in ("name", "layer", "place"))
    assert overlay_mounts([("good", ("/s/good",)), (name, (f"/s/{layer}",))], f"/tmp/{place}") is None


def test_a_top_directory_with_too_many_layers() -> None:
    assert overlay_mounts([("usr", ("/s/t/usr",) * (OPTIONS_LIMIT // 8))], "/tmp/x") is None
    assert overlay_mounts([("usr", ("/s/t/usr",) * 100)], "/tmp/x")
