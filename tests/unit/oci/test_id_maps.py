from hypothesis import given
from hypothesis import strategies as st

from actors.oci.id_maps import IdMap, IdRange, compose, is_identity, is_mapped, parse_id_map
from proto.value import replace

PODMAN = "         0       1001          1\n         1     100000      65536\n"


def lookup(id_map: IdMap, number: int) -> int | None:
    for entry in id_map:
        if entry.container <= number < entry.container + entry.size:
            return entry.host + number - entry.container
    return None


def test_the_kernels_text_is_read() -> None:
    assert parse_id_map(PODMAN) == (IdRange(0, 1001, 1), IdRange(1, 100000, 65536))
    assert is_identity(parse_id_map("         0          0 4294967295\n"))
    assert not is_identity(parse_id_map(PODMAN))


def test_keep_id_is_followed_through_both_namespaces() -> None:
    inner = (IdRange(0, 1, 1001), IdRange(1001, 0, 1), IdRange(1002, 1002, 64535))
    assert compose(inner, parse_id_map(PODMAN)) == (
        IdRange(0, 100000, 1001),
        IdRange(1001, 1001, 1),
        IdRange(1002, 101001, 64535),
    )


def disjoint(pairs: list[tuple[int, int]]) -> IdMap:
    """Ranges that overlap on neither side, from pairs of gap and size; the host side in reverse order."""
    found: list[IdRange] = []
    container, host = 0, 10_000
    for gap, size in pairs:
        container += gap
        host -= size + gap
        found.append(IdRange(container, host, size))
        container += size
    return tuple(found)


ranges = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20)), max_size=5).map(disjoint)


@given(ranges, ranges, st.integers(0, 200))
def test_composing_is_looking_up_twice(inner: IdMap, outer: IdMap, number: int) -> None:
    inner = tuple(replace(entry, host=entry.host - 9_900) for entry in inner if entry.host >= 9_900)
    between = lookup(inner, number)
    assert lookup(compose(inner, outer), number) == (None if between is None else lookup(outer, between))


def test_what_is_mapped() -> None:
    assert is_mapped(parse_id_map(PODMAN), 65536)
    assert not is_mapped(parse_id_map(PODMAN), 65537)
