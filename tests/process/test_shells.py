"""What a package adds for people: the manual page as troff, mandoc and man read it, and completion in each shell."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from distribution.__main__ import write
from tests.process.site import CHECKOUT, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

PATH = f"{CHECKOUT}/.venv/bin:/usr/bin:/bin"


def run(*argv: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    ensured = run(f"{CHECKOUT}/tests/cluster/apt-ensure", "zsh", "fish", "mandoc", "man-db", "groff-base")
    assert ensured.returncode == 0, ensured.stderr


@pytest.fixture(scope="module")
def share(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    prefix = tmp_path_factory.mktemp("prefix")
    write(str(prefix))
    return prefix / "share"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> Iterator[str]:
    """A state directory with a container."""
    site = Site(tmp_path)
    site.config()
    site.succeeds("create", "crate-1")
    yield str(site.root)
    site.succeeds("delete", "--force", "crate-1")


@pytest.mark.parametrize(
    "command",
    [
        ("mandoc", "-Tlint", "-Wstyle"),
        ("groff", "-man", "-Tutf8", "-ww", "-z"),
        ("man", "--warnings", "--local-file"),
    ],
    ids=lambda command: command[0],
)
def test_manual_page_is_without_fault(share: pathlib.Path, command: tuple[str, ...]) -> None:
    done = run(*command, str(share / "man/man1/scrun.1"), env={"PATH": PATH, "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, "")
    if command[0] == "man":
        assert "OCI runtime whose containers are Slurm jobs" in done.stdout
    else:
        assert not done.stdout


def fish(share: pathlib.Path, line: str) -> set[str]:
    """What it offers; fish 4 also says what has the word somewhere else than at its beginning."""
    script = f"source {share}/fish/vendor_completions.d/scrun.fish; complete -C '{line}'"
    done = run("fish", "--no-config", "-c", script, env={"PATH": PATH, "HOME": str(share)})
    assert (done.returncode, done.stderr) == (0, "")
    offered = {row.partition("\t")[0] for row in done.stdout.splitlines()}
    return {word for word in offered if word.startswith(line.rpartition(" ")[2])}


def test_fish(share: pathlib.Path, root: str) -> None:
    assert fish(share, "scrun st") == {"start", "state"}
    assert fish(share, f"scrun --root {root} st") == {"start", "state"}
    assert fish(share, "scrun list --format ") == {"table", "json"}
    assert fish(share, "scrun list --format=j") == {"--format=json"}
    assert fish(share, "scrun gc --dr") == {"--dry-run"}
    assert fish(share, "scrun list --dr") == set()
    assert fish(share, "scrun kill ID US") == {"USR1", "USR2"}
    assert fish(share, "scrun exec --us") == {"--user"}
    assert fish(share, "scrun exec ID --us") == set()
    assert fish(share, "scrun doctor --nodes --for") == {"--format"}
    assert fish(share, f"scrun --root {root} kill ") == {"crate-1"}
    assert fish(share, f"scrun --root={root} state c") == {"crate-1"}
    assert fish(share, f"scrun --root {root} create c") == set()


class Zsh:
    """An interactive zsh with nothing but the completion; what Tab makes of a line goes into a file."""

    def __init__(self, share: pathlib.Path, notes: pathlib.Path) -> None:
        self.notes = notes
        notes.touch()
        # Plain zsh keeps a line that is ambiguous as far as it is plain, and beeps.
        start = f"""
            PS1= PATH={PATH}
            fpath=({share}/zsh/site-functions $fpath)
            autoload -Uz compinit && compinit -u -D
            unsetopt auto_list auto_menu beep
            note() {{ print -r -- $BUFFER >>{notes}; BUFFER= }}
            zle -N note
            bindkey '^I' complete-word '^T' note
        """
        (notes.parent / ".zshrc").write_text(start)
        pid, self.terminal = pty.fork()
        if not pid:
            os.execvpe("zsh", ["zsh", "-i"], {"PATH": PATH, "ZDOTDIR": str(notes.parent), "TERM": "dumb"})
        self.pid = pid

    def complete(self, line: str) -> str:
        """What the line becomes."""
        before = self.notes.read_text()
        os.write(self.terminal, line.encode() + b"\t\x14")
        os.set_blocking(self.terminal, False)
        end = time.monotonic() + 20
        said = b""
        while (now := self.notes.read_text()) == before or not now.endswith("\n"):
            try:
                said += os.read(self.terminal, 4096)
            except BlockingIOError:
                time.sleep(0.01)
            assert time.monotonic() < end, said
        return now.removeprefix(before).rstrip("\n")

    def close(self) -> None:
        os.close(self.terminal)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@pytest.fixture
def zsh(share: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[Zsh]:
    shell = Zsh(share, tmp_path / "notes")
    yield shell
    shell.close()


def test_zsh(zsh: Zsh, root: str) -> None:
    assert zsh.complete("scrun feat") == "scrun features "
    assert zsh.complete("scrun st") == "scrun sta"
    assert zsh.complete(f"scrun --root {root} feat") == f"scrun --root {root} features "
    assert zsh.complete("scrun list --for") == "scrun list --format="
    assert zsh.complete("scrun list --format=j") == "scrun list --format=json "
    assert zsh.complete("scrun list -f j") == "scrun list -f json "
    assert zsh.complete("scrun gc --dr") == "scrun gc --dry-run "
    assert zsh.complete("scrun list --dr") == "scrun list --dr"
    assert zsh.complete("scrun kill ID US") == "scrun kill ID USR"
    assert zsh.complete("scrun exec --us") == "scrun exec --user="
    assert zsh.complete("scrun exec ID --us") == "scrun exec ID --us"
    assert zsh.complete("scrun doctor --nodes --for") == "scrun doctor --nodes --format="
    assert zsh.complete("scrun help feat") == "scrun help features "
    assert zsh.complete(f"scrun --root {root} kill ") == f"scrun --root {root} kill crate-1 "
    assert zsh.complete(f"scrun --root={root} state c") == f"scrun --root={root} state crate-1 "
    assert zsh.complete(f"scrun --root {root} create c") == f"scrun --root {root} create c"


def test_bash_offers_containers(share: pathlib.Path, root: str) -> None:
    script = f"""
        source {share}/bash-completion/completions/scrun
        COMP_WORDS=(scrun --root {root} "$1" c) COMP_CWORD=4
        _scrun scrun
        echo "${{COMPREPLY[*]}}"
    """
    for verb, offered in (("state", "crate-1\n"), ("create", "\n")):
        done = run("bash", "--norc", "-c", script, "bash", verb, env={"PATH": PATH})
        assert (done.returncode, done.stdout, done.stderr) == (0, offered, "")
