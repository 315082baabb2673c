import math

import pytest

from engine.evaluation.scores import Share, share, table


def test_wilson_interval_of_a_known_case():
    low, high = Share(7, 10).interval  # 0.3968 to 0.8922, by the formula in Wilson 1927
    assert low == pytest.approx(0.3968, abs=1e-4)
    assert high == pytest.approx(0.8922, abs=1e-4)


@pytest.mark.parametrize("hits", [0, 5])
def test_the_interval_stays_between_nought_and_one(hits):
    low, high = Share(hits, 5).interval
    assert 0 <= low <= hits / 5 <= high <= 1


def test_no_trials_have_no_share():
    assert math.isnan(Share(0, 0).value)


def test_a_table_names_every_share():
    text = table({"a": share([True, False]), "longer": share([True])})
    assert text.splitlines()[0].startswith("a        50.0%")
    assert "1 of 1" in text
