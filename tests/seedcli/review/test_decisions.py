import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from seedcli.errors import ConflictError
from seedcli.patches.patch import FilePatch, Patch, file_patch, select
from seedcli.review.decisions import Decisions, Place
from tests.seedcli.review.patches import ALPHA_OLD, two_files

lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\r\n", b"\n"]), max_size=12).map(b"".join)
patches = st.lists(
    st.tuples(lines, lines).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=4
).map(lambda pairs: Patch(tuple(file_patch(f"f{i}.py", old, new) for i, (old, new) in enumerate(pairs))))


def test_accepted_hunks_and_only_those_are_in_the_result():
    decisions = Decisions(two_files())
    decisions.accept(Place(0, 1))
    assert decisions.result() == select(two_files(), [(0, 1)])
    assert [file.new for file in decisions.result().files] == [ALPHA_OLD.replace(b"line 20\n", b"")]


def test_a_and_d_reach_from_the_hunk_to_the_end_of_its_file():
    decisions = Decisions(two_files())
    decisions.accept_file(Place(0, 1))
    assert [decisions.state(place) for place in decisions.places] == [
        "undecided",
        "accepted",
        "accepted",
        "undecided",
    ]
    decisions.reject_file(Place(0, 0))
    assert [decisions.state(place) for place in decisions.places] == [
        "rejected",
        "accepted",
        "accepted",
        "undecided",
    ]


def test_edited_lines_are_taken_and_undo_brings_the_proposal_back():
    decisions = Decisions(two_files())
    decisions.edit(Place(1, 0), (b"    return sum(items, 0)\n",))
    assert decisions.result().files[0].new == b"def total(items):\n    return sum(items, 0)\n"
    decisions.undo()
    assert decisions.patch == two_files()
    assert decisions.result().files == ()


def test_an_edit_back_to_the_old_lines_rejects():
    decisions = Decisions(two_files())
    decisions.edit(Place(1, 0), (b"    return sum(items) + 1\n",))
    assert decisions.state(Place(1, 0)) == "rejected"
    assert decisions.patch == two_files()


def test_a_stale_file_is_refused_and_left_out():
    decisions = Decisions(two_files())
    decisions.accept(Place(0, 0))
    decisions.accept(Place(1, 0))
    decisions.mark_stale(0)
    assert [file.path for file in decisions.result().files] == ["pkg/beta.py"]
    assert decisions.is_complete
    with pytest.raises(ConflictError, match=r"alpha\.txt changed on disk"):
        decisions.accept(Place(0, 1))
    decisions.mark_stale(0, False)
    assert [file.path for file in decisions.result().files] == ["alpha.txt", "pkg/beta.py"]


def test_a_change_without_lines_takes_a_decision():
    patch = Patch((FilePatch("run.sh", b"x\n", b"x\n", (), ("mode changes to 100755",)),))
    decisions = Decisions(patch)
    assert not decisions.is_complete
    decisions.accept(Place(0, 0))
    assert decisions.result() == patch


def test_the_cursor_goes_to_undecided_hunks_round_the_end():
    decisions = Decisions(two_files())
    decisions.move_to(Place(1, 0))
    decisions.accept(Place(0, 0))
    assert decisions.move_to_undecided()
    assert decisions.cursor == Place(0, 1)
    assert decisions.move_to_undecided(-1)
    assert decisions.cursor == Place(1, 0)


def test_moving_stops_at_the_ends():
    decisions = Decisions(two_files())
    decisions.move(-1)
    assert decisions.cursor == Place(0, 0)
    decisions.move(99)
    assert decisions.cursor == Place(1, 0)
    decisions.move_file(-1)
    assert decisions.cursor == Place(0, 0)


def test_an_empty_patch_has_no_cursor():
    decisions = Decisions(Patch(()))
    assert decisions.cursor is None
    assert decisions.is_complete
    assert not decisions.move_to_undecided()
    decisions.move(1)
    decisions.move_file(1)


@given(patches, st.data())
def test_the_result_is_the_selection_of_accepted_hunks(patch, data):
    decisions = Decisions(patch)
    chosen = data.draw(st.sets(st.sampled_from(decisions.places)))
    for place in chosen:
        decisions.accept(place)
    assert decisions.result() == select(patch, [(place.file, place.hunk) for place in chosen])


class Reviewing(RuleBasedStateMachine):
    """Any sequence of decisions can be taken back, to the state before each, edits included."""

    def __init__(self):
        super().__init__()
        self.decisions = Decisions(two_files())
        self.seen = [self.snapshot()]

    def snapshot(self):
        states = [self.decisions.state(place) for place in self.decisions.places]
        return states, self.decisions.patch, self.decisions.result()

    @rule(index=st.integers(0, 3), how=st.sampled_from(["accept", "reject", "accept_file", "reject_file"]))
    def decide(self, index, how):
        getattr(self.decisions, how)(self.decisions.places[index])
        self.seen.append(self.snapshot())

    @rule(
        index=st.integers(0, 3), new=st.lists(st.sampled_from([b"x\n", b"line 5\n"]), max_size=2).map(tuple)
    )
    def edit(self, index, new):
        self.decisions.edit(self.decisions.places[index], new)
        self.seen.append(self.snapshot())

    @rule(step=st.integers(-5, 5))
    def move(self, step):
        self.decisions.move(step)

    @rule()
    def undo(self):
        undone = self.decisions.undo()
        assert (undone is not None) == (len(self.seen) > 1)
        if undone:
            self.seen.pop()
        assert self.snapshot() == self.seen[-1]

    @invariant()
    def counts_add_up(self):
        tally = self.decisions.tally()
        assert tally.accepted + tally.rejected + tally.undecided + tally.stale == len(self.decisions.places)
        assert self.decisions.is_complete == (tally.undecided == 0)


TestReviewing = Reviewing.TestCase


class TestApplied:
    """The files already hold the patch: what is not rejected stays."""

    def test_nothing_decided_changes_nothing(self):
        decisions = Decisions(two_files(), applied=True)
        assert decisions.result() == decisions.untouched == two_files()
        assert not decisions.writes

    def test_only_rejected_hunks_are_left_out(self):
        decisions = Decisions(two_files(), applied=True)
        decisions.accept(decisions.places[0])
        assert not decisions.writes
        decisions.reject(decisions.places[3])
        assert decisions.writes
        assert decisions.result().files == two_files().files[:1]

    def test_a_stale_file_stays_as_it_is(self):
        decisions = Decisions(two_files(), applied=True)
        decisions.reject(decisions.places[3])
        decisions.mark_stale(1)
        assert decisions.result() == two_files()
