"""Completion for zsh, by its own ``_arguments``."""

from .vocabulary import (
    CONTAINERS,
    DIRECTORIES,
    FILES,
    Choice,
    arguments_of,
    global_options,
    has_rest,
    options_of,
    verbs,
)

_SCRIPT = r"""#compdef scrun
# Completion of scrun for zsh; made from scrun's grammar.

_scrun_containers() {
    local -a found
    local root=${(Q)scrun_root}
    found=(${(f)"$(_call_program containers scrun ${root:+--root=${(q)root}} list --quiet 2>/dev/null)"})
    compadd -a found
}

_scrun() {
    local curcontext=$curcontext state line ret=1 scrun_root=
    local -A opt_args
    local -a verbs=(
@VERBS@    )

    _arguments -C -s -A '-*' \
@GLOBAL@        '1:verb:->verb' \
        '*::argument:->rest' && ret=0
    scrun_root=${opt_args[--root]:-}

    case $state in
    verb) _describe -t verbs verb verbs && ret=0 ;;
    rest)
        case $line[1] in
@CASES@        esac
        ;;
    esac
    return ret
}

_scrun "$@"
"""

_ACTIONS = {FILES: "_files", DIRECTORIES: "_files -/", CONTAINERS: "_scrun_containers"}


def completion() -> str:
    """The text of the script."""
    return (
        _SCRIPT.replace(
            "@VERBS@", "".join(f"        {_quoted(f'{v}:{_plain(text)}')}\n" for v, text in verbs().items())
        )
        .replace("@GLOBAL@", "".join(f"        {spec} \\\n" for one in global_options() for spec in _specs(one)))
        .replace("@CASES@", "".join(map(_case, verbs())))
    )


def _case(verb: str) -> str:
    specs = [spec for one in options_of(verb) for spec in _specs(one)]
    for number, kind in enumerate(arguments_of(verb), 1):
        action = _ACTIONS.get(kind) or (f"({kind})" if kind else "")
        rest = has_rest(verb) and number > 1
        specs.append(_quoted(f"{'*' if rest else number}:argument:{action}"))
    # -A: no options after the first argument, where the rest is somebody else's.
    stop = " -A '-*'" if has_rest(verb) else ""
    lines = " \\\n".join(f"                {spec}" for spec in specs)
    return f"        {verb})\n            _arguments -s{stop} \\\n{lines} && ret=0\n            ;;\n"


def _specs(one: Choice) -> list[str]:
    """The option's words for ``_arguments``, one for each spelling."""
    action = f"({' '.join(one.words)})" if one.words else _ACTIONS.get(one.kind, "")
    found = []
    for spelling in one.spellings:
        separator = "" if not one.value else "-" if one.optional else "=" if spelling[:2] == "--" else "+"
        if one.optional and spelling[:2] == "--":
            separator = "=-"
        value = f"{':' if one.optional else ''}:{_plain(one.value.partition('|')[0])}:{action}" if one.value else ""
        found.append(_quoted(f"*{spelling}{separator}[{_plain(one.text)}]{value}"))
    return found


def _plain(text: str) -> str:
    """Without what ``_arguments`` takes for its own."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
