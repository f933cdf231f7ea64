"""docs/install.md, carried out to the letter on the site."""

from __future__ import annotations

import subprocess

from tests.site import book, machines

CHECKOUT = machines.HERE.parents[1]

# Where the shell blocks of each section run, and as whom.
PLACES = {1: (("login",), "root"), 2: (("node1", "node2", "login"), "root"), 5: (("login",), "alice")}


def install() -> dict[int, list[machines.Done]]:
    """Carry out all sections, and say what came of each; a failure does not keep the next from being tried."""
    send_checkout()
    sections = book.read(book.INSTALL.read_text())
    outcomes: dict[int, list[machines.Done]] = {}
    for number, section in sorted(sections.items()):
        places, user = PLACES.get(number, (("login",), "root"))
        outcomes[number] = [write(section)] if section.texts("toml") else []
        for block in section.texts("sh"):
            outcomes[number] += [shell(machine, user, block) for machine in places]
        if number == 2:
            # The prose says so: "Then restart slurmd".
            outcomes[2] += [machines.run(node, "root", "systemctl restart slurmd") for node in machines.NODES]
    return outcomes


def send_checkout() -> None:
    """What git knows or would take, as a clone would bring it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
    )
    packed = subprocess.run(
        ["tar", "--null", "--files-from=-", "--ignore-failed-read", "-cf", "-"],
        cwd=CHECKOUT,
        input=listed.stdout,
        stdout=subprocess.PIPE,
        check=True,
    )
    subprocess.run(
        [str(machines.HERE / "in"), "login", "root", "rm -rf scrun; mkdir scrun; tar -C scrun --no-same-owner -xf -"],
        input=packed.stdout,
        check=True,
        timeout=machines.COMMAND,
    )


def shell(machine: str, user: str, block: str) -> machines.Done:
    """A block as one pastes it; the first command that fails ends one of root's, a check may go on."""
    # From a file: podman would read what follows from standard input.
    machines.must(machine, user, "cat >/tmp/block.$USER", input=block)
    flags = "-e" if user == "root" else ""
    script = f"[ ! -d scrun ] || cd scrun; bash {flags} /tmp/block.$USER </dev/null"
    return machines.run(machine, user, script, timeout=machines.BLOCK)


def write(section: book.Section) -> machines.Done:
    """The file that the section shows."""
    file = section.file
    return machines.run("login", "root", f"mkdir -p $(dirname {file}) && cat >{file}", input=section.texts("toml")[0])
