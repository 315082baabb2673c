"""What a chat model wrote, read as a region's new text. Pure text; knows nothing of models or files.

    answer  = [ chatter opening ] code ( closing anything | end )
    opening = fence word newline        a fence with a language: what stood before it was talk
    closing = newline fence newline     the fence alone on its line

The question puts the first opening before the answer, so that it begins with code.
"""

import ast
import re

from engine.syntax import parse


def code_of(answer: str, fence: str, *, is_whole: bool) -> str | None:
    """The code in an answer, without its last line break; None if it is not known where it ends, or there is none.

    Args:
        fence: the run of backticks that opened the code.
        is_whole: whether the answer came to its end.
    """
    lines = answer.split("\n")
    opening = re.compile(rf"`{{{len(fence)},}}[\w+#.-]+\s*")
    begin = next((i + 1 for i, line in enumerate(lines) if opening.fullmatch(line)), 0)
    if not begin and is_closing(lines[0], fence):  # opened once more, without a language
        begin = 1
    body = lines[begin:]
    end = next((i for i, line in enumerate(body) if is_closing(line, fence)), None)
    if end is None and not is_whole:
        return None
    code = "\n".join(body[:end]).rstrip("\n") if end is None else "\n".join(body[:end])
    return code if code.strip() else None


def is_closing(line: str, fence: str) -> bool:
    """Whether a line closes what the fence opened."""
    text = line.strip()
    return len(text) >= len(fence) and set(text) == {"`"}


def is_closed(tail: str, fence: str) -> bool:
    """Whether the code was closed, seen from the end of an answer that may go on."""
    return any(is_closing(line, fence) for line in tail.split("\n")[1:-1])


def like_region(code: str, region: str) -> str | None:
    """The code at the region's margin, ending as the region ends; None if it cannot stand there.

    Lines inside texts stay as they are, since they would say something else; docstrings move with the code.
    """
    ours, theirs = margin(region), margin(code)
    lines = code.split("\n")
    kept = {i: lines[i] for i in _inside_texts(code) if i < len(lines)}
    if ours.startswith(theirs):
        missing = ours[len(theirs) :]
        begins = [theirs if line.startswith(theirs) else "" for line in lines]
        lines = [
            (ours if begin else missing) + line.removeprefix(begin) if line.strip() else line
            for begin, line in zip(begins, lines, strict=True)
        ]
    elif theirs.startswith(ours):
        surplus = theirs[len(ours) :]
        if not all(
            line.startswith(surplus) for i, line in enumerate(lines) if line.strip() and i not in kept
        ):
            return None
        lines = [line.removeprefix(surplus) for line in lines]
    else:
        return None
    lines = [kept.get(i, line) for i, line in enumerate(lines)]
    return "\n".join(lines) + "\n" * region.endswith("\n")


def _inside_texts(code: str) -> set[int]:
    """Lines, from 0, that begin inside a literal text other than a docstring; none if the code does not parse."""
    parsed = parse(code)
    if parsed is None:
        return set()
    tree, ahead = parsed
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        line - ahead
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in alone and node.end_lineno
        for line in range(node.lineno, node.end_lineno)
    }


def margin(text: str) -> str:
    """The indentation of the first line that has anything on it."""
    found = re.search(r"^([ \t]*)[^\s]", text, re.MULTILINE)
    return found[1] if found else ""
