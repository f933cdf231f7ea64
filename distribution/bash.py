"""Completion for bash. It needs nothing of the package bash-completion, which only finds it by its name."""

from .vocabulary import Choice, arguments_of, global_options, has_rest, options_of, verbs

_SCRIPT = r"""# Completion of scrun for bash; made from scrun's grammar.

# The options of a verb, or of scrun itself.
_scrun_options() {
    case $1 in
@OPTIONS@    esac
}

# What the value of an option may be: "files", "directories", "any", "= WORDS" or, if it may be left out,
# "? WORDS"; nothing for a flag.
_scrun_value() {
    case "$1 $2" in
@VALUES@    esac
}

# What argument number $2 of a verb may be: "containers", "= WORDS" or nothing.
_scrun_argument() {
    case "$1 $2" in
@ARGUMENTS@    esac
}

# Verbs whose arguments after the first are somebody else's words.
_scrun_has_rest() {
    case $1 in
    @REST@) ;;
    *) return 1 ;;
    esac
}

_scrun_offer() { # KIND WORD
    case $1 in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$2") && compopt -o filenames 2>/dev/null ;;
    directories) mapfile -t COMPREPLY < <(compgen -d -- "$2") && compopt -o filenames 2>/dev/null ;;
    containers) mapfile -t COMPREPLY < <(compgen -W "$("$scrun" "${root[@]}" list --quiet 2>/dev/null)" -- "$2") ;;
    "= "* | "? "*) mapfile -t COMPREPLY < <(compgen -W "${1:2}" -- "$2") ;;
    esac
}

_scrun() {
    local IFS=$' \t\n'
    local scrun=$1 current=${COMP_WORDS[COMP_CWORD]} verb='' option='' value='' number=0 only='' word at
    local -a root=()
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $option ]]; then
            if [[ $word = = ]]; then
                # bash takes --option=value apart
                value=${value/#'? '/= }
                continue
            fi
            if [[ $value != '? '* ]]; then
                if [[ $option = --root ]]; then root=(--root "$word"); fi
                option=''
                continue
            fi
            option=''
        fi
        if [[ $only || $word != -?* ]]; then
            if [[ $verb ]]; then number=$((number + 1)); else verb=$word; fi
            if [[ $number = 1 ]] && _scrun_has_rest "$verb"; then only=yes; fi
        elif [[ $word = -- ]]; then
            only=yes
        elif [[ $word = --*=* ]]; then
            if [[ $word = --root=* ]]; then root=(--root "${word#*=}"); fi
        else
            value=$(_scrun_value "$verb" "$word")
            if [[ $value ]]; then option=$word; fi
        fi
    done

    if [[ $option && $value != '? '* ]]; then
        [[ $current != = ]] || current=
        _scrun_offer "$value" "$current"
    elif [[ $option && $current = = ]]; then
        _scrun_offer "$value" ''
    elif [[ ! $only && $current = --*=* ]]; then
        # (only where COMP_WORDBREAKS has no =)
        _scrun_offer "$(_scrun_value "$verb" "${current%%=*}")" "${current#*=}"
        COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
    elif [[ ! $only && $current = -* ]]; then
        _scrun_offer "= $(_scrun_options "$verb")" "$current"
    elif [[ ! $verb ]]; then
        _scrun_offer '= @VERBS@' "$current"
    else
        _scrun_offer "$(_scrun_argument "$verb" "$number")" "$current"
    fi
}

complete -F _scrun scrun
"""


def completion() -> str:
    """The text of the script."""
    tables = {"": global_options()} | {verb: options_of(verb) for verb in verbs()}
    arguments = {
        f'"{verb} {number}"': kind if " " not in kind else f"= {kind}"
        for verb in verbs()
        for number, kind in enumerate(arguments_of(verb))
        if kind
    }
    options = {
        f"'{verb}'": " ".join(word for one in choices for word in one.spellings) for verb, choices in tables.items()
    }
    values = {
        f'"{verb} {word}"': _value(one)
        for verb, choices in tables.items()
        for one in choices
        if one.value
        for word in one.spellings
    }
    return (
        _SCRIPT.replace("@OPTIONS@", _cases(options))
        .replace("@VALUES@", _cases(values))
        .replace("@ARGUMENTS@", _cases(arguments))
        .replace("@REST@", " | ".join(verb for verb in verbs() if has_rest(verb)))
        .replace("@VERBS@", " ".join(verbs()))
    )


def _value(one: Choice) -> str:
    if one.optional:
        return f"? {' '.join(one.words)}"
    return f"= {' '.join(one.words)}" if one.words else one.kind or "any"


def _cases(table: dict[str, str]) -> str:
    """One line for each answer."""
    patterns: dict[str, list[str]] = {}
    for pattern, answer in table.items():
        patterns.setdefault(answer, []).append(pattern)
    return "".join(f"    {' | '.join(some)}) echo '{answer}' ;;\n" for answer, some in patterns.items())
