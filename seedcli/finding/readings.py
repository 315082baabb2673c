"""Files of a workspace with their symbols, each read once. Knows nothing of what they are read for."""

from dataclasses import dataclass, field

from seedcli.errors import TargetError
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.syntax.languages import language_of
from seedcli.syntax.symbols import Symbols, read


@dataclass(slots=True)
class Readings:
    """What files hold, by their paths relative to the workspace."""

    workspace: Workspace
    _known: dict[str, tuple[SourceFile, Symbols] | None] = field(default_factory=dict)

    def __call__(self, path: str) -> tuple[SourceFile, Symbols] | None:
        """A file and its symbols; None if it is not there or may not be read."""
        if path not in self._known:
            try:
                source = SourceFile.read(self.workspace, self.workspace.root / path)
                self._known[path] = source, read(source.text, language_of(path))
            except TargetError:
                self._known[path] = None
        return self._known[path]
