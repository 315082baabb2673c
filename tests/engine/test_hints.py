from engine.hints import LONGEST_ERROR, LONGEST_LINE, hinted


def test_a_hint_is_the_end_of_a_traceback():
    assert hinted("fix it", "    x = y.z\n", "NameError: name 'y' is not defined") == (
        "fix it\nx = y.z\nNameError: name 'y' is not defined"
    )


def test_what_is_not_known_is_left_out():
    assert hinted("fix it", "", "") == "fix it"
    assert hinted("fix it", " ", "KeyError: 1") == "fix it\nKeyError: 1"


def test_a_long_line_does_not_fill_the_instruction():
    _, line, error = hinted("fix", "x" * 999, "y" * 999).split("\n")
    assert (len(line), len(error)) == (LONGEST_LINE, LONGEST_ERROR)
