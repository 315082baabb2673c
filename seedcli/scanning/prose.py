"""Comments and docstrings of a file, where a scan tells nothing: no defect that a model learns to see stands in them.

Knows nothing of models.
"""

from bisect import bisect_right
from functools import cached_property

from seedcli.repository.regions import is_python
from seedcli.repository.source import SourceFile
from seedcli.repository.tree import prose
from seedcli.scanning.findings import Finding


class Prose:
    """Those of one file; read when first asked for, none in other languages than Python."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source

    def holds(self, finding: Finding) -> bool:
        """Whether a finding lies in one of them as a whole."""
        start = self._at(finding.line, finding.column)
        end = self._at(finding.end_line, finding.end_column)
        i = bisect_right(self._spans, start, key=lambda span: span[0]) - 1
        return i >= 0 and start < self._spans[i][1] and end <= self._spans[i][1]

    def _at(self, line: int, column: int) -> int:
        """The character at a line and column from 1."""
        return self._starts[line - 1] + column - 1

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._source.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return prose(self._source.text) if is_python(self._source.name) else []
