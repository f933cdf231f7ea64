"""What scontrol, squeue and sstat tell of a step's nodes (texts of 24.11 and 22.05), and a process's connections."""

from __future__ import annotations

import os
import socket

import pytest

from actors.slurm import lost_nodes

STEP = "9.0 StartTime=2026-11-29T03:29:30\n"
OTHER = "9.1 StartTime=2026-11-29T02:00:00\n"


def node(name: str, boot: str) -> str:
    return (
        f"NodeName={name} Arch=x86_64 CoresPerSocket=1 CPUAlloc=1 NodeAddr={name} NodeHostName={name} Version=24.11.5 "
        f"OS=Linux 6.12.117 #1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-11-12)  RealMemory=1700 BootTime={boot} "
        "SlurmdStartTime=2026-11-29T03:33:52 LastBusyTime=2026-11-29T03:08:21 ResumeAfterTime=None\n"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (node("node1", "2026-11-29T03:31:46") + STEP, "node1"),
        (node("node1", "2026-11-28T03:31:46") + STEP, ""),
        (node("a", "2026-11-29T03:00:00") + node("b", "2026-11-29T03:40:00") + OTHER + STEP, "b"),
        (node("node1", "None") + STEP, ""),
        (node("node1", "2026-11-29T03:31:46"), ""),
        (node("node1", "2026-11-29T03:31:46") + OTHER, ""),
        (node("node1", "2026-11-29T03:31:46") + "9.0 StartTime=Unknown\n", ""),
        ("scontrol: error: slurm_load_nodes error: Unable to contact slurm controller (connect failure)\n", ""),
        ("", ""),
    ],
)
def test_nodes_that_were_booted_while_the_step_ran(text: str, found: str) -> None:
    loss = lost_nodes.read(text, "9.0", "a,b")
    assert loss == (lost_nodes.Loss(f"node {found} was started anew while the container ran") if found else None)


SAME = node("node1", "2026-11-28T03:31:46") + STEP
AWAY = "sstat: error: slurm_job_step_stat: unknown return given from node1: 9001 rc = Communication connection failure"


@pytest.mark.parametrize(
    ("text", "nodes", "where"),
    [
        (SAME + "Processes=\n", "node1", "node1"),
        (SAME + "Processes=\n", "node1,node2", "one of node1,node2"),
        (SAME + "Processes=9.0|node1|24714\n9.0|node2|24716\n", "node1,node2", ""),
        (SAME + f"Processes={AWAY}\n", "node1", ""),
        (SAME, "node1", ""),
        ("Processes=\n", "node1", ""),
    ],
)
def test_a_daemon_that_is_gone(text: str, nodes: str, where: str) -> None:
    loss = lost_nodes.read(text, "9.0", nodes)
    assert (loss is not None and loss.orphaned and loss.sentence.endswith(f" on {where}")) is bool(where)


def test_connections_are_counted_and_nothing_else() -> None:
    before = lost_nodes.connections(os.getpid())
    assert before is not None
    one, other = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener, one, other:
        assert lost_nodes.connections(os.getpid()) == before
        with socket.create_connection(listener.getsockname()), listener.accept()[0]:
            assert lost_nodes.connections(os.getpid()) == before + 2


def test_a_process_that_is_not_there_has_no_number_of_connections() -> None:
    assert lost_nodes.connections(0) is None
