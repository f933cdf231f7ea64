"""Completion for fish, by one ``complete`` for each option."""

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

_SCRIPT = r"""# Completion of scrun for fish; made from scrun's grammar.

# The verb and its arguments so far, one on each line, without the options.
function __scrun_words
    set -l words (commandline -opc)
    set -e words[1]
    set -l verb ''
    set -l value ''
    set -l only ''
    for word in $words
        if test -n "$value"
            set value ''
        else if test -z "$only"; and string match -q -r -- '^-.' $word
            if test $word = --
                set only yes
            else if contains -- "$verb $word" @TAKES@
                set value yes
            end
        else
            if test -z "$verb"
                set verb $word
            end
            echo $word
        end
    end
end

# Whether that verb is there, with that many arguments (or any number).
function __scrun_at
    set -l words (__scrun_words)
    test (count $words) -gt 0; or return 1
    test $words[1] = $argv[1]; or return 1
    test (count $argv) -lt 2; or test (count $words) -eq (math $argv[2] + 1)
end

function __scrun_no_verb
    test (count (__scrun_words)) -eq 0
end

# As __scrun_at, but options end at the first argument.
function __scrun_before
    set -l words (__scrun_words)
    test (count $words) -eq 1; and test $words[1] = $argv[1]
end

function __scrun_containers
    set -l words (commandline -opc)
    set -l root
    for number in (seq (count $words))
        if string match -q -r -- '^--root=' $words[$number]
            set root $words[$number]
        else if test $words[$number] = --root; and test $number -lt (count $words)
            set root --root=$words[(math $number + 1)]
        end
    end
    command scrun $root list --quiet 2>/dev/null
end

complete -c scrun -f
"""


def completion() -> str:
    """The text of the script."""
    tables = {"": global_options()} | {verb: options_of(verb) for verb in verbs()}
    takes = [
        f'"{verb} {word}"'
        for verb, choices in tables.items()
        for one in choices
        if one.value and not one.optional
        for word in one.spellings
    ]
    lines = []
    for verb, choices in tables.items():
        when = _when(verb)
        lines += [_option(when, one) for one in choices]
    lines += [f"complete -c scrun -n __scrun_no_verb -a {verb} -d {_quoted(text)}" for verb, text in verbs().items()]
    for verb in verbs():
        for number, kind in enumerate(arguments_of(verb)):
            if kind:
                words = "(__scrun_containers)" if kind == CONTAINERS else kind
                lines.append(f"complete -c scrun -n '__scrun_at {verb} {number}' -a {_quoted(words)}")
    script = _SCRIPT.replace("@TAKES@", " ".join(takes))
    return script + "\n".join(lines) + "\n"


def _when(verb: str) -> str:
    if not verb:
        return "__scrun_no_verb"
    return f"'__scrun_before {verb}'" if has_rest(verb) else f"'__scrun_at {verb}'"


def _option(when: str, one: Choice) -> str:
    words = ["complete -c scrun -n", when, *(f"-l {name}" for name in one.names)]
    if one.letter:
        words.append(f"-s {one.letter}")
    if one.words:
        words += ["" if one.optional else "-x", "-a", _quoted(" ".join(one.words))]
    elif one.kind == FILES:
        words.append("-r -F")
    elif one.kind == DIRECTORIES:
        words += ["-x", "-a", "'(__fish_complete_directories)'"]
    elif one.value and not one.optional:
        words.append("-x")
    return " ".join(word for word in [*words, "-d", _quoted(one.text)] if word)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
