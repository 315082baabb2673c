from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.decontamination import SHINGLE, tokens_of
from engine.data.duplicates import NEAR, Duplicates


def statements(numbers):
    return "".join(f"value_{n} = compute_{n}(first, second)\n" for n in numbers)


def similarity(a, b):
    one, two = (
        {tuple(tokens[i : i + SHINGLE]) for i in range(len(tokens) - SHINGLE + 1)}
        for tokens in map(tokens_of, (a, b))
    )
    return len(one & two) / len(one | two)


def test_layout_does_not_make_a_text_another():
    duplicates = Duplicates()
    assert not duplicates.has_near(statements(range(20)))
    assert duplicates.has_near(statements(range(20)).replace(", ", ",\n        "))
    assert not duplicates.has_near(statements(range(100, 120)))


def test_what_was_left_out_is_not_compared_with():
    """Else a chain of small changes would leave out texts that resemble nothing in the corpus."""
    duplicates = Duplicates()
    first, second, third = (statements([*range(n, 60), *range(1000, 1000 + n)]) for n in (0, 4, 8))
    assert similarity(first, second) > NEAR + 0.05
    assert similarity(second, third) > NEAR + 0.05
    assert similarity(first, third) < NEAR - 0.02
    assert [duplicates.has_near(text) for text in (first, second, third)] == [False, True, False]


def test_short_texts_are_near_to_none():
    duplicates = Duplicates()
    assert [duplicates.has_near("x = 1\n") for _ in range(2)] == [False, False]


@settings(deadline=None, max_examples=31)
@given(st.integers(0, 30))
def test_near_is_what_the_similarity_says(changed):
    one, two = statements(range(60)), statements([*range(60 - changed), *range(1000, 1000 + changed)])
    exact = similarity(one, two)
    duplicates = Duplicates()
    duplicates.has_near(one)
    if abs(exact - NEAR) > 0.12:  # three standard errors of the estimate
        assert duplicates.has_near(two) == (exact > NEAR)
