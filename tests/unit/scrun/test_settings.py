"""scrun.toml, levels and what the caller's environment passes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from proto.errors import SettingsError, reason
from proto.host.log_record import LEVELS
from proto.host.paths import DEFAULT_PATH
from proto.life.settings import HOOK_RULES, JobRule, Scrun, Settings, Staging
from proto.value import replace
from scrun.cli.grammar import DEBUG_VARIABLES
from scrun.cli.parsing import Line
from scrun.create import caller, settings
from scrun.report import levels

if TYPE_CHECKING:
    import pathlib


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "home/.config/scrun").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    return tmp_path / "home"


def read(home: pathlib.Path, scheduler: str = "") -> Settings:
    who = replace(caller.find(), user="ann", uid=1234, home=str(home))
    return settings.read(str(home.parent / "etc/slurm.conf"), who, scheduler)


def test_site_then_user_then_environment(home: pathlib.Path) -> None:
    (home.parent / "etc/scrun.toml").write_text(
        '[scrun]\nscheduler = "slurm"\ncreate_wait = 5\n[staging]\nmode = "copy"\n'
        '[staging.binds]\n"/etc/hosts" = "drop"\n[job]\npartition = "a"\ntime = 10\n'
    )
    (home / ".config/scrun/scrun.toml").write_text(
        '[scrun]\nentry = false\n[hooks]\n"*/x" = "refuse"\n[job]\npartition = "b"\nexclusive = true\n'
    )
    found = read(home, "local")
    assert found == Settings(
        Scrun(scheduler="local", create_wait=5.0, entry=False),
        Staging(mode="copy", binds=(("/etc/hosts", "drop"),)),
        hooks=(("*/x", "refuse"), *HOOK_RULES),
        job={"partition": "b", "time": "10", "exclusive": "yes"},
    )


def test_a_default_of_the_user_s_displaces_what_it_excludes_and_its_other_names(home: pathlib.Path) -> None:
    (home.parent / "etc/scrun.toml").write_text('[job]\nmem = "1G"\ntime-limit = 10\n')
    (home / ".config/scrun/scrun.toml").write_text("[job]\nmem-per-cpu = 5\ntime = 20\n")
    assert read(home).job == {"mem-per-cpu": "5", "time": "20"}


def test_rules_of_a_user_s_come_after_the_site_s(home: pathlib.Path) -> None:
    site, mine = home.parent / "etc/scrun.toml", home / ".config/scrun/scrun.toml"
    site.write_text('[forced]\naccount = "a"\n[limits]\ntime = "1-0"\n[limits.gpu]\nqos = ["x", 7]\nhold = false\n')
    mine.write_text("[limits]\ntime = 5\n")
    found = read(home)
    assert found.forced == (JobRule("account", ("a",), file=str(site)),)
    assert found.limits == (
        JobRule("time", ("1-0",), file=str(site)),
        JobRule("qos", ("x", "7"), choice=True, partition="gpu", file=str(site)),
        JobRule("hold", ("false",), partition="gpu", file=str(site)),
        JobRule("time", ("5",), file=str(mine)),
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/scratch", "/scratch"),
        ("/scratch/%u/", "/scratch/ann"),
        ("/%U/%u.%u%%u/x", "/1234/ann.ann%u/x"),
        ("~/.cache/%U", "HOME/.cache/1234"),
    ],
)
def test_a_staging_directory_for_everybody(home: pathlib.Path, text: str, path: str) -> None:
    (home.parent / "etc/scrun.toml").write_text(f'[staging]\ndirectory = "{text}"\n')
    assert read(home).staging.directory == path.replace("HOME", str(home))


def test_every_field_is_a_section() -> None:
    assert {*settings.SECTIONS, *settings.OPEN} == set(Settings.__fields__)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[scrum]\n", "no section [scrum]; did you mean scrun?"),
        ("[scrun]\nshceduler = 1\n", "did you mean scheduler?"),
        ("[scrun]\nxyzzy = 1\n", "there are scheduler, "),
        ('[scrun]\nscheduler = "pbs"\n', "one of slurm, pyslurm"),
        ("[scrun]\ncreate_wait = -1\n", "number of seconds"),
        ("[scrun]\ncreate_wait = true\n", "number of seconds"),
        ("[scrun]\ncreate_wait = nan\n", "number of seconds"),
        ("[scrun]\nentry = 1\n", "true or false"),
        ("[staging]\nvolume_limit = 1.5\n", "a whole number, 0 or more"),
        ("[staging]\nvolume_limit = -1\n", "a whole number, 0 or more"),
        ("[staging]\nvolume_limit = true\n", "a whole number, 0 or more"),
        ("[scrun]\nlua = 1\n", "must be a text"),
        ('[staging.binds]\n"/x" = "move"\n', "keep, copy, discard, drop"),
        ('[hooks]\nx = "stop"\n', "run, skip, refuse"),
        ("[job]\npartition = []\n", "text or a number"),
        ("[job]\npartion = 1\n", "is not a job option; did you mean partition?"),
        ("[forced]\nqos = ['a', 'b']\n", "forced.qos must be a text or a number"),
        ("[limits]\nqos = []\n", "limits.qos must be a text or a number"),
        ("[limits.gpu.x]\nqos = 1\n", "limits.gpu.x must be a text or a number"),
        ("limits = 1\n", "no section [limits]"),
        ('[staging]\ndirectory = "/scratch/%x"\n', "not %x"),
        ('[staging]\ndirectory = "/scratch/%"\n', "not %"),
        ("[staging]\ncache_size = 1.5\n", "must be a whole number, 0 or more"),
        ("[staging]\ncache_age = -1\n", "must be a whole number, 0 or more"),
        ("[staging]\ncache_age = true\n", "must be a whole number, 0 or more"),
        ('[staging]\nimages = "/sw/images"\n', "must be a list of paths that begin with /"),
        ('[staging]\nimages = ["images"]\n', "must be a list of paths that begin with /"),
        ('[staging]\ndirectory = "scratch"\n', "must begin with / or ~/, not be scratch"),
        ('[staging]\ndirectory = "~ann/x"\n', "must begin with / or ~/"),
        ("scrun = 1\n", "no section [scrun]"),
        ("[scrun\n", "cannot be read"),
        ("\0", "cannot be read"),
    ],
)
def test_mistakes(home: pathlib.Path, text: str, sentence: str) -> None:
    path = home.parent / "etc/scrun.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read(home)
    assert sentence in caught.value.sentence
    assert str(path) in caught.value.sentence


def test_a_scheduler_that_does_not_exist(home: pathlib.Path) -> None:
    with pytest.raises(SettingsError, match="SCRUN_SCHEDULER"):
        read(home, "pbs")


def test_slurm_conf(tmp_path: pathlib.Path) -> None:
    conf = tmp_path / "slurm.conf"
    conf.touch()
    assert settings.slurm_conf_of(str(conf), {"SLURM_CONF": "/nowhere"}) == str(conf)
    assert settings.slurm_conf_of("", {"SLURM_CONF": str(conf)}) == str(conf)
    for given, environ in (("/nowhere", {}), ("", {"SLURM_CONF": "/nowhere"})):
        with pytest.raises(SettingsError) as caught:
            settings.slurm_conf_of(given, environ)
        # podman would take these words for a program that is missing in the image.
        assert "no such file" not in caught.value.sentence.lower()
        assert "not found" not in caught.value.sentence.lower()


def test_lua(tmp_path: pathlib.Path) -> None:
    conf = str(tmp_path / "slurm.conf")
    assert not settings.find_lua(Settings(), conf)
    (tmp_path / "scrun.lua").touch()
    assert settings.find_lua(Settings(), conf) == str(tmp_path / "scrun.lua")
    assert not settings.find_lua(Settings(Scrun(lua="none")), conf)
    with pytest.raises(SettingsError):
        settings.find_lua(Settings(Scrun(lua="/nowhere/scrun.lua")), conf)


def line_of(**options: list[str]) -> Line:
    line = Line()
    line.options.update({name.replace("_", "-"): values for name, values in options.items()})
    return line


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        # own, file, stderr, syslog; what the anchor writes to --log
        ({}, {}, "info error error quiet quiet"),
        ({}, {"SCRUN_DEBUG": ""}, "info error error quiet quiet"),
        ({"verbose": ["true"]}, {}, "verbose verbose verbose quiet verbose"),
        ({"verbose": ["true"] * 9}, {}, "debug5 debug5 debug5 quiet debug5"),
        ({"debug": ["true"]}, {}, "debug debug debug quiet debug"),
        ({"debug": ["true"], "log": ["F"]}, {}, "debug debug error quiet debug"),
        ({"log_level": ["error"]}, {"SCRUN_DEBUG": "debug"}, "error error error quiet error"),
        ({"log_level": ["warning"]}, {}, "info info info quiet info"),
        ({"log_level": ["quiet"]}, {}, "quiet error error quiet quiet"),
        ({}, {"SCRUN_DEBUG": "DEBUG2"}, "debug2 debug2 debug2 quiet debug2"),
        ({"log": ["F"]}, {"SCRUN_DEBUG": "6"}, "debug2 debug2 error quiet debug2"),
        ({}, {"SCRUN_FILE_DEBUG": "9"}, "info debug5 error quiet debug5"),
        ({}, {"SCRUN_FILE_DEBUG": "quiet"}, "info quiet error quiet quiet"),
        ({"log": ["F"]}, {"SCRUN_STDERR_DEBUG": "verbose"}, "info error verbose quiet quiet"),
        ({}, {"SCRUN_STDERR_DEBUG": "quiet"}, "info error quiet quiet quiet"),
        ({}, {"SCRUN_DEBUG": "quiet", "SCRUN_SYSLOG_DEBUG": "error"}, "quiet error error error quiet"),
        ({"debug": ["true"]}, {"SCRUN_SYSLOG_DEBUG": "info"}, "debug debug debug info debug"),
    ],
)
def test_levels(options: dict[str, list[str]], environ: dict[str, str], expected: str) -> None:
    line = line_of(**options)
    found = levels.levels(line, environ)
    anchor = levels.of_anchor(line, environ)
    numbers = (found.own, found.file, found.stderr, found.syslog)
    assert " ".join([*(LEVELS[number] for number in numbers), anchor[1]]) == expected
    assert (anchor[0], anchor[2]) == (expected.split(maxsplit=1)[0], expected.split()[3])


@pytest.mark.parametrize("word", ["loud", "10", "-1", "²"])
@pytest.mark.parametrize("variable", DEBUG_VARIABLES)
def test_no_levels(word: str, variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        levels.levels(Line(), {variable: word})


def test_the_environment_that_is_kept() -> None:
    who = caller.find()
    given = {
        b"PATH": b"/p", b"SECRET": b"s", b"SLURM_JWT": b"j", b"SLURM_CONF": b"/old", b"SLURM_TIME_FORMAT": b"x",
        b"KRB5CCNAME": b"\xff", b"LANG": b"de_DE",
    }  # fmt: skip
    kept = dict(word.split(b"=", 1) for word in caller.kept_environ(given, who, "/slurm.conf"))
    assert kept == {
        b"PATH": b"/p", b"SLURM_CONF": b"/slurm.conf",
        b"KRB5CCNAME": b"\xff", b"LC_ALL": b"C.UTF-8",
        b"HOME": os.fsencode(who.home), b"USER": os.fsencode(who.user), b"LOGNAME": os.fsencode(who.user),
    }  # fmt: skip
    assert b"PATH=" + DEFAULT_PATH.encode() in caller.kept_environ({}, who, "")


@pytest.mark.parametrize("number", [1, 2, 13, 17, 20, 21, 28, 30, 36, 40, 122, 5])
def test_reasons_are_not_taken_for_faults_of_the_program(number: int) -> None:
    text = reason(OSError(number, os.strerror(number))).lower()
    for words in ("permission denied", "operation not permitted", "no such file", "not found", "is a directory"):
        assert words not in text
