from hypothesis import given, settings
from hypothesis import strategies as st

from seedcli.index.words import names_in, parts, query_terms, searchable


def test_names_are_searched_for_whole_and_in_parts() -> None:
    assert parts("readHTTPFile") == "read http file readhttpfile"
    assert parts("_max_len2") == "max len 2 maxlen2"
    assert parts("load") == "load"


def test_an_instruction_says_names_where_it_is_spelled_like_code() -> None:
    said = "Fix random_product() and Console.print, `load` and iOS for the API, with parse()"
    assert names_in(said) == ["load", "random_product", "Console.print", "iOS", "parse"]
    assert names_in("Fix the loader") == []


def test_common_words_are_not_searched_for() -> None:
    assert query_terms("Use the name of the file_name") == ["name", "file", "filename"]


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=100))
def test_any_text_can_be_searched_for(text: str) -> None:
    assert set(query_terms(text)) <= set(searchable(text).split())
