"""What a reviewer decided about each hunk of a patch, where the cursor stands, and how to take a decision
back.

Pure state: knows nothing of screens, keys, files on disk or of writing. A file whose change no line shows (an
empty file made, a mode changed) has no hunks; it still takes one decision, as if it had one hunk numbered 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from seedcli.errors import ConflictError
from seedcli.patches.patch import FilePatch, Patch, replace_hunk, select

State = Literal["undecided", "accepted", "rejected"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One hunk: indices into `Patch.files` and `FilePatch.hunks`."""

    file: int
    hunk: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many hunks stand in which state; the hunks of stale files count as stale only."""

    accepted: int
    rejected: int
    undecided: int
    stale: int


@dataclass(frozen=True, slots=True)
class _Step:
    """What one decision replaced, so that it can be taken back."""

    states: tuple[tuple[Place, State], ...]
    cursor: int
    file: tuple[int, FilePatch] | None = None


class Decisions:
    """The decisions over one patch. The cursor stands on a place as long as there is one."""

    def __init__(self, patch: Patch, *, applied: bool = False) -> None:
        self.applied = applied
        """Do the files already hold the patch, so that only rejected hunks change them?"""
        self.patch = patch
        """With the hunks as the reviewer edited them."""
        self.untouched = patch if applied else Patch(())
        """The result that leaves every file as it is."""
        self._kept: tuple[State, ...] = ("accepted", "undecided") if applied else ("accepted",)
        self.places = tuple(_places(patch))
        """Every hunk, in the order of the patch."""
        self._index = {place: index for index, place in enumerate(self.places)}
        self._states: dict[Place, State] = dict.fromkeys(self.places, "undecided")
        self._cursor = 0
        self._steps: list[_Step] = []
        self._stale: set[int] = set()

    # What stands

    def state(self, place: Place) -> State:
        """The decision about this hunk; a stale file's hunks keep theirs, but it no longer counts."""
        return self._states[place]

    def is_stale(self, file: int) -> bool:
        """Did this file change on disk since the patch was made?"""
        return file in self._stale

    def places_of(self, file: int) -> tuple[Place, ...]:
        """The hunks of one file."""
        return tuple(Place(file, hunk) for hunk in range(_decisions_in(self.patch.files[file])))

    def tally(self) -> Tally:
        """Counts over the whole patch."""
        states = [self._states[place] for place in self.places if place.file not in self._stale]
        return Tally(
            accepted=states.count("accepted"),
            rejected=states.count("rejected"),
            undecided=states.count("undecided"),
            stale=len(self.places) - len(states),
        )

    @property
    def is_complete(self) -> bool:
        """Is every hunk decided that still can be?"""
        return not any(self._is_open(place) for place in self.places)

    @property
    def writes(self) -> bool:
        """Do the decisions change any file?"""
        return self.result() != self.untouched

    def result(self) -> Patch:
        """The accepted part: undecided, rejected and stale hunks are left out, and files without any
        other. Of an applied patch only rejected hunks are left out, and stale files stay as they are.
        """
        kept: list[FilePatch] = []
        for index, file in enumerate(self.patch.files):
            if index in self._stale:
                kept.extend(f for f in self.untouched.files if f.path == file.path)
                continue
            accepted = [p.hunk for p in self.places_of(index) if self._states[p] in self._kept]
            if not accepted:
                continue
            if not file.hunks:
                kept.append(file)
            else:
                kept.extend(select(Patch((file,)), [(0, hunk) for hunk in accepted]).files)
        return Patch(tuple(kept))

    # Deciding

    def accept(self, place: Place) -> None:
        """Take this hunk. Raises ConflictError if its file is stale."""
        self._refuse_stale(place.file)
        self._decide([place], "accepted")

    def reject(self, place: Place) -> None:
        """Leave this hunk out."""
        self._decide([place], "rejected")

    def accept_file(self, place: Place) -> None:
        """Take this hunk and the later undecided ones of its file. Raises ConflictError if the file is
        stale.
        """
        self._refuse_stale(place.file)
        self._decide(self._and_later_ones(place), "accepted")

    def reject_file(self, place: Place) -> None:
        """Leave out this hunk and the later undecided ones of its file."""
        self._decide(self._and_later_ones(place), "rejected")

    def edit(self, place: Place, new_lines: tuple[bytes, ...]) -> None:
        """Put other lines in place of this hunk's new lines, and take it.

        Lines equal to the old ones leave nothing to take: the hunk is then rejected and stays as it was
        proposed. Raises ConflictError if the file is stale.
        """
        self._refuse_stale(place.file)
        file = self.patch.files[place.file]
        if new_lines == file.hunks[place.hunk].old_lines:
            self.reject(place)
            return
        edited = replace_hunk(file, place.hunk, new_lines)
        assert len(edited.hunks) == len(file.hunks), "editing one hunk leaves the others their places"
        self._decide([place], "accepted", before=(place.file, file))
        self._put_file(place.file, edited)

    def undo(self) -> Place | None:
        """Take the last decision back and return to where it was made; None if there is none left."""
        if not self._steps:
            return None
        step = self._steps.pop()
        self._states.update(step.states)
        if step.file is not None:
            self._put_file(*step.file)
        self._cursor = step.cursor
        return self.cursor

    def mark_stale(self, file: int, stale: bool = True) -> None:
        """Note that a file changed on disk, or that it again holds the bytes that the patch was made from."""
        (self._stale.add if stale else self._stale.discard)(file)

    # Moving

    @property
    def cursor(self) -> Place | None:
        """The hunk under review; None in an empty patch."""
        return self.places[self._cursor] if self.places else None

    def move_to(self, place: Place) -> None:
        """Put the cursor on this hunk."""
        self._cursor = self._index[place]

    def move(self, step: int) -> None:
        """Go forward or back by so many hunks, up to the ends."""
        self._cursor = max(0, min(self._cursor + step, len(self.places) - 1))

    def move_file(self, step: int) -> None:
        """Go to the first hunk of the file so many files on or back, up to the ends."""
        if self.places:
            file = self.places[self._cursor].file + step
            self.move_to(Place(max(0, min(file, len(self.patch.files) - 1)), 0))

    def move_to_undecided(self, step: Literal[1, -1] = 1) -> bool:
        """Go to the nearest undecided hunk in that direction, round the end; False if there is no other."""
        count = len(self.places)
        for distance in range(1, count):
            index = (self._cursor + step * distance) % count
            if self._is_open(self.places[index]):
                self._cursor = index
                return True
        return False

    # Inside

    def _is_open(self, place: Place) -> bool:
        return self._states[place] == "undecided" and place.file not in self._stale

    def _and_later_ones(self, place: Place) -> list[Place]:
        later = self.places_of(place.file)[place.hunk + 1 :]
        return [place, *(p for p in later if self._states[p] == "undecided")]

    def _refuse_stale(self, file: int) -> None:
        if file in self._stale:
            path = self.patch.files[file].path
            raise ConflictError(
                f"{path} changed on disk after this patch was made: run again to get a fresh one"
            )

    def _decide(
        self, places: list[Place], state: State, *, before: tuple[int, FilePatch] | None = None
    ) -> None:
        was = tuple((place, self._states[place]) for place in places)
        self._steps.append(_Step(was, self._cursor, before))
        self._states.update(dict.fromkeys(places, state))

    def _put_file(self, index: int, file: FilePatch) -> None:
        files = self.patch.files
        self.patch = replace(self.patch, files=(*files[:index], file, *files[index + 1 :]))


def _decisions_in(file: FilePatch) -> int:
    return max(1, len(file.hunks))


def _places(patch: Patch) -> Iterator[Place]:
    for index, file in enumerate(patch.files):
        yield from (Place(index, hunk) for hunk in range(_decisions_in(file)))
