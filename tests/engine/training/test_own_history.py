import subprocess
from datetime import date

import pytest

from engine.data.store import PairStore, RegionStore
from engine.errors import DataError
from engine.training.own_history import read_own_history
from tests.engine.own_repository import function, make_repository


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return make_repository(tmp_path_factory.mktemp("own") / "shop", 36)


def read(repository, *, since=None, holdout=12, fits=lambda text: True):
    return read_own_history(repository, since=since, holdout=holdout, fits=fits, seed=1)


def test_the_newest_commits_are_held_out_and_trained_on_in_no_form(repository, tokenizer, tmp_path):
    found = read(repository)
    assert [p.after for p in found.held] == [function(i, "log.info") for i in range(35, 23, -1)]
    assert [p.after for p in found.validation] == [function(i, "log.info") for i in range(23, 18, -1)]
    assert len(found.trained) == 19
    found.pack(tmp_path, tokenizer, seed=1)
    regions = RegionStore(tmp_path)
    rows = [tokenizer.decode(regions[i]) for i in range(len(regions.lengths))]
    for name in ("committed", "refactored"):
        pairs = PairStore(tmp_path / f"{name}.jsonl")
        rows += [text for i in range(len(pairs.lengths)) for text in (pairs[i].before, pairs[i].after)]
    assert len(rows) > 19 * 2
    for number in range(19, 36):
        assert not any(f"_{number}(" in row for row in rows)


def test_every_commit_is_accounted_for(repository):
    counts = read(repository, fits=lambda text: "_3(" not in text).counts
    assert counts["commits seen"] == 37
    assert counts["left out: too long for the model"] == 1
    assert counts["left out: a file added or removed"] == 1
    parts = ("trained on", "for validation", "held out", "left out")
    assert sum(n for name, n in counts.items() if name.startswith(parts)) == 37


def test_a_change_like_a_held_out_one_is_left_out(tmp_path):
    repository = make_repository(tmp_path / "twins", 24)
    text = function(0, "log.info")
    # The last commit touches the function of the first: what it was then is near to what is held out.
    subprocess.run(["git", "-C", repository, "checkout", "-q", "-f", "main"], check=True)
    path = repository / "m.py"
    path.write_text(path.read_text().replace(text, text.replace(" + 0", " + 1")))
    who = ["-c", "user.name=Dev", "-c", "user.email=dev@example.org"]
    command = ["git", "-C", repository, *who, "commit", "-qam", "Correct the sum"]
    subprocess.run(command, check=True)
    found = read(repository, holdout=1)
    assert [p.instruction for p in found.held] == ["Correct the sum"]
    assert found.counts["left out: like a held-out one"] == 1
    assert all("_0(" not in p.before for p in found.trained)
    assert all("_0(" not in row.text for row in found.regions)


def test_since_leaves_older_commits_out(repository):
    found = read(repository, since=date(2024, 1, 11), holdout=5)
    assert found.counts["commits seen"] == 27
    assert min(p.date.date() for p in found.trained) == date(2024, 1, 11)


def test_what_is_too_little_is_told_in_numbers(repository):
    with pytest.raises(DataError, match=r"36 of 37 commits are usable.* 30 to hold out.*--holdout"):
        read(repository, holdout=30)
    with pytest.raises(DataError, match=r"6 of 6 commits .* 20 to hold out .*--since"):
        read(repository, since=date(2024, 2, 1), holdout=None)


def test_what_is_no_history_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no git repository"):
        read(tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path / "empty")], check=True)
    with pytest.raises(DataError, match="no history"):
        read(tmp_path / "empty")
