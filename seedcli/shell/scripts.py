"""The script for each shell that asks `seed completion words` at the TAB key, and what passes between the two.

The shell sends the line up to the cursor; it gets a word a line, quoted as it is to be typed, but for bash with a help
text after a tab.
"""

import re
import shlex
from collections.abc import Sequence

from seedcli.shell.values import Word

BASH = """\
_seed_complete() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <("$1" completion words bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _seed_complete seed
"""

ZSH = """\
#compdef seed
_seed() {
    local -a ends goes_on
    local word help
    while IFS=$'\\t' read -r word help; do
        if [[ $word == *[/:=] ]]; then goes_on+=("$word"); else ends+=("$word"); fi
    done < <(seed completion words zsh "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)
    (( $#goes_on )) && compadd -Q -S '' -- "${goes_on[@]}"
    (( $#ends )) && compadd -Q -- "${ends[@]}"
}
if [[ $funcstack[1] == _seed ]]; then _seed "$@"; else compdef _seed seed; fi
"""

FISH = """\
complete --command seed --no-files --keep-order \\
    --arguments '(seed completion words fish (commandline --current-process --cut-at-cursor | string collect))'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}

_SPECIAL = re.compile(r"([^\w@%+=:,./~-])", re.ASCII)


def split(line: str) -> tuple[list[str], str, str]:
    """A line up to the cursor: the words before the last, the last one, and the quote that it stands in, if any.

    The first word, the program's name, is left out.
    """
    for quote in ("", "'", '"'):
        try:
            # The letter stands at the cursor, so that the last word is there even if it is empty.
            *before, last = shlex.split(line + "x" + quote)
        except ValueError:
            continue
        return before[1:], last[:-1], quote
    return [], "", ""


def written(shell: str, words: Sequence[Word], current: str, quote: str, breaks: str) -> str:
    """The words for a shell, one a line.

    Args:
        breaks: characters at which bash begins a new word: it replaces only what comes after the last one.
    """
    if shell == "bash":
        cut = (
            0 if quote else max((current.rfind(char) + 1 for char in breaks if not char.isspace()), default=0)
        )
        lines = [_typed(word.text, quote)[len(_typed(current[:cut], quote)) :] for word in words]
    elif shell == "zsh":
        lines = [f"{_typed(word.text, quote)}\t{word.help}" for word in words]
    else:
        lines = [f"{word.text}\t{word.help}" for word in words]
    return "".join(line.replace("\n", " ") + "\n" for line in lines)


def _typed(text: str, quote: str) -> str:
    """A text as it is typed, at the cursor's place."""
    return text if quote else _SPECIAL.sub(r"\\\1", text)
