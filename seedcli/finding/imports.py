"""Which files of a workspace a Python file imports from, as far as paths tell. Knows nothing of what is in them."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from seedcli.syntax.symbols import Symbols

_FROM = re.compile(r"from (?P<dots>\.*)(?P<module>[\w.]*) import (?P<names>.+)")
_WHOLE = re.compile(r"import (?P<modules>.+)")
_FOLDERS = ("", "src/", "lib/")


def imported(path: str, symbols: Symbols) -> Iterator[tuple[str, str]]:
    """Files that may be there, and the name taken out of each; an empty name for a whole module.

    Args:
        path: of the file that imports, relative to the workspace.
    """
    for statement in symbols.imports:
        if match := _FROM.match(statement.text):
            names = [name.split(" as ")[0].strip(" ()") for name in match["names"].split(",")]
            for stem in _stems(path, len(match["dots"]), match["module"].replace(".", "/")):
                yield from ((file, name) for name in names if name for file in _files(stem))
                yield from ((file, "") for name in names if name for file in _files(f"{stem}/{name}"))
        elif match := _WHOLE.match(statement.text):
            for module in match["modules"].split(","):
                for stem in _stems(path, 0, module.split(" as ")[0].strip().replace(".", "/")):
                    yield from ((file, "") for file in _files(stem))


def _files(stem: str) -> tuple[str, str]:
    return f"{stem}.py", f"{stem}/__init__.py"


def _stems(path: str, level: int, module: str) -> list[str]:
    if not level:
        return [folder + module for folder in _FOLDERS]
    parents = PurePosixPath(path).parents
    return [str(parents[level - 1] / module)] if level <= len(parents) else []
