"""Reads ``scrun.toml``: the site's beside slurm.conf (or in /etc/scrun), then the user's own on top of it.

::

    [scrun]                  # scheduler, create_wait, start_wait, start_limit, kill_wait, slurm_conf, lua, …
    scheduler = "slurm"

    [staging]                # mode, directory, changes, root_squash, time_limit, sync_back, images, cache_size, …
    mode = "copy"

    [staging.binds]          # path prefix = keep, copy, discard or drop
    "/etc/hosts" = "drop"

    [hooks]                  # pattern of a hook = run, skip or refuse
    "*/lxcfs-hook" = "skip"

    [job]                    # defaults of job options
    partition = "debug"

    [forced]                 # values of job options that nobody can change
    account = "guests"

    [limits]                 # the most that one may be, or a list of all that it may be
    time = "1-0"

    [limits.debug]           # the same for jobs of a partition
    time = 30
"""

import os
from typing import Any, get_args

from proto.errors import SettingsError
from proto.life.creation import Caller
from proto.life.settings import BindRule, HookRule, Scrun, Settings, Staging
from proto.value import replace

from . import job_settings

SITE = "/etc/scrun/scrun.toml"
SLURM_CONFS = ("/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf", "/run/slurm/conf/slurm.conf")
SECTIONS = {"scrun": Scrun, "staging": Staging}
"""Those whose keys are ours. Others have patterns and job options for keys."""
OPEN = ("hooks", "job", "forced", "limits")


def read(slurm_conf: str, who: Caller, scheduler: str = "") -> Settings:
    """The settings in force.

    Args:
        slurm_conf: slurm.conf as known so far, or empty; the site's file is beside it.
        who: the user whose settings they are.
        scheduler: ``SCRUN_SCHEDULER``, which overrides the files.

    Raises:
        SettingsError: a file cannot be read, or something in it is wrong.

    """
    settings = Settings()
    beside = f"{os.path.dirname(slurm_conf)}/scrun.toml" if slurm_conf else ""
    site = beside if beside and os.path.exists(beside) else SITE
    for path in (site, f"{who.home}/.config/scrun/scrun.toml"):
        table = _load(path)
        settings = merge(settings, table, path)
        for key in ("directory", "changes"):
            if key in table.get("staging", ()):
                there = place(getattr(settings.staging, key), who, f"{path}: staging.{key}")
                settings = replace(settings, staging=replace(settings.staging, **{key: there}))
    if scheduler:
        settings = merge(settings, {"scrun": {"scheduler": scheduler}}, "SCRUN_SCHEDULER")
    return settings


def place(text: str, who: Caller, file: str) -> str:
    """A directory of this user: one line of a site's file has to do for all of them.

    Args:
        text: a path with oci.conf's patterns (``%u`` the user's name, ``%U`` the uid, ``%%`` a percent sign), or one
            that begins with ``~/``, the user's home; may be empty.
        who: the user.
        file: that says so, and the key.

    Raises:
        SettingsError: a pattern that does not exist, or a path that is not absolute.

    """
    values = {"u": who.user, "U": str(who.uid)}
    whole = []
    for part in text.split("%%"):
        before, *patterns = part.split("%")
        for pattern in patterns:
            if pattern[:1] not in values:
                raise SettingsError(f"{file} may have %u, %U and %% in it, not %{pattern[:1]}")
            before += values[pattern[0]] + pattern[1:]
        whole.append(before)
    path = "%".join(whole)
    if path.startswith("~/"):
        path = who.home + path[1:]
    if path and not path.startswith("/"):
        raise SettingsError(f"{file} must begin with / or ~/, not be {path}")
    return os.path.normpath(path) if path else ""


def _load(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            import tomllib  # 6 ms, for those who have such a file

            return tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except PermissionError:
        raise SettingsError(f"{path} cannot be read: it belongs to somebody else") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def merge(settings: Settings, table: dict[str, Any], path: str) -> Settings:
    """Put what a file says on top of ``settings``.

    Raises:
        SettingsError: an unknown section or key, or a wrong value.

    """
    changes: dict[str, Any] = {}
    for section, values in table.items():
        if section == "job" and isinstance(values, dict):
            changes["job"] = job_settings.defaults(settings.job, values, path)
        elif section in {"forced", "limits"} and isinstance(values, dict):
            changes[section] = (*getattr(settings, section), *job_settings.rules(values, path, section))
        elif section == "hooks" and isinstance(values, dict):
            changes["hooks"] = (*_rules(values, get_args(HookRule), f"{path}: hooks"), *settings.hooks)
        elif section not in SECTIONS or not isinstance(values, dict):
            raise SettingsError(f"{path}: there is no section [{section}]{_nearest(section, [*SECTIONS, *OPEN])}")
        else:
            kinds = SECTIONS[section].__annotations__
            for key in values:
                if key not in kinds:
                    raise SettingsError(f"{path}: there is no {key} in [{section}]{_nearest(key, kinds)}")
            found = {key: _value(value, kinds[key], f"{path}: {section}.{key}") for key, value in values.items()}
            changes[section] = replace(getattr(settings, section), **found)
    return replace(settings, **changes)


def _value(value: Any, kind: Any, name: str) -> Any:
    """A value in the form that the field's annotation asks for."""
    if words := tuple(word for word in get_args(kind) if isinstance(word, str)):
        return _check_word(value, words, name)
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            raise SettingsError(f"{name} must be a number of seconds, 0 or more")
        return float(value)
    if kind is int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 40:
            raise SettingsError(f"{name} must be a whole number, 0 or more")
        return value
    if kind == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) and each.startswith("/") for each in value):
            raise SettingsError(f"{name} must be a list of paths that begin with /")
        return tuple(map(os.path.normpath, value))
    if kind in {bool, str}:
        if not isinstance(value, kind):
            raise SettingsError(f"{name} must be {'true or false' if kind is bool else 'a text'}")
        return value
    if not isinstance(value, dict):
        raise SettingsError(f"{name} must be a table of path prefixes")
    return _rules(value, get_args(BindRule), name)


def _rules(table: dict[str, Any], words: tuple[str, ...], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((pattern, _check_word(rule, words, f"{name}.{pattern}")) for pattern, rule in table.items())


def _check_word(value: Any, words: tuple[str, ...], name: str) -> str:
    if not isinstance(value, str) or value not in words:
        raise SettingsError(f"{name} must be one of {', '.join(words)}, not {value!r}")
    return value


def _nearest(word: str, valid: Any) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(valid), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(valid)}"


def slurm_conf_of(given: str, environ: dict[str, str]) -> str:
    """slurm.conf by option, environment or the usual places; empty if there is none in the usual places.

    Raises:
        SettingsError: the one that was named cannot be used.

    """
    for path, by in ((given, "option -f"), (environ.get("SLURM_CONF", ""), "variable SLURM_CONF")):
        if path:
            return check_slurm_conf(path, by)
    return next((path for path in SLURM_CONFS if os.path.isfile(path)), "")


def check_slurm_conf(path: str, by: str) -> str:
    """The absolute path of a slurm.conf that an option, a variable or a setting names.

    Raises:
        SettingsError: it is not there.

    """
    if not os.path.isfile(path):
        # Not the system's words: podman takes those for a program that is missing in the image.
        raise SettingsError(f"slurm.conf is not at {path}, where the {by} says it is")
    return os.path.abspath(path)


def find_lua(settings: Settings, slurm_conf: str) -> str:
    """scrun.lua to run, or empty for the built-in stager.

    Raises:
        SettingsError: the one that the settings name is not there.

    """
    if settings.scrun.lua == "none":
        return ""
    if settings.scrun.lua:
        if not os.path.isfile(settings.scrun.lua):
            raise SettingsError(f"the script {settings.scrun.lua} that scrun.toml names is not there")
        return os.path.abspath(settings.scrun.lua)
    beside = f"{os.path.dirname(slurm_conf)}/scrun.lua" if slurm_conf else ""
    return beside if beside and os.path.isfile(beside) else ""
