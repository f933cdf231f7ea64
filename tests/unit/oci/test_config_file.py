"""JSON by the C halves of the package is JSON by the package."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.oci import config_file

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values, st.sampled_from(["", " ", "\n\t\r "]))
def test_what_is_written_is_read(value: object, blanks: str) -> None:
    assert config_file.parse((blanks + json.dumps(value) + blanks).encode()) == value
    try:
        written = config_file.encode(value)
    except UnicodeEncodeError:
        return  # a surrogate that stands for no byte: see config_form
    assert config_file.parse(written) == value
    assert b"\n" not in written


@pytest.mark.parametrize("text", ["", " ", "{", "{} {}", "[1,]", '"\n"', "nul", "\ufeff{}", '{"a" 1}', "\xa0{}"])
def test_what_is_wrong_is_said_as_the_package_says_it(text: str) -> None:
    with pytest.raises(ValueError) as expected:
        json.loads(text)
    with pytest.raises(ValueError) as found:
        config_file.parse(text.encode())
    assert str(found.value) == str(expected.value)


def test_an_end_without_a_beginning() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        config_file.parse(b"[" * 200_000)
    with pytest.raises(TypeError):
        config_file.encode({"a": {1, 2}})
