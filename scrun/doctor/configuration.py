"""What Slurm's configuration says: the controller's word, which is there without a slurm.conf, too, else the file's."""

from scrun.host import Host


def setting(host: Host, key: str) -> str:
    """A value of the cluster's configuration, empty if none is known."""
    shown = host.shown.answer
    return (value(shown.text, key) if shown.status == 0 else "") or value(host.read(host.conf) or "", key)


def value(text: str, key: str) -> str:
    """A value of slurm.conf, or of what ``scontrol show config`` prints; the last one counts."""
    found = ""
    for line in text.splitlines():
        name, _, after = line.partition("#")[0].partition("=")
        if name.strip().lower() == key.lower():
            found = after.strip().strip('"')
    return "" if found == "(null)" else found


def is_configless(host: Host) -> bool:
    """Whether Slurm's commands get their configuration from the controller, and do get it."""
    return not host.conf and host.shown.answer.status == 0
