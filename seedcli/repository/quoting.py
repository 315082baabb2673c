"""Names of files as git prints them: in double quotes with C escapes where they hold anything unusual."""

import os
import re

_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_BYTES = {letter.encode(): bytes([byte]) for byte, letter in _ESCAPES.items()}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')


def quoted(name: str) -> str:
    """`name` as git prints it."""
    raw = os.fsencode(name)
    if all(32 <= byte < 127 and byte not in (34, 92) for byte in raw):
        return name
    return '"' + "".join(_escaped(byte) for byte in raw) + '"'


def unquoted(name: bytes) -> bytes:
    """A printed name as the file system has it; one that is not in quotes is it already."""
    found = _QUOTED.fullmatch(name)
    return re.sub(rb"\\([0-7]{1,3}|.)", lambda escape: _unescaped(escape[1]), found[1]) if found else name


def target_unquoted(target: str) -> str:
    """What a user may pipe in from git: a printed name, or one with a symbol or lines after it."""
    raw = os.fsencode(target)
    found = _QUOTED.match(raw)
    return os.fsdecode(unquoted(found[0]) + raw[found.end() :]) if found else target


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def _unescaped(escape: bytes) -> bytes:
    return bytes([int(escape, 8) & 255]) if escape.isdigit() else _BYTES.get(escape, escape)
