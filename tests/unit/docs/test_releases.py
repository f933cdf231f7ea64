"""tests/cluster/README.md against tests/releases: no release's port is another one's, and the table has them."""

import pathlib
import re

TESTS = pathlib.Path(__file__).parents[2]
NUMBERS = {
    name: int(number)
    for name, number in re.findall(r"\[(\w+)\]=(\d+)", (TESTS / "releases/settings.sh").read_text().split("declare")[1])
}


def ports(offset: int) -> tuple[int, range]:
    return 26817 + offset, range(26918 + offset, 26922 + offset)


def test_the_table_has_the_ports_of_each_release() -> None:
    text = (TESTS / "cluster/README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` .* (\d+), (\d+) to (\d+) \|$", text, re.MULTILINE)
    assert len(rows) == 3
    for name, *written in rows:
        controller, nodes = ports(NUMBERS[name] * 10)
        assert [int(word) for word in written] == [controller, nodes[0], nodes[-1]]


def test_no_port_is_anothers() -> None:
    taken = [ports(0), *(ports(number * 10) for number in NUMBERS.values())]
    flat = [port for controller, nodes in taken for port in (controller, *nodes)]
    assert len(NUMBERS) > 3
    assert len(flat) == len(set(flat))
