from seedcli.review.highlight import tokens_of

SOURCE = b'def f(x):\n    """Doc\n    string."""\n    return "a" + 1  # why\n'


def kinds(source, line):
    text = source.decode().split("\n")[line]
    return {text[start:end]: kind for start, end, kind in tokens_of("a.py", source, "utf-8")[line]}


def test_kinds_of_tokens():
    first, last = kinds(SOURCE, 0), kinds(SOURCE, 3)
    assert (first["def"], first["f"]) == ("keyword", "function")
    assert (last["return"], last["1"], last["# why"]) == ("keyword", "number", "comment")


def test_a_string_over_two_lines_is_coloured_on_both():
    assert kinds(SOURCE, 1) == {'"""Doc': "string"}
    assert kinds(SOURCE, 2)['    string."""'] == "string"


def test_unknown_languages_and_large_files_have_no_colours():
    assert tokens_of("data.unknown-suffix", SOURCE, "utf-8") == []
    assert tokens_of("a.py", b"x = 1\n" * 200_000, "utf-8") == []


def test_bytes_that_cannot_be_decoded_do_no_harm():
    assert len(tokens_of("a.py", b"x = '\xff'\r\ny = 1\n", "utf-8")) == 3
