"""Judges what Slurm's commands need to be believed: munge or sackd, whichever AuthType says, and TLS."""

import os

from actors.slurm.messages import clean
from scrun.host import Answer, Host

from .configuration import setting
from .finding import SHELL, Finding, fault, ok, warning

NO_TOKENS = "the nodes' slurmd, to which srun talks, takes none"


def credentials(host: Host) -> Finding:
    """Can credentials be made that Slurm accepts?"""
    finding = _made(host)
    if finding.level == "fault" and host.environ.get("SLURM_JWT"):
        return finding._replace(sentence=f"{finding.sentence}; a token (SLURM_JWT) cannot take its place: {NO_TOKENS}")
    return finding


def _made(host: Host) -> Finding:
    kind = setting(host, "AuthType").lower()
    if kind == "auth/slurm":
        return sack(host)
    if kind not in {"", "auth/munge"}:
        return ok(f"not looked at: AuthType is {kind}")
    made = host.run("munge", "-n")
    if made.status == 127 and not kind and not host.conf:
        return warning("AuthType is not known, for want of slurm.conf, and the command munge is not installed")
    return judge_munge(made, host.run("unmunge", text=made.text) if made.status == 0 else made)


def judge_munge(made: Answer, read: Answer) -> Finding:
    """Judge munge(1), and unmunge(1) of what it has made."""
    if made.status == 127:
        return fault("the command munge is not installed", SHELL, "apt install munge  # or: dnf install munge")
    if made.status:
        said = f" ({clean(made.text.strip())})" if made.text.strip() else ""
        return fault(f"no credential can be made: munged does not answer{said}", SHELL, "systemctl start munge")
    if read.status or "(0)" not in read.text.partition("\n")[0]:
        return fault("a credential is made, but not accepted: look at munged's log and at the clock")
    return ok("credentials are made and accepted")


# --- auth/slurm -----------------------------------------------------------------------------------------------------


def sack(host: Host) -> Finding:
    """Judge the socket of sackd(8), or of the daemon that has it here, and the key itself."""
    beside = os.path.dirname(host.conf)
    named = [host.environ.get(name, "") for name in ("SLURM_SACK_KEY", "SLURM_SACK_JWKS")]
    keys = [*named, *(f"{beside}/{name}" for name in ("slurm.key", "slurm.jwks") if beside)]
    key = next((path for path in keys if path and host.readable(path)), "")
    places = sockets(setting(host, "ClusterName"), host.environ.get("SLURM_SACK_SOCKET", ""))
    there = next((path for path in places if host.exists(path)), "")
    return judge_sack(places, there, key, listens=bool(there) and host.listens(there))


def sockets(cluster: str, named: str) -> list[str]:
    """Where Slurm's commands look for the socket, in their order."""
    if named:
        return [named]
    own = [f"/run/slurm-{cluster}/sack.socket"] if cluster else []
    return [*own, *(f"/run/{daemon}/sack.socket" for daemon in ("slurm", "slurmctld", "slurmdbd"))]


def judge_sack(places: list[str], there: str, key: str, *, listens: bool) -> Finding:
    """Judge who makes credentials.

    Args:
        places: where a socket may be.
        there: the one that is there, or empty.
        key: the key's path, if the user may read it.
        listens: whether somebody answers at the socket.

    """
    if listens:
        return ok(f"AuthType is auth/slurm, and {there} answers")
    if key:
        return ok(f"AuthType is auth/slurm, and {key} can be read")
    if there:
        return fault(f"AuthType is auth/slurm, and nobody listens at {there}", SHELL, "systemctl restart sackd")
    return fault(
        f"AuthType is auth/slurm, and there is no socket at {' or '.join(places)}: sackd does not run here", SHELL,
        "apt install sackd  # or: dnf install slurm-sackd", "systemctl enable --now sackd",
    )  # fmt: skip


# --- TLS ------------------------------------------------------------------------------------------------------------


def tls(host: Host) -> Finding:
    """Can salloc and srun make the certificates that TLS wants?"""
    parameters = dict(each.partition("=")[::2] for each in setting(host, "TLSParameters").split(","))
    authority = parameters.get("ca_cert_file", "")
    return judge_tls(
        setting(host, "TLSType").lower(),
        setting(host, "CertgenParameters"),
        authority,
        openssl=host.find("openssl"),
        reads=not authority or host.readable(authority),
    )


def judge_tls(kind: str, scripts: str, authority: str, *, openssl: str, reads: bool) -> Finding:
    """Judge the plugin of ``TLSType`` (25.05 and later).

    Args:
        kind: the plugin.
        scripts: ``CertgenParameters``: the site's own programs that make certificates, or empty.
        authority: path of the certificate that all others come from, where the configuration names one.
        openssl: path of that command, or empty; salloc and srun make their certificates with it.
        reads: whether the user may read ``authority``.

    """
    if kind in {"", "tls/none"}:
        return ok("not in use")
    if not reads:
        return fault(f"TLSType is {kind}, and {authority} cannot be read", SHELL, f"chmod a+r {authority}")
    if scripts:
        return ok(f"TLSType is {kind}; the site's own scripts make certificates")
    if not openssl:
        return fault(
            f"TLSType is {kind}, and salloc and srun make certificates with openssl, which is not installed",
            SHELL, "apt install openssl  # or: dnf install openssl",
        )  # fmt: skip
    return ok(f"TLSType is {kind}, and {openssl} makes certificates")
