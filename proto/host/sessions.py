"""Whether systemd is ending all processes of a user: the last session has ended, and the user does not linger.

``/run/systemd/users/UID`` is logind's own record, readable for all; sd_login(3) reads it, too. Where there is no
systemd there is no such file.
"""

USERS = "/run/systemd/users"


def are_over(uid: int) -> bool:
    """Whether the user's last session has ended and what is left of the user's processes is being ended."""
    try:
        with open(f"{USERS}/{uid}", encoding="utf-8", errors="replace") as file:
            return any(line.strip() == "STATE=closing" for line in file)
    except OSError:
        return False
