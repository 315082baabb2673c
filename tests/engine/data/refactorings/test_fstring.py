import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.data.refactorings import fstring

CASES = [
    ('"%s" % x', 'f"{x}"'),
    ("'%s and %r' % (a, b.c)", "f'{a} and {b.c!r}'"),
    ('"%d%%" % n', 'f"{n:d}%"'),
    ('"{%s}" % n', 'f"{{{n}}}"'),
    ('"%-5s|%5s|%05.1f" % (a, b, c)', 'f"{a!s:<5}|{b!s:>5}|{c:05.1f}"'),
    ('"%s" % (a + b)', 'f"{a + b}"'),
    ('"%s" % (x,)', 'f"{x}"'),
    ('"%(a)s" % {"a": x}', 'f"{x}"'),
    ('"%s" % d["k"]', "f\"{d['k']}\""),
    ("r'\\d%s' % x", "rf'\\d{x}'"),
    ("u'%s' % x", "f'{x}'"),
    ('("a %s "\n     "b %s" % (x, y))', '(f"a {x} "\n     f"b {y}")'),
    ('("a %s "\n     "b%%") % x', '(f"a {x} "\n     "b%")'),
    ('"{} {}".format(a, b)', 'f"{a} {b}"'),
    ('"{1} {0}".format(a, b)', 'f"{b} {a}"'),
    ('"{x} {{}}".format(x=y)', 'f"{y} {{}}"'),
    ('"{0.a} {0[1]} {0[k]}".format(x)', "f\"{x.a} {x[1]} {x['k']}\""),
    ('"{!r:>{}}".format(a, width)', 'f"{a!r:>{width}}"'),
    ('"a" + "%s" % x + "b"', '"a" + f"{x}" + "b"'),
    ('log("%s", x)', 'log("%s", x)'),
    ("a % b", "a % b"),
    ('b"%s" % x', 'b"%s" % x'),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_rewrite(before: str, after: str) -> None:
    assert fstring.rewrite(f"def f():\n    return {before}\n") == f"def f():\n    return {after}\n"


@pytest.mark.parametrize(
    "code",
    [
        '"%s %s" % x',
        '"%(a)s" % x',
        '"%*d" % (w, n)',
        '"%c" % x',
        '"%s" % "\\n"',
        '"%s" % f"{x}"',
        '"%s" % (lambda: 1)',
        '"%s" % {1: 2}',
        '"%s" % g("it\'s")',
        '"%s" % (\n        # why\n        x)',
        '"{}".format(*xs)',
        '"{a}".format(**xs)',
        '"{0} {0}".format(g())',
        '"{0} {}".format(a, b)',
        '"{}".format(a, b)',
        '"\\N{DASH}{}".format(a)',
        '"%s" % (yield)',
    ],
)
def test_what_has_no_equal_is_left_alone(code: str) -> None:
    assert fstring.rewrite(f"def f():\n    return {code}\n") is None


FLAGS = st.text("-+ 0#", max_size=2)
NUMBERS = st.integers(-1000, 1000)
PLACE = st.builds(
    lambda flags, width, precision, kind: f"%{flags}{width}{precision}{kind}",
    FLAGS,
    st.sampled_from(["", "1", "8"]),
    st.sampled_from(["", ".0", ".3"]),
    st.sampled_from("sradiuxXofFeEgG"),
)
TEXT = st.text("ab{} %'\"\\", max_size=4).map(lambda text: text.replace("%", "%%"))


@given(TEXT, PLACE, TEXT, NUMBERS | st.floats(-1e6, 1e6) | st.sampled_from([None, True, "text"]))
@example("{", "%-8.3f", "}}", 1.5)
def test_a_percent_place_says_the_same_as_its_field(head: str, place: str, tail: str, value: float) -> None:
    code = f"x = {head + place + tail!r} % value\n"
    after = fstring.rewrite(code)
    if after is None:
        return
    before_scope: dict[str, object] = {"value": value}
    try:
        exec(code, before_scope)
    except (TypeError, ValueError):
        return
    if place[-1] in "diuxXo" and isinstance(value, float):
        return  # an integer place cuts a float short; no field does
    after_scope: dict[str, object] = {"value": value}
    exec(after, after_scope)
    assert after_scope["x"] == before_scope["x"]


EXPRESSIONS = st.sampled_from(
    ["a", "a + 1", "b['k']", "b.get('k', 1)", "len(str(a))", "a if a else 2", "(a, 1)[0]"]
)
SPECS = st.sampled_from(["", "!r", ":>6", ":<6", ":d", ":05d", ":.2f", ":x", ":^9", ":,"])


@given(st.lists(st.tuples(TEXT, EXPRESSIONS, SPECS), min_size=1, max_size=3), st.integers(0, 50))
def test_made_questions_mean_what_their_answers_mean(parts: list[tuple[str, str, str]], seed: int) -> None:
    literals = [
        text.replace("%%", "%").replace("\\", "").replace('"', "").replace("'", "") for text, _, _ in parts
    ]
    literals = [text.replace("{", "{{").replace("}", "}}") for text in literals]
    body = "".join(f"{text}{{{code}{spec}}}" for text, (_, code, spec) in zip(literals, parts, strict=True))
    text = f'def f(a, b):\n    return f"{body}"\n'
    pair = fstring.make(text, random.Random(seed))
    if pair is None:
        return
    assert pair.after == text
    results = []
    for code in (pair.before, pair.after):
        scope: dict[str, object] = {}
        exec(code, scope)
        results.append(scope["f"](7, {"k": 3}))  # type: ignore[operator]
    assert results[0] == results[1]


def test_half_of_the_pairs_of_old_code_keep_it_as_it_was() -> None:
    text = 'def f(a):\n    return "%s" % a\n'
    befores = {pair.before for seed in range(40) if (pair := fstring.make(text, random.Random(seed)))}
    assert text in befores
    assert 'def f(a):\n    return "{}".format(a)\n' in befores
