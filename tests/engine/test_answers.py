import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.answers import code_of, is_closed, like_region, margin

CODE = "def f():\n    return 1"


@pytest.mark.parametrize(
    "answer",
    [
        f"{CODE}\n```",
        f"{CODE}\n```\n",
        f"{CODE}\n```\nThis fixes the bug.\n```python\nprint()\n```"[: len(CODE) + 25],
        f"{CODE}\n````\nlonger fences close too",
        f"```python\n{CODE}\n```",
        f"```\n{CODE}\n```\nok",
        f"Sure! Here is the code:\n\n```python\n{CODE}\n```\n",
        f"{CODE}\n",
        CODE,
    ],
)
def test_fences_and_chatter_are_left_out(answer):
    assert code_of(answer, "```", is_whole=True) == CODE


@pytest.mark.parametrize("answer", ["", "\n \n", "```", "```\n```", "```python\n\n```"])
def test_no_code_is_no_answer(answer):
    assert code_of(answer, "```", is_whole=True) is None


def test_an_answer_that_was_cut_off_counts_only_if_its_code_was_closed():
    assert code_of(CODE, "```", is_whole=False) is None
    assert code_of(f"{CODE}\n```\nand now for", "```", is_whole=False) == CODE


def test_fences_in_the_code_are_shorter_than_its_own():
    code = 'def f():\n    """\n    ```\n    x\n    ```\n    """'
    assert code_of(f"{code}\n````\n", "````", is_whole=True) == code


def test_an_answer_is_over_when_its_code_is_closed():
    assert is_closed("return 1\n```\n", "```")
    assert is_closed("return 1\n```\nThis", "```")
    assert not is_closed("return 1\n```", "```"), "the line may go on"
    assert not is_closed("return 1\n``` x\n", "```")
    assert not is_closed("```\nx = 1", "```"), "where a tail begins is not seen"


@pytest.mark.parametrize(
    ("code", "region", "text"),
    [
        ("def f():\n    pass", "    def g():\n        x\n", "    def f():\n        pass\n"),
        ("    a\n\n    b", "x\n", "a\n\nb\n"),
        ("\ta", "\tb", "\ta"),
        ("a", "  b\n", "  a\n"),
        ("    a\n  b", "x\n", None),
        ("\ta", "    b\n", None),
    ],
)
def test_code_takes_the_margin_of_its_region(code, region, text):
    assert like_region(code, region) == text


@pytest.mark.parametrize(
    ("code", "region", "text"),
    [
        ("s = '''\nabc\n'''\nt = 2", "    s = 1\n", "    s = '''\nabc\n'''\n    t = 2\n"),
        ("    s = '''\nabc\n'''\n    t = 2", "s = 1\n", "s = '''\nabc\n'''\nt = 2\n"),
        ("    s = f'''\n    {x}\n'''", "s = 1\n", "s = f'''\n    {x}\n'''\n"),
        (
            "def f():\n    '''A.\n\n    B.\n    '''",
            "    x\n",
            "    def f():\n        '''A.\n\n        B.\n        '''\n",
        ),
    ],
)
def test_texts_stay_as_they_are_and_docstrings_move(code, region, text):
    assert like_region(code, region) == text


TEXT = st.text(st.sampled_from("ab` \t\n"), max_size=30)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no defect."""


@QUIET
@example(" `", " \t`", True)
@given(TEXT, TEXT, st.booleans())
def test_whatever_is_written_is_code_or_nothing(answer, region, is_whole):
    code = code_of(answer, "```", is_whole=is_whole)
    if code is None:
        return
    assert code.strip()
    assert not any(set(line.strip()) == {"`"} and len(line.strip()) > 3 for line in code.split("\n"))
    text = like_region(code, f"{region}\n")
    if text is not None:
        assert text.endswith("\n")
        if region.strip():
            assert margin(text) == margin(region)


@QUIET
@given(st.text(st.sampled_from("ab \n"), min_size=1).filter(str.strip))
def test_a_region_repeated_is_the_region(region):
    region = region.rstrip("\n") + "\n"
    code = code_of(f"{region}```\n", "```", is_whole=False)
    assert code is not None
    assert like_region(code, region) == region
