import pytest

from engine.evaluation.page import draw_page, render_page


def score(share, count):
    return {"share": share, "interval": [max(0, share - 0.1), min(1, share + 0.1)], "hits": 1, "count": count}


@pytest.fixture
def report():
    return {
        "date": "2026-01-01",
        "model": {"name": "m", "revision": "abc", "parameters": 1000},
        "costs": {"forwards_per_edit": 1.5, "seconds_per_edit": 0.02, "median_region_tokens": 70},
        "calibration": {"expected_calibration_error": 0.1, "bins": [{"score": 0.5, "right": 0.4}]},
        "scores": {
            "all repaired": score(0.5, 1000),
            "one kind": score(0.9, 10),
            "none drawn": score(float("nan"), 0),
        },
        "not_judged": {"x": "why"},
    }


def test_the_page_has_figures_costs_and_what_is_missing(report):
    page = render_page("m abc", {"repair": report}, {"aider": "no folder"}, "p.png")
    for words in (
        "# m abc",
        "![shares with 95 % intervals, and calibration](p.png)",
        "| all repaired | 50.0% | 40.0% to 60.0% | 1000 |",
        "forwards per edit 1.5; seconds per edit 0.02; calibration error 0.100; 1 cases not judged by tests.",
        "- aider: no folder",
    ):
        assert words in page
    assert "none drawn" not in page


def test_the_picture_is_drawn_for_any_number_of_suites(report, tmp_path):
    for count in (0, 3):
        draw_page({f"suite {i}": report for i in range(count)}, tmp_path / f"{count}.png")
        assert (tmp_path / f"{count}.png").read_bytes().startswith(b"\x89PNG")
