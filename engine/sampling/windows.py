"""A region longer than the model reads, edited in windows: each has a core of its own and margins that it only sees.

The cores tile the region; the margins are what stands before and after a core, so that every token is judged with text
on both its sides. Windows are edited side by side, each as a canvas. Pure lists, no tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.sampling.rounds import View


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens [start, end) of a region, of which the first `left` and the last `right` only are seen."""

    start: int
    end: int
    left: int = 0
    right: int = 0

    def core(self, canvas: Sequence[int]) -> list[int]:
        """What stands between the margins."""
        return [*canvas[self.left : len(canvas) - self.right]]

    def limited(self, row: Sequence[int], view: View) -> View:
        """A view of the window's canvas, which comes with its end token, in which the margins stay as they are.

        What is missing before the right margin is for the next window to insert, in which that token is no margin.
        """
        if not self.left and not self.right:
            return view
        last = len(row) - (self.right + 1 if self.right else 0)
        keep, best = list(view.keep), list(view.best)
        for i in (*range(self.left), *range(last, len(row))):
            keep[i], best[i] = 1.0, row[i]
        return View(keep, best, view.probability)


def windows(length: int, most: int, margin: int, starts: Sequence[int]) -> list[Window]:
    """Windows of at most `most` tokens that tile a region of so many; one where it fits.

    Args:
        margin: tokens that are seen on each side of a core, where there are so many.
        starts: places where a core may begin, ascending; where none is near, it begins anywhere.
    """
    if length <= most:
        return [Window(0, length)]
    found: list[Window] = []
    begin = 0
    while begin < length:
        left = min(margin, begin)
        rest = most - left
        end = length if length - begin <= rest else _cut(begin, begin + rest - margin, starts)
        right = min(margin, length - end)
        found.append(Window(begin - left, end + right, left, right))
        begin = end
    return found


def _cut(begin: int, end: int, starts: Sequence[int]) -> int:
    """The last start in the second half of [begin, end), or `end`."""
    near = [s for s in starts if (begin + end) // 2 < s <= end]
    return near[-1] if near else end


def joined(parts: Sequence[Sequence[int]]) -> list[int]:
    """Cores, one after another."""
    return [token for part in parts for token in part]
