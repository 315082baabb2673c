"""What is said of a defect is true of it, as far as code that is not run can be known."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.defects import KINDS, Code, inject
from engine.data.symptoms import hint, symptom
from engine.syntax import parses

SOUND = '''def mean(values, start=0):
    """The mean of some values."""
    # adds up
    weight = start
    for value in values:
        yield value.amount * weight
    if not values:
        return None
    return round(weight, ndigits=2)
'''
SEEDS = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "error"),
    [
        (
            "=2)",
            "=2",
            "return round(weight, ndigits=2",
            "SyntaxError: '(' was never closed",
        ),
        ("weight = start", "wieght = start", "wieght = start", "NameError: name 'weight' is not defined"),
        (
            "value.amount",
            "value.amout",
            "yield value.amout * weight",
            "AttributeError: 'NoneType' object has no attribute 'amout'",
        ),
        (
            "ndigits=2",
            "digits=2",
            "return round(weight, digits=2)",
            "TypeError: got an unexpected keyword argument 'digits'",
        ),
        ("if not values:", "if values:", "if values:", ""),
        ("    weight = start\n", "", "for value in values:", "NameError: name 'weight' is not defined"),
    ],
)
def test_a_symptom_is_where_the_defect_is_and_what_python_says(right, wrong, line, error):
    broken = SOUND.replace(right, wrong)
    seen = symptom(broken, SOUND, Late())
    assert (seen.line, seen.error) == (line, error)


class Late(random.Random):
    """Chance that never names the next line."""

    def random(self):
        return 0.99


def test_of_sound_code_an_innocent_line_is_named():
    seen = {symptom(SOUND, SOUND, random.Random(seed)).line for seed in range(80)}
    code = {line.strip() for line in SOUND.splitlines()} - {"# adds up"}
    assert seen == code
    assert {symptom(SOUND, SOUND, random.Random(seed)).error for seed in range(80)} == {""}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), SEEDS)
def test_a_line_that_is_told_stands_in_the_region(kind, seed):
    rng = random.Random(seed)
    broken = inject(Code(SOUND), kind, rng)
    if broken is None:
        return
    seen = symptom(broken, SOUND, rng)
    assert seen.line in {line.strip() for line in broken.splitlines()} or not parses(broken)
    assert hint("mend it", broken, SOUND, random.Random(seed)) == hint(
        "mend it", broken, SOUND, random.Random(seed)
    )


def test_wordings_tell_the_line_the_error_or_both():
    broken = SOUND.replace("weight = start", "wieght = start")
    told = [hint("mend it", broken, SOUND, random.Random(seed)) for seed in range(200)]
    assert any(text == "mend it\nwieght = start\nNameError: name 'weight' is not defined" for text in told)
    assert any("weight" in text and "wieght" not in text for text in told)
    assert any('File "' in text for text in told)
    sound = [hint("mend it", SOUND, SOUND, random.Random(seed)) for seed in range(200)]
    assert any("Error" not in text and "assert" not in text for text in sound)
    assert any("Error" in text for text in sound)


def test_code_of_nothing_but_blank_lines_has_no_symptom():
    assert hint("mend it", "\n\n", "\n\n", Late()) == "mend it"
