"""The hooks of config.json (config.md, POSIX-platform Hooks): which there are, and which of them run on this host.

Six kinds, in two worlds. createContainer and startContainer run in the container's namespaces, so they belong to the
runtime on the node and stay in the node's config.json. The other four run where the runtime runs, which is here, and
are run by ``scrun.hooks.moments``. Some of these want the container's namespaces all the same; for them there are rules
(``proto.life.settings.HOOK_RULES`` and the section ``[hooks]`` of scrun.toml).
"""

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from proto.errors import BundleError, UnsupportedError
from proto.value import Value

AT_CREATE = ("prestart", "createRuntime")
AT_START = "poststart"
AT_DELETE = "poststop"
HERE = (*AT_CREATE, AT_START, AT_DELETE)
ON_THE_NODE = ("createContainer", "startContainer")


class Hook(Value):
    """One entry of a list of hooks.

    Attributes:
        path: absolute.
        args: all arguments, ``argv[0]`` among them; empty for the path alone.
        env: the whole environment, ``K=V``; None for that of the runtime (runc and crun hand theirs on).
        timeout: seconds, or None.

    """

    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] | None = None
    timeout: int | None = None


Hooks = Mapping[str, tuple[Hook, ...]]


def read(hooks: Mapping[str, Any]) -> dict[str, tuple[Hook, ...]]:
    """Return those hooks of config.json, whose form is right, that run on this host.

    Raises:
        BundleError: with a sentence that names the property.

    """
    found = {}
    for kind in (*HERE, *ON_THE_NODE):
        hooks_of_kind = tuple(_hook(entry, f"hooks.{kind}") for entry in hooks.get(kind) or ())
        if hooks_of_kind and kind in HERE:
            found[kind] = hooks_of_kind
    return found


def node_environment(hooks: Mapping[str, Any]) -> bool:
    """Whether a hook that runs on the node has an environment, which is in the node's config.json then."""
    return any(entry.get("env") for kind in ON_THE_NODE for entry in hooks.get(kind) or ())


def _hook(entry: Mapping[str, Any], name: str) -> Hook:
    path = entry.get("path") or ""
    if not path.startswith("/"):
        raise BundleError(f"{name}.path of config.json must be an absolute path")
    env = entry.get("env")
    return Hook(path, tuple(entry.get("args") or ()), None if env is None else tuple(env), entry.get("timeout"))


def choose(hooks: Hooks, rules: Iterable[tuple[str, str]]) -> tuple[dict[str, tuple[Hook, ...]], list[str]]:
    """Return the hooks that shall run, and a sentence for each that shall not.

    Raises:
        UnsupportedError: a rule refuses one.

    """
    rules = tuple(rules)
    chosen: dict[str, tuple[Hook, ...]] = {}
    notes = []
    for kind in HERE:
        for hook in hooks.get(kind, ()):
            match rule_of(hook, rules):
                case "run":
                    chosen[kind] = (*chosen.get(kind, ()), hook)
                case "skip":
                    notes.append(f"the {kind} hook {shown(hook)} is not run: the container is on another machine")
                case _:
                    raise UnsupportedError(f"the {kind} hook {shown(hook)} is refused by a rule of scrun.toml")
    return chosen, notes


def rule_of(hook: Hook, rules: Iterable[tuple[str, str]]) -> str:
    """What to do with a hook: the first rule whose pattern fits it."""
    words = (hook.path, os.path.basename(hook.path), *hook.args)
    return next((rule for pattern, rule in rules if any(fnmatchcase(word, pattern) for word in words)), "run")


def shown(hook: Hook) -> str:
    """A hook in a sentence. dockerd's hook is itself under another name, so a bare word in ``argv[0]`` says more."""
    name = hook.args[0] if hook.args and "/" not in hook.args[0] else ""
    known = name in {"", os.path.basename(hook.path)}
    return hook.path if known else f"{hook.path} ({name})"
