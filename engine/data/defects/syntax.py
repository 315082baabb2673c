"""Text that no longer parses: brackets, quotes, colons, commas, keywords, indentation, habits of other languages."""

import ast
import random

from engine.data.defects.change import Change, Mix, insert, pick, replace
from engine.data.defects.code import Code, Token
from engine.data.defects.literals import string_parts
from engine.data.defects.names import misspell
from engine.data.defects.tokens import editable, without

_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_HEADERS = (
    "def",
    "class",
    "if",
    "elif",
    "else",
    "for",
    "while",
    "try",
    "except",
    "finally",
    "with",
    "async",
    "match",
    "case",
)
_BINARY = (
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "==",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "=",
    "+=",
    "-=",
    "and",
    "or",
    "in",
    "is",
    "not",
)
_FOREIGN = {
    "and": ("&&", "&"), "or": ("||",), "not": ("!",), "==": ("===", "= =", "=<"), "!=": ("!==", "=!", "<>"),
    "<=": ("=<",), ">=": ("=>",), "elif": ("else if", "elseif", "elsif"), "+=": ("=+=", "++="), "None": ("null;",),
    "def": ("function", "func"), "is": ("is is",), "->": ("=>", "-"), "else": ("otherwise", "els"), "except": ("catch",),
    "lambda": ("function",), "//": ("//*",), "import": ("include",), "raise": ("throw",), "in": ("of",),
}  # fmt: skip
_STRAY = ("$", "?", "!", "`", "\\", ";;", "@", "~", "|", "\u201d", "%", "&", "'", '"', "..", "=", "}", "]")
_SLIPS = {
    "return": ("retrun", "retun", "reutrn", "returm"), "else": ("esle", "eles", "els"), "def": ("dfe", "de", "fed"),
    "elif": ("elfi", "elsif", "elf"), "for": ("fro", "fo", "forr"), "while": ("whlie", "wihle", "whle"),
    "if": ("fi", "i", "iff"), "in": ("ni", "inn", "i"), "import": ("improt", "imoprt", "impotr"), "from": ("form", "fron"),
    "class": ("calss", "clas"), "with": ("wiht", "whit"), "try": ("tyr", "tr"), "except": ("excpet", "exept"),
    "raise": ("rasie", "riase"), "lambda": ("lamda", "lambd"), "yield": ("yeild", "yiled"), "and": ("adn", "nad"),
    "not": ("nto", "no"), "async": ("asycn", "aysnc"), "as": ("sa", "a"), "or": ("ro", "orr"), "is": ("si", "iss"),
}  # fmt: skip


def _some(code: Code, rng: random.Random, *texts: str) -> Token | None:
    return pick(rng, [token for token in editable(code) if token.text in texts])


def bracket_missing(code: Code, rng: random.Random) -> Change | None:
    """A bracket is gone."""
    token = _some(code, rng, *_OPENING, *_CLOSING)
    return token and without(code, token, rng)


def bracket_unclosed(code: Code, rng: random.Random) -> Change | None:
    """The bracket at the end of a line is not closed."""
    tokens = editable(code)
    ends = [
        a
        for a, b in zip(tokens, [*tokens[1:], None], strict=True)
        if a.text in _CLOSING and _ends_line(code, a, b)
    ]
    token = pick(rng, ends)
    return token and without(code, token, rng)


def _ends_line(code: Code, token: Token, following: Token | None) -> bool:
    """Whether only a colon, at most, stands behind a token in its line."""
    rest = code.lines[code.line_of(token.start)][token.end - code.line_starts[code.line_of(token.start)] :]
    return rest.strip() in ("", ":")


def bracket_extra(code: Code, rng: random.Random) -> Change | None:
    """A bracket stands twice, or where none belongs."""
    token = _some(code, rng, *_OPENING, *_CLOSING)
    if token and rng.random() < 0.7:
        return insert(token.end, token.text)
    token = pick(rng, editable(code))
    return token and insert(token.end, rng.choice(_CLOSING[:2]))


def bracket_wrong(code: Code, rng: random.Random) -> Change | None:
    """A bracket of another shape."""
    token = _some(code, rng, *_OPENING, *_CLOSING)
    if token is None:
        return None
    shapes = _OPENING if token.text in _OPENING else _CLOSING
    return replace_token(token, rng.choice([shape for shape in shapes if shape != token.text]))


def replace_token(token: Token, new: str) -> Change:
    """The change that puts `new` in a token's place."""
    return Change(token.start, token.end, new)


def _header_colons(code: Code) -> list[Token]:
    tokens = editable(code)
    firsts: dict[int, str] = {}
    for token in tokens:
        firsts.setdefault(code.line_of(token.start), token.text)
    ends = [
        t
        for t in tokens
        if t.text == ":"
        and not code.lines[code.line_of(t.start)][t.end - code.line_starts[code.line_of(t.start)] :].strip()
    ]
    return [t for t in ends if firsts[code.line_of(t.start)] in (*_HEADERS, ")")]


def colon_missing(code: Code, rng: random.Random) -> Change | None:
    """The colon at the end of a header is gone."""
    token = pick(rng, _header_colons(code))
    return token and replace_token(token, "")


def colon_wrong(code: Code, rng: random.Random) -> Change | None:
    """The colon at the end of a header is something else, or stands twice."""
    token = pick(rng, _header_colons(code))
    return token and replace_token(token, rng.choice((";", "::", ",", ".", " {", ":;", "=")))


def comma_missing(code: Code, rng: random.Random) -> Change | None:
    """The comma between two items is gone."""
    token = _some(code, rng, ",")
    return token and replace_token(token, "")


def comma_wrong(code: Code, rng: random.Random) -> Change | None:
    """The comma stands twice, or is a full stop or a semicolon."""
    token = _some(code, rng, ",")
    return token and replace_token(token, rng.choice((",,", ";", ", ,", ".", ":")))


def quote(code: Code, rng: random.Random) -> Change | None:
    """A quote is missing, doubled, or of the other shape."""
    token = pick(rng, [token for token in editable(code) if token.kind == "string"])
    if token is None:
        return None
    opening, content, closing = string_parts(token.text)
    mark, draw = closing[0], rng.random()
    if draw < 0.35:
        return replace_token(token, opening + content + closing[1:])
    if draw < 0.6:
        return replace_token(token, opening.replace(mark, "", 1) + content + closing)
    if draw < 0.8:
        return replace_token(token, opening + content + closing + mark)
    return replace_token(token, opening + content + ("'" if mark == '"' else '"') * len(closing))


def assign_for_equals(code: Code, rng: random.Random) -> Change | None:
    """`if a = b:`."""
    token = _some(code, rng, "==")
    return token and replace_token(token, "=")


def keyword_misspelled(code: Code, rng: random.Random) -> Change | None:
    """`retrun x`."""
    token = pick(rng, [token for token in editable(code) if token.kind == "keyword" and len(token.text) > 1])
    if token is None:
        return None
    slips = _SLIPS.get(token.text, ())
    if slips and rng.random() < 0.7:
        return replace_token(token, rng.choice(slips))
    return replace_token(token, misspell(token.text, rng) if len(token.text) > 2 else token.text[::-1])


def keyword_missing(code: Code, rng: random.Random) -> Change | None:
    """`for x xs:`, `f(x):`."""
    token = _some(
        code,
        rng,
        "in",
        "def",
        "for",
        "if",
        "while",
        "import",
        "as",
        "class",
        "else",
        "and",
        "or",
        "lambda",
        "except",
    )
    return token and without(code, token, rng)


def indentation(code: Code, rng: random.Random) -> Change | None:
    """One line stands a level, or a few blanks, too far left or right."""
    statement = pick(rng, code.statements)
    if statement is None or code.text[code.line_starts[statement.first_line] : statement.start].strip():
        return None
    start = code.line_starts[statement.first_line]
    indent, unit = code.indent_of(statement.first_line), code.indent_unit
    deeper = rng.choice((unit, unit, unit, " ", "  "))
    options = [indent + deeper]
    if indent:
        options += [indent[: -len(unit)], indent[:-1]]
    return Change(start, start + len(indent), rng.choice(options))


def body_not_indented(code: Code, rng: random.Random) -> Change | None:
    """A block stands no deeper than its header."""
    unit, bodies = code.indent_unit, [s for s in code.statements if s.index == 0 and s.first_line]
    statement = pick(rng, [s for s in bodies if code.indent_of(s.first_line).endswith(unit)])
    if statement is None:
        return None
    last = code.place(statement.block[-1].end_lineno or 1, 0)
    first, last = statement.first_line, code.line_of(last)
    kept = code.lines[first : last + 1]
    if last - first > 12 or any(line.strip() and not line.startswith(code.indent_of(first)) for line in kept):
        return None
    new = "\n".join(line[len(unit) :] if line.strip() else line for line in kept)
    return Change(code.line_starts[first], code.line_starts[last] + len(code.lines[last]), new)


def foreign(code: Code, rng: random.Random) -> Change | None:
    """`&&`, `else if`, `catch`: another language's word."""
    token = _some(code, rng, *_FOREIGN)
    return token and replace_token(token, rng.choice(_FOREIGN[token.text]))


def else_if(code: Code, rng: random.Random) -> Change | None:
    """`else if`."""
    token = _some(code, rng, "elif")
    return token and replace_token(token, "else if")


def colon_for_equals(code: Code, rng: random.Random) -> Change | None:
    """`f(a: 1)`, `{"a" = 1}`."""
    token = _some(code, rng, "=", ":")
    if token is None:
        return None
    return replace_token(token, ":" if token.text == "=" else " =")


def stray(code: Code, rng: random.Random) -> Change | None:
    """A character that has no business here."""
    token = pick(rng, editable(code))
    return token and insert(rng.choice((token.start, token.end)), rng.choice(_STRAY))


def python2(code: Code, rng: random.Random) -> Change | None:
    """`print x`, `except E, e`, `raise E, "text"`."""
    options: list[Change] = []
    for handler in code.find(ast.ExceptHandler):
        if handler.type is not None and handler.name:
            end = code.span(handler.type).end
            at = code.tokens[code.token_index(end)]
            if at.text == "as":
                options.append(Change(end, at.end, ","))
    for call in code.find(ast.Call):
        spans = code.arguments(call)
        if not spans or not isinstance(call.func, ast.Name):
            continue
        inner = code.text[spans[0].start : spans[-1].end]
        parent, whole = code.parents[call], code.span(call)
        if call.func.id in ("print", "exec") and isinstance(parent, ast.Expr):
            options.append(Change(whole.start, whole.end, f"{call.func.id} {inner}"))
        elif isinstance(parent, ast.Raise) and parent.exc is call:
            options.append(Change(whole.start, whole.end, f"{call.func.id}, {inner}"))
    return pick(rng, options)


def operand_missing(code: Code, rng: random.Random) -> Change | None:
    """`a + `, ` = b`: a plain operand is gone."""
    tokens = editable(code)
    plain = ("name", "number", "string")
    sites = [b for a, b in zip(tokens, tokens[1:], strict=False) if a.text in _BINARY and b.kind in plain]
    sites += [a for a, b in zip(tokens, tokens[1:], strict=False) if b.text in _BINARY and a.kind in plain]
    token = pick(rng, sites)
    return token and without(code, token, rng)


def doubled(code: Code, rng: random.Random) -> Change | None:
    """A mark, an operator or a keyword stands twice."""
    token = pick(rng, [token for token in editable(code) if token.kind in ("operator", "keyword")])
    if token is None:
        return None
    return insert(token.end, (" " if token.kind == "keyword" else "") + token.text)


def dot_missing(code: Code, rng: random.Random) -> Change | None:
    """`self x`."""
    token = _some(code, rng, ".")
    return token and replace_token(token, " ")


def split_name(code: Code, rng: random.Random) -> Change | None:
    """`my name` for `my_name`."""
    token = pick(
        rng, [token for token in editable(code) if token.kind == "name" and "_" in token.text.strip("_")]
    )
    if token is None:
        return None
    at = token.text.index("_", 1) if "_" in token.text[1:] else 0
    return Change(token.start + at, token.start + at + 1, rng.choice((" ", "-", "_ ", " _"))) if at else None


SYNTAX: Mix = (
    (3, bracket_missing),
    (1.5, bracket_unclosed),
    (1.5, bracket_extra),
    (1, bracket_wrong),
    (3, colon_missing),
    (0.7, colon_wrong),
    (2, comma_missing),
    (0.7, comma_wrong),
    (2.2, quote),
    (1.5, assign_for_equals),
    (1.8, keyword_misspelled),
    (1.2, keyword_missing),
    (2.5, indentation),
    (1, body_not_indented),
    (0.8, foreign),
    (0.4, else_if),
    (0.7, colon_for_equals),
    (0.9, stray),
    (0.6, python2),
    (1.5, operand_missing),
    (0.9, doubled),
    (0.4, dot_missing),
    (0.3, split_name),
)
