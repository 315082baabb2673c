"""How names, text and the model's reading are put together."""

from hypothesis import given
from hypothesis import strategies as st

from seedcli.finding.picking import READ, ranked, value
from seedcli.index.search import Evidence

VALUES = st.lists(st.floats(-10, 10), max_size=40)


def test_each_kind_of_evidence_speaks_for_a_region() -> None:
    nothing = Evidence(0, 0, 0, 0, 0, 0)
    for i in range(6):
        assert value(Evidence(*(float(i == j) for j in range(6)))) > value(nothing)


@given(VALUES)
def test_all_are_ranked_and_only_the_first_are_read(values: list[float]) -> None:
    asked: list[int] = []

    def read(numbers: list[int]) -> list[float]:
        asked.extend(numbers)
        return [0.0] * len(numbers)

    found = ranked(values, read)
    assert sorted(i for i, _ in found) == list(range(len(values)))
    assert len(asked) == min(READ, len(values))
    assert [v for _, v in found] == sorted((v for _, v in found), reverse=True)
    assert not set(asked) - {i for i, _ in found[: len(asked)]} or len(set(values)) < len(values)


def test_the_reading_decides_among_equals_and_more_where_the_model_knows_the_instruction() -> None:
    odds = [-4.0, 4.0]
    assert [i for i, _ in ranked([1.0, 1.0], lambda _: odds)] == [1, 0]
    assert [i for i, _ in ranked([3.0, 1.0], lambda _: odds)] == [0, 1]
    assert [i for i, _ in ranked([3.0, 1.0], lambda _: odds, known=True)] == [1, 0]
