import pytest

from actors.oci.overlay import MARKED, OPTIONS_LIMIT, hooks, lower_option


def test_the_topmost_is_the_first() -> None:
    assert lower_option(("/s/own/0", "/s/cache/a b/tree")) == "/s/own/0:/s/cache/a b/tree"


@pytest.mark.parametrize("mark", sorted(MARKED))
def test_what_would_part_the_options_is_not_written_down(mark: str) -> None:
    assert lower_option(("/s/own", f"/s/a{mark}b")) is None


def test_so_many_layers_that_a_page_does_not_hold_them() -> None:
    assert lower_option(("/s/t",) * (OPTIONS_LIMIT // 5 + 1)) is None
    assert lower_option(("/s/t",) * (OPTIONS_LIMIT // 5 - 1)) is not None


def test_hooks_have_no_word_of_the_user_s() -> None:
    assert hooks("/b/node") == {
        "createContainer": [{"path": "/bin/sh", "args": ["sh", "/b/node/enter"]}],
        "poststop": [{"path": "/bin/sh", "args": ["sh", "/b/node/collect"]}],
    }
