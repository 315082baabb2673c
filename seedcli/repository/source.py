"""A source file: its real bytes, its text, and the way back from edited text to bytes.

Text has `\\n` endings and no byte order mark; line i of the text is line i of the bytes. Decoding is strict:
a file that cannot be read without loss is refused. Knows nothing of syntax, patches or writing.
"""

import codecs
import difflib
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.repository.workspace import Workspace

MAX_BYTES = 4 * 2**20
"""Larger files are refused: they are data, and no model reads them."""

MOST_PAIRS = 4_000_000
"""Beyond so many pairs of lines a rewritten stretch is taken as a whole: lines in it that stay equal may change ending
where a file mixes endings."""

PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One text file as it was read."""

    path: Path
    """Absolute, links resolved."""
    name: str
    """Relative to the root, forward slashes."""
    raw: bytes
    text: str
    """`\\n` endings, no byte order mark."""
    encoding: str
    """As Python names it; `utf-8-sig` where there is a byte order mark."""
    newline: bytes
    """The most frequent line ending; `\\n` where there is none."""
    sha256: str
    """Of `raw`, hexadecimal."""

    @classmethod
    def read(cls, workspace: Workspace, path: Path) -> "SourceFile":
        """Read `path`, which `workspace` has resolved.

        Raises:
            TargetError: not a regular file, unreadable, too large, binary, not decodable without loss, or with lines
                that end in `\\r` alone.
        """
        name = workspace.relative(path)
        raw = _read_bytes(path, name)
        encoding = _detect_encoding(raw, name)
        text = _decode(raw, encoding, name)
        if "\r" in text and "\n" not in text:
            # All of it would be one line here, but many for Python, whose ends an edit of that line may lose.
            raise TargetError(
                f"{name} ends its lines with carriage returns alone; give it line feeds first (tr '\\r' '\\n')"
            )
        crlf = raw.count(b"\r\n")
        return cls(
            path=path,
            name=name,
            raw=raw,
            text=text.replace("\r\n", "\n"),
            encoding=encoding,
            newline=b"\r\n" if crlf > raw.count(b"\n") - crlf else b"\n",
            sha256=hashlib.sha256(raw).hexdigest(),
        )

    def replace(self, start: int, end: int, new_text: str) -> bytes:
        """The whole file's bytes with lines [start, end), from 0, replaced by `new_text`.

        Lines that stay equal keep their bytes, whatever their ending. New lines take the ending of the line
        that they replace, else of the line before, and tabs where all indented lines around them have tabs.
        The file's last line keeps having, or not having, an ending.

        Raises:
            TargetError: the file's encoding lacks a character of `new_text`, or would no longer be what it
                declares.
        """
        return self.replace_all([(start, end, new_text)])

    def replace_all(self, edits: Sequence[tuple[int, int, str]]) -> bytes:
        """As `replace`, for several disjoint edits `(start, end, new_text)` in order of lines."""
        mark = codecs.BOM_UTF8 if self.encoding == "utf-8-sig" else b""
        lines = _split(self.raw.removeprefix(mark))
        texts = self.text.split("\n")
        whole: list[bytes] = []
        position = 0
        for start, end, new_text in edits:
            old = [_Line(texts[i], lines[i]) for i in range(start, end)]
            new = self._splice(old, _split_text(new_text), lines[start - 1] if start else b"")
            if new and end == len(lines) and lines and not _ending(lines[-1]):
                new[-1] = new[-1].removesuffix(_ending(new[-1]))
            whole += [*lines[position:start], *new]
            position = end
        whole += lines[position:]
        raw = mark + b"".join(
            [line if _ending(line) else line + self.newline for line in whole[:-1]] + whole[-1:]
        )
        if self.name.endswith(PYTHON_SUFFIXES) and _detect_encoding(raw, self.name) != self.encoding:
            raise TargetError(
                f"{self.name}: the edit changes the declared encoding {self.encoding}; edit that line by hand"
            )
        return raw

    def _splice(self, old: list["_Line"], new: list[str], before: bytes) -> list[bytes]:
        out: list[bytes] = []
        indented = [line.text for line in old if line.text[:1] in ("\t", " ")]
        tabs = bool(indented) and all(text[0] == "\t" for text in indented)
        for is_equal, i1, i2, j1, j2 in _stretches([line.text for line in old], new):
            if is_equal:
                out += [line.raw for line in old[i1:i2]]
                continue
            for j in range(j1, j2):
                model = old[min(i1 + j - j1, i2 - 1)].raw if i2 > i1 else (out[-1] if out else before)
                if not _ending(model) and old:
                    model = old[0].raw
                line = _tabbed(new[j]) if tabs else new[j]
                out.append(self._encode(line) + (_ending(model) or self.newline))
        return out

    def _encode(self, line: str) -> bytes:
        encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        try:
            return line.encode(encoding)
        except UnicodeEncodeError as error:
            char = line[error.start]
            raise TargetError(
                f"{self.name} is {self.encoding}, which lacks U+{ord(char):04X}; convert it to UTF-8"
            ) from None


@dataclass(frozen=True, slots=True)
class _Line:
    """One line as text without its ending, and as the bytes that it came from."""

    text: str
    raw: bytes


def _stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Stretches of equal and of other lines: whether they are equal, old lines [i1, i2), new lines [j1, j2)."""
    least = min(len(old), len(new))
    head = next((i for i in range(least) if old[i] != new[i]), least)
    tail = next((i for i in range(least - head) if old[-1 - i] != new[-1 - i]), least - head)
    i_end, j_end = len(old) - tail, len(new) - tail
    yield True, 0, head, 0, head
    if (i_end - head) * (j_end - head) > MOST_PAIRS:
        yield False, head, i_end, head, j_end
    else:
        matcher = difflib.SequenceMatcher(None, old[head:i_end], new[head:j_end], autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            yield tag == "equal", head + i1, head + i2, head + j1, head + j2
    yield True, i_end, len(old), j_end, len(new)


def _tabbed(line: str) -> str:
    """`line`, for a place where all others are indented by tabs, with a tab for every four leading spaces."""
    spaces = len(line) - len(line.lstrip(" "))
    return line if spaces % 4 else "\t" * (spaces // 4) + line[spaces:]


def _read_bytes(path: Path, name: str) -> bytes:
    if not path.is_file():
        raise TargetError(f"{name} is not a regular file; name a text file")
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise TargetError(f"{name} cannot be read: {error.strerror}; check its permissions") from None
    if size > MAX_BYTES:
        raise TargetError(f"{name} has {size} bytes; seed edits files up to {MAX_BYTES}, so split it first")
    if b"\0" in raw:
        raise TargetError(f"{name} is binary (it holds a NUL byte); name a text file")
    return raw


def _detect_encoding(raw: bytes, name: str) -> str:
    if not name.endswith(PYTHON_SUFFIXES):
        return "utf-8-sig" if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        return tokenize.detect_encoding(io.BytesIO(raw).readline)[0]
    except SyntaxError as error:
        if "unknown encoding" in str(error):
            declared = re.search(rb"coding[:=]\s*([-\w.]+)", raw)
            what = declared[1].decode("ascii", "replace") if declared else "?"
            raise TargetError(
                f"{name} declares the unknown encoding {what}; correct its coding line"
            ) from None
        # Also raised for first lines that are not UTF-8; decoding says where.
        return "utf-8"


def _decode(raw: bytes, encoding: str, name: str) -> str:
    try:
        text = raw.decode(encoding)
        lossless = text.encode(encoding) == raw and text.count("\n") == raw.count(b"\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TargetError(
            f"{name} is not {encoding}: byte 0x{raw[error.start]:02x} in line {line}; "
            "convert it to UTF-8, or declare its encoding in a coding line"
        ) from None
    except (LookupError, UnicodeError):
        raise TargetError(
            f"{name} declares {encoding}, which is not a text encoding; correct its coding line"
        ) from None
    if not lossless:
        raise TargetError(
            f"{name} cannot be written back as {encoding} byte for byte; convert it to UTF-8 first"
        )
    return text


def _split(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _split_text(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else lines


def _ending(line: bytes) -> bytes:
    return b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
