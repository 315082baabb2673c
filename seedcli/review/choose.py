"""Which review this terminal gets: the screen, or the prompt line by line. Imports Textual for the screen
only.
"""

import sys

from seedcli.patches.patch import Patch
from seedcli.review.staleness import ReadBytes
from seedcli.review.terminal import can_show_screen, on_terminal


def review_patch(
    patch: Patch, *, title: str = "", read_bytes: ReadBytes, model_note: str = "", applied: bool = False
) -> Patch | None:
    """Let the user decide about every hunk; keys come from /dev/tty where stdin is no terminal.

    Args:
        patch: the proposed changes, against the files as they stand.
        title: what is reviewed, in a few words.
        read_bytes: a file's present bytes; a file that no longer holds the patch's old bytes cannot be
            accepted.
        model_note: where the patch comes from, in a few words.
        applied: the files already hold the patch; all is returned but what the user rejects.

    Returns:
        The accepted part, which may be empty; None if the user interrupted the review (Ctrl-C): exit with
        130.

    Raises:
        SeedError: there is no terminal.
    """
    if not patch.files:
        return patch
    with on_terminal():
        if can_show_screen():
            from seedcli.review.screen import review

            return review(patch, title=title, read_bytes=read_bytes, model_note=model_note, applied=applied)
        from seedcli.review.line_prompt import review_lines

        heading = " · ".join(filter(None, (title, model_note)))
        with open(0, closefd=False, errors="replace") as keys:
            return review_lines(
                patch, title=heading, read_bytes=read_bytes, input=keys, output=sys.stderr, applied=applied
            )
