import pytest

from seedcli.errors import TargetError
from seedcli.repository.conflicts import Conflict, conflicts_of, has_markers

MERGE = "a\n<<<<<<< HEAD\nours\n=======\ntheirs 1\ntheirs 2\n>>>>>>> side\nb\n"
DIFF3 = MERGE.replace("=======", "||||||| 1a2b3c\nbase\n=======")


def test_both_styles() -> None:
    assert conflicts_of(MERGE, "a.py") == [
        Conflict(1, 7, "ours\n", "theirs 1\ntheirs 2\n", None, ("HEAD", "side"))
    ]
    assert conflicts_of(DIFF3, "a.py") == [
        Conflict(1, 9, "ours\n", "theirs 1\ntheirs 2\n", "base\n", ("HEAD", "side"))
    ]


def test_what_a_model_is_told() -> None:
    assert conflicts_of(DIFF3, "a.py")[0].told == (
        "before both:\nbase\nours (HEAD):\nours\ntheirs (side):\ntheirs 1\ntheirs 2\n"
    )


def test_several_and_empty_sides_and_no_labels() -> None:
    found = conflicts_of("<<<<<<<\n=======\nx\n>>>>>>>\n" * 2, "a.py")
    assert [(c.start, c.end, c.ours, c.theirs) for c in found] == [(0, 4, "", "x\n"), (4, 8, "", "x\n")]


@pytest.mark.parametrize(
    "text", ["", "Title\n=======\n", "<<<<<<<<\n", "x <<<<<<< y\n", "a\n======= \n", "<<<<<<<x\n"]
)
def test_what_is_no_conflict(text: str) -> None:
    assert conflicts_of(text, "a.py") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n<<<<<<< a\nx\n", "a.py:2: this conflict has no end"),
        ("<<<<<<< a\nx\n=======\ny\n", "a.py:1: this conflict has no end"),
        (">>>>>>> a\n", "a.py:1: the conflict marker >>>>>>> is out of place"),
        ("<<<<<<< a\n<<<<<<< b\n", "a.py:2: the conflict marker <<<<<<< is out of place"),
        ("<<<<<<< a\n=======\n=======\n>>>>>>> b\n", "a.py:3: the conflict marker ======= is out of place"),
        ("<<<<<<< a\n>>>>>>> b\n", "a.py:2"),
        ("||||||| a\n", "a.py:1"),
    ],
)
def test_markers_that_make_no_sense(text: str, words: str) -> None:
    with pytest.raises(TargetError, match=words.replace("|", r"\|")):
        conflicts_of(text, "a.py")


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "=======", "|||||||", ">>>>>>> x"])
def test_markers_in_an_answer(line: str) -> None:
    assert has_markers(f"a\n{line}\nb\n")
    assert not has_markers(f"a\n {line}\nb\n")
