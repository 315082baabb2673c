from engine.training.data_card import data_lines

OLD = {
    "regions": 1200,
    "bytes": 5,
    "sources": {"a/b": {"licence": "MIT", "regions": 7, "barred": 1}},
    "held_out": {"functions": 9, "sha256": "abc", "sources": {"c/d": "BSD-3-Clause"}},
}


def test_a_corpus_tells_what_its_sources_were_read_at():
    commit = "0123456789abcdef" * 2
    source = OLD["sources"]["a/b"] | {"version": commit, "near_duplicates": 2}
    held = OLD["held_out"] | {"versions": {"c/d": commit}}
    lines = data_lines(OLD | {"sources": {"a/b": source}, "held_out": held})
    assert "| source | version | licence | regions | barred | near-duplicates |" in lines
    assert "| a/b | 0123456789ab | MIT | 7 | 1 | 2 |" in lines
    assert any("never trained on: c/d at 0123456789ab; 9 functions drawn" in line for line in lines)


def test_a_corpus_from_before_versions_were_told_keeps_its_table():
    lines = data_lines(OLD)
    assert "| source | licence | regions | barred |" in lines
    assert "| a/b | MIT | 7 | 1 |" in lines
    assert any("never trained on: c/d; 9 functions drawn" in line for line in lines)
