"""The review on a terminal that can only print lines: one hunk after the other, and keys as in `git add -p`.

Reads and writes the text streams that it is given; knows nothing of Textual.
"""

from collections.abc import Callable
from typing import TextIO

from seedcli.errors import SeedError
from seedcli.patches.patch import FilePatch, Hunk, Patch, counts
from seedcli.review.decisions import Decisions, Place
from seedcli.review.external_editor import edit_lines
from seedcli.review.file_text import FileText
from seedcli.review.staleness import ReadBytes, is_stale
from seedcli.review.visible_text import visible, visible_name

_SIGNS = {"context": " ", "removed": "-", "added": "+"}
_KEYS = "y,n,q,a,d,j,k,e,u,?"
_HELP = """\
y - take this hunk
n - do not take this hunk
q - quit: neither this hunk nor the remaining ones are taken
a - take this hunk and all later ones in the file
d - take neither this hunk nor any of the later ones in the file
j - leave this hunk undecided, go to the next undecided one
k - leave this hunk undecided, go to the previous undecided one
e - edit this hunk's new lines in $EDITOR, then take it
u - undo the last decision
? - print help"""


def review_lines(
    patch: Patch, *, title: str, read_bytes: ReadBytes, input: TextIO, output: TextIO, applied: bool = False
) -> Patch | None:
    """Ask about every hunk in turn; return the accepted part, or None if interrupted (Ctrl-C).

    Leaving early (q, or the end of the input) rejects what is undecided; what was accepted until then is
    returned only if the user confirms it. Of an applied patch all is returned but what was rejected.
    """
    if not patch.files:
        return patch
    try:
        return _LinePrompt(Decisions(patch, applied=applied), read_bytes, input, output).run(title)
    except KeyboardInterrupt:
        output.write("\n")
        return None


class _LinePrompt:
    def __init__(self, decisions: Decisions, read_bytes: ReadBytes, input: TextIO, output: TextIO) -> None:
        self._decisions = decisions
        self._read_bytes = read_bytes
        self._input = input
        self._output = output
        self._shown_file: FilePatch | None = None
        self._answers: dict[str, Callable[[Place], None]] = {
            "y": self._accept,
            "n": self._decisions.reject,
            "a": self._accept_file,
            "d": self._decisions.reject_file,
            "e": self._edit,
        }

    def run(self, title: str) -> Patch:
        if title:
            self._print(visible_name(title))
        verb = "Keep" if self._decisions.applied else "Take"
        while (place := self._decisions.cursor) is not None and not self._decisions.is_complete:
            self._show(place)
            number = f"({place.hunk + 1}/{self._hunks_beside(place)})"
            answer = self._ask(f"{number} {verb} this hunk [{_KEYS}]? ")
            if answer in ("q", ""):
                return self._quit()
            self._obey(answer, place)
        return self._result()

    # Answers

    def _obey(self, answer: str, place: Place) -> None:
        if answer in self._answers:
            self._decide(self._answers[answer], place)
        elif answer in ("j", "k"):
            if not self._decisions.move_to_undecided(1 if answer == "j" else -1):
                self._print("There is no other undecided hunk.")
        elif answer == "u":
            if self._decisions.undo() is None:
                self._print("There is nothing to undo.")
        else:
            self._print(_HELP)

    def _decide(self, answer: Callable[[Place], None], place: Place) -> None:
        try:
            answer(place)
        except SeedError as error:
            self._print(str(error))
        if self._decisions.state(place) != "undecided" or self._decisions.is_stale(place.file):
            self._decisions.move_to_undecided()

    def _accept(self, place: Place) -> None:
        self._look_at_file(place.file)
        self._decisions.accept(place)

    def _accept_file(self, place: Place) -> None:
        self._look_at_file(place.file)
        self._decisions.accept_file(place)

    def _edit(self, place: Place) -> None:
        file = self._decisions.patch.files[place.file]
        if not file.hunks:
            self._print("There are no lines to edit.")
            return
        self._output.flush()
        lines = edit_lines(file.hunks[place.hunk], file.path)
        if lines is None:
            self._print("The hunk was not changed, and is still undecided.")
            return
        self._look_at_file(place.file)
        self._decisions.edit(place, lines)

    def _look_at_file(self, index: int) -> None:
        """Note whether the file still is what the patch was made from."""
        self._decisions.mark_stale(index, is_stale(self._decisions.patch.files[index], self._read_bytes))

    # Leaving

    def _quit(self) -> Patch:
        if self._decisions.writes:
            tally, applied = self._decisions.tally(), self._decisions.applied
            deed = "Take back what was rejected" if applied else "Write what was accepted"
            count = _hunks(tally.rejected if applied else tally.accepted)
            if self._ask(f"{deed} ({count}) [y,n]? ") != "y":
                return self._decisions.untouched
        return self._result()

    def _result(self) -> Patch:
        for index, file in enumerate(self._decisions.patch.files):
            accepted = any(self._decisions.state(p) == "accepted" for p in self._decisions.places_of(index))
            self._look_at_file(index)
            if accepted and self._decisions.is_stale(index):
                self._print(f"{visible_name(file.path)} changed on disk meanwhile: its hunks are left out.")
        return self._decisions.result()

    # Showing

    def _show(self, place: Place) -> None:
        file = self._decisions.patch.files[place.file]
        if self._shown_file is None or self._shown_file.path != file.path:
            self._show_file(file)
        self._shown_file = file
        if not file.hunks:
            self._print("(no line changes)")
            return
        text = FileText(file)
        self._print(_range_of(file.hunks[place.hunk], text.heading(place.hunk)))
        lines = text.lines(place.hunk)
        for index in range(len(lines)):
            shown = visible(lines[index].raw, text.encoding)
            self._print(_SIGNS[lines[index].kind] + shown.text)
            if shown.has_escapes:
                self._print("\\ The line above holds hidden characters, shown as escapes.")

    def _show_file(self, file: FilePatch) -> None:
        added, removed = counts(file)
        kind = " (new file)" if file.old is None else " (deleted)" if file.new is None else ""
        self._print(f"\n{visible_name(file.path)}{kind}  +{added} -{removed}")
        for note in file.notes:
            self._print(f"! {visible_name(note)}")

    def _hunks_beside(self, place: Place) -> int:
        return len(self._decisions.places_of(place.file))

    def _ask(self, question: str) -> str:
        """The first letter of the answer; "" at the end of the input."""
        while True:
            self._write(question)
            self._output.flush()
            line = self._input.readline()
            if not line:
                self._write("\n")
                return ""
            if line.strip():
                return line.strip()[0].lower()

    def _print(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        encoding = self._output.encoding or "utf-8"
        self._output.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _range_of(hunk: Hunk, heading: str) -> str:
    old = f"-{hunk.old_start + 1},{len(hunk.old_lines)}"
    new = f"+{hunk.new_start + 1},{len(hunk.new_lines)}"
    return f"@@ {old} {new} @@ {visible_name(heading)}".rstrip()


def _hunks(count: int) -> str:
    return f"{count} hunk" if count == 1 else f"{count} hunks"
