"""Places of `%` formatting, and what says the same in an f-string. Knows nothing of trees."""

import re

PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?(?P<flags>[#0\- +]*)(?P<width>\*|\d+)?"
    r"(?:\.(?P<precision>\*|\d+))?[hlL]?(?P<type>[a-zA-Z%])"
)


def percent_spec(match: re.Match[str]) -> tuple[str, str]:
    """Conversion and format spec that say what a place says, both with their signs, or empty.

    Raises:
        ValueError: nothing says the same for every value (`%c`, `%*d`, `%.3d`).
    """
    flags, width, precision, kind = (
        match["flags"],
        match["width"] or "",
        match["precision"] or "",
        match["type"],
    )
    if "*" in (width, precision):
        raise ValueError("a width from the arguments")
    if kind in "sra":
        return _text_spec(flags, width, precision, kind)
    if kind in "diuxXofFeEgG":
        return "", _number_spec(flags, width, precision, "d" if kind in "iu" else kind)
    raise ValueError(f"%{kind}")


def _text_spec(flags: str, width: str, precision: str, kind: str) -> tuple[str, str]:
    if flags.strip("-"):
        raise ValueError("flags of a number")
    align = ("<" if "-" in flags else ">") if width else ""
    spec = align + width + (f".{precision}" if precision else "")
    # Without !s, a width or precision would be read by the value's own type: True as 1, None not at all.
    return "" if kind == "s" and not spec else f"!{kind}", f":{spec}" if spec else ""


def _number_spec(flags: str, width: str, precision: str, kind: str) -> str:
    if precision and kind in "dxXo":
        raise ValueError("precision of an integer")
    align = "<" if "-" in flags and width else ""
    sign = "+" if "+" in flags else " " if " " in flags else ""
    zero = "0" if "0" in flags and width and not align else ""
    dot = f".{precision}" if precision else ""
    return f":{align}{sign}{'#' if '#' in flags else ''}{zero}{width}{dot}{kind}"
