"""``run -t``: the program has a terminal, of the user's size, and it follows the user's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.oci.node import Node
    from tests.oci.screen import Screen

# docker 20 tells the first size after "start" has returned.
AWAIT_SIZE = 'until [ "$(stty size 2>/dev/null)" = "{}" ]; do sleep 0.05; done'


def run(screen: Screen, *words: str) -> str:
    name = screen.engine.name()
    screen.run("run", "--name", name, *screen.engine.options, *words)
    return name


def type_until(screen: Screen, keys: str, answer: str) -> None:
    """Type, again and again, until there is an answer.

    docker's client makes its terminal raw after it has begun to show output, and what was typed before is flushed.
    """

    def answered() -> bool:
        if answer in screen.read():
            return True
        screen.type(keys)
        return False

    screen.wait_until(answered, 30, interval=1.0, what=f"{answer!r} in {screen.text[-300:]!r}")


def resize_until(screen: Screen, rows: int, columns: int) -> None:
    """Resize until the program says so: docker's client begins to listen a moment after it has told the first size."""

    def answered() -> bool:
        screen.resize(rows, columns - 1)
        screen.resize(rows, columns)
        return f"{rows} {columns}" in screen.read()

    screen.wait_until(answered, 30, interval=0.3, what=f"the new size in {screen.text[-300:]!r}")


@pytest.mark.slice
def test_terminal_size_and_exit_code(screen: Screen) -> None:
    script = f"test -t 0 && test -t 1 && test -t 2 && echo all three; {AWAIT_SIZE.format('31 97')}; stty size; exit 5"
    run(screen, "--rm", "-it", "busybox", "sh", "-c", script)
    screen.expect("all three\r\n")
    screen.expect("31 97\r\n")
    assert screen.exit_code() == 5


def test_a_terminal_without_input(screen: Screen) -> None:
    run(screen, "--rm", "-t", "busybox", "sh", "-c", f"{AWAIT_SIZE.format('31 97')}; echo done")
    assert screen.exit_code() == 0
    assert "done" in screen.text


@pytest.mark.slice
def test_point_21_the_size_follows_the_window(screen: Screen) -> None:
    script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
    name = run(screen, "-it", "busybox", "sh", "-c", script)
    screen.expect("ready")
    resize_until(screen, 44, 155)
    resize_until(screen, 20, 60)
    screen.engine.ok("kill", name)
    assert screen.exit_code() == 137


def test_a_window_resized_while_srun_waits_for_the_node(screen: Screen, node: Node) -> None:
    # A SIGWINCH at that time makes srun deaf to all that follow.
    script = f'{AWAIT_SIZE.format("44 155")}; trap "stty size" WINCH; echo first; while :; do sleep 0.1; done'
    engine = screen.engine
    place = ("-e", f"SCRUN_NODELIST={node.name}")
    engine.ok("run", "--rm", *place, "busybox", "true")  # what the node can is known now, and not asked for
    name = engine.create("-it", *place, "busybox", "sh", "-c", script)
    log = engine.state_root / engine.id(name) / "step.log"
    node.fall_silent()
    screen.run("start", "--attach", "--interactive", name)
    screen.wait_until(lambda: log.exists() and "launching StepId" in log.read_text(), 20, what="srun at work")
    screen.resize(44, 155)
    node.answer()
    screen.expect("first")
    resize_until(screen, 20, 60)
    engine.ok("kill", name)
    assert screen.exit_code() == 137


@pytest.mark.slice
def test_keys_are_echoed_and_control_c_interrupts(screen: Screen) -> None:
    script = 'trap "echo int; exit 8" INT; echo ready; read x; echo "got $x"; while :; do sleep 0.1; done'
    run(screen, "--rm", "-it", "busybox", "sh", "-c", script)
    screen.expect("ready")
    type_until(screen, "hello\r", "hello\r\ngot hello")
    type_until(screen, "\x03", "int")
    assert screen.exit_code() == 8


def test_control_d_ends_the_input(screen: Screen) -> None:
    run(screen, "--rm", "-it", "busybox", "sh", "-c", "echo ready; cat; exit 3")
    screen.expect("ready")
    type_until(screen, "line\r", "line\r\nline\r\n")
    screen.type("\x04")
    assert screen.exit_code() == 3


def test_much_output_through_a_terminal(screen: Screen) -> None:
    run(screen, "--rm", "-t", "busybox", "seq", "20000")
    assert screen.exit_code() == 0
    # (docker's client does not make a terminal raw that it reads no input from)
    assert screen.text.split() == [str(number) for number in range(1, 20001)]


def test_a_detached_terminal_and_attach(screen: Screen) -> None:
    name = screen.engine.detached("-it", "busybox", "sh", "-c", 'read x; echo "<$x>"; exit 2')
    screen.run("attach", name)
    screen.type("word\r")
    screen.expect("<word>")
    screen.exit_code()
    assert screen.engine.ok("wait", name) == "2"
