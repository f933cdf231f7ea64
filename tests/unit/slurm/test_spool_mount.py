import pytest

from actors.slurm.oci_conf import OciConf, parse
from actors.slurm.spool_mount import SpoolMount, spool_mount
from actors.staging import slurmd_mount

CONF = "SlurmdSpoolDir=/var/lib/slurm/%n # each node's\nSlurmUser=slurm\n"


@pytest.mark.parametrize(
    ("oci_conf", "slurm_conf", "version", "nodes", "mount"),
    [
        ("", CONF, (22, 5), "n1", SpoolMount("/var/run/slurm")),
        ("", CONF, (24, 11), "n1", SpoolMount("/var/run/slurm")),
        ("", CONF, (0, 0), "n1", SpoolMount("/var/run/slurm")),
        ('MountSpoolDir="/slurm"', CONF, (24, 11), "n1", SpoolMount("/slurm")),
        ('MountSpoolDir="/slurm"', CONF, (26, 5), "n1", SpoolMount("/slurm")),
        ("", CONF, (25, 5), "n1", SpoolMount("/var/lib/slurm/n1", around=True)),
        ("", "", (26, 5), "n1", SpoolMount("/var/spool/slurmd", around=True)),
        ("", "", (26, 5), "n[1-2]", SpoolMount("/var/spool/slurmd", around=True)),
        ("", 'slurmdspooldir="/spool/%h/"', (26, 5), "n1", SpoolMount("/spool/n1", around=True)),
        ("", CONF, (26, 5), "n[1-2]", SpoolMount("", around=True)),
        ("", CONF, (26, 5), "", SpoolMount("", around=True)),
        ("ContainerPath=/local/%n", CONF, (26, 5), "n1", SpoolMount("/local/n1", around=True)),
        ("ContainerPath=/local/%u/%j", CONF, (26, 5), "n1", SpoolMount("", around=True)),
    ],
)
def test_where_it_is(oci_conf: str, slurm_conf: str, version: tuple[int, int], nodes: str, mount: SpoolMount) -> None:
    assert spool_mount(parse(oci_conf), slurm_conf, version, nodes) == mount


def test_room_is_made_where_no_mount_point_can_be_known() -> None:
    known = spool_mount(OciConf(), "", (24, 11), "n1")
    around = spool_mount(OciConf(), "", (26, 5), "n1")
    assert slurmd_mount.room(known, []) == []
    [room] = slurmd_mount.room(around, [{"destination": "/data"}])
    assert (room["destination"], room["type"]) == ("/var/spool/slurmd", "tmpfs")


@pytest.mark.parametrize("destination", ["/var/spool/slurmd", "/var/spool/slurmd/"])
def test_a_mount_that_the_user_has_there_stays(destination: str) -> None:
    around = spool_mount(OciConf(), "", (26, 5), "n1")
    assert slurmd_mount.room(around, [{"destination": destination}]) == []


def test_no_room_in_a_place_that_is_not_known() -> None:
    assert slurmd_mount.room(SpoolMount("", around=True), []) == []
