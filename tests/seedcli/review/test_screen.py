import sys
import time
from contextlib import asynccontextmanager

import pytest

from seedcli.patches.patch import FilePatch, Patch, file_patch
from seedcli.review.decisions import Place
from seedcli.review.dialogs import HelpScreen, LeaveScreen
from seedcli.review.file_tree import FileTree
from seedcli.review.hunk_view import HunkView
from seedcli.review.screen import ReviewApp, review
from tests.seedcli.review.patches import ALPHA_NEW, BETA_NEW, two_files, unchanged


@asynccontextmanager
async def reviewing(patch=None, *, read_bytes=None, size=(80, 24)):
    """The real screen without a terminal; yields the app and its pilot."""
    patch = patch or two_files()
    app = ReviewApp(patch, title="seed edit", read_bytes=read_bytes or unchanged(patch), model_note="a model")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def shown(app, widget=HunkView):
    """The rows of a part of the screen."""
    view = app.query_one(widget)
    return [view.render_line(y).text for y in range(view.size.height)]


async def until(pilot, condition):
    """Give the screen ten seconds to get there."""
    for _ in range(100):
        if condition():
            return
        await pilot.pause(0.1)
    raise AssertionError("it did not come to that")


def said(app, name="message"):
    return str(app.query_one(f"#{name}").render())


def accepted(app):
    return {file.path: file.new for file in app.return_value.files}


async def test_yes_to_everything_then_write():
    async with reviewing() as (app, pilot):
        await pilot.press("y", "y", "y", "y", "w")
    assert accepted(app) == {"alpha.txt": ALPHA_NEW, "pkg/beta.py": BETA_NEW}


async def test_no_rest_undo_and_navigation():
    async with reviewing() as (app, pilot):
        await pilot.press("n", "a", "u", "y", "j", "k", "y", "right", "d")
        states = [app.decisions.state(place) for place in app.decisions.places]
        assert states == ["rejected", "accepted", "accepted", "rejected"]
        assert "all decided" in said(app)
        await pilot.press("enter")
    assert accepted(app) == {"alpha.txt": ALPHA_NEW.replace(b"line five", b"line 5")}


@pytest.mark.parametrize(("answer", "paths"), [("y", ["alpha.txt"]), ("n", [])])
async def test_quitting_asks_whether_to_write_what_was_accepted(answer, paths):
    async with reviewing() as (app, pilot):
        await pilot.press("y", "q")
        assert isinstance(app.screen, LeaveScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, LeaveScreen)
        await pilot.press("q", answer)
    assert list(accepted(app)) == paths


async def test_quitting_without_anything_accepted_does_not_ask():
    async with reviewing() as (app, pilot):
        await pilot.press("n", "q")
    assert app.return_value == Patch(())


async def test_the_question_can_be_clicked():
    async with reviewing() as (app, pilot):
        await pilot.press("y", "q")
        answers = app.screen.query_one("#answers")
        column = str(answers.render()).index("write") + (answers.size.width - len(str(answers.render()))) // 2
        await pilot.click("#answers", offset=(column, 0))
    assert list(accepted(app)) == ["alpha.txt"]


@pytest.mark.parametrize("keys", [["ctrl+c"], ["y", "q", "ctrl+c"], ["question_mark", "ctrl+c"]])
async def test_interrupting_gives_none(keys):
    async with reviewing() as (app, pilot):
        await pilot.press("y", *keys)
    assert app.return_value is None
    assert app.return_code == 0


async def test_enter_does_not_leave_before_anything_is_accepted():
    async with reviewing() as (app, pilot):
        await pilot.press("enter")
        assert app.is_running
        assert "nothing is accepted yet" in said(app)


async def test_edited_lines_are_taken(monkeypatch, tmp_path):
    script = tmp_path / "ed.py"
    script.write_text("import sys; open(sys.argv[1], 'w').write('    return 0\\n    # [red]\\n')")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    async with reviewing() as (app, pilot):
        await pilot.press("d", "e")
        assert any("+     return 0" in row for row in shown(app))
        await pilot.press("w")
    assert accepted(app) == {"pkg/beta.py": b"def total(items):\n    return 0\n    # [red]\n"}


async def test_a_failing_editor_is_told_and_changes_nothing(monkeypatch):
    monkeypatch.setenv("VISUAL", "false")
    async with reviewing() as (app, pilot):
        await pilot.press("e")
        assert "ended with 1" in said(app)
        assert app.decisions.tally().undecided == 4


async def test_a_file_that_changes_becomes_stale_and_is_left_out():
    disk = {file.path: file.old for file in two_files().files}
    async with reviewing(read_bytes=disk.get) as (app, pilot):
        await pilot.press("y", "y")
        disk["alpha.txt"] = b"other"
        await pilot.press("y")
        assert "alpha.txt changed on disk" in said(app)
        assert "3 stale" in said(app, "status")
        await pilot.press("right", "y", "w")
    assert list(accepted(app)) == ["pkg/beta.py"]


async def test_files_are_looked_at_without_any_key():
    disk = {file.path: file.old for file in two_files().files}
    async with reviewing(read_bytes=disk.get) as (app, pilot):
        await app.workers.wait_for_complete()
        disk["pkg/beta.py"] = None
        await until(pilot, lambda: app.decisions.is_stale(1))
        assert "pkg/beta.py changed on disk" in said(app)
        disk["pkg/beta.py"] = two_files().files[1].old
        await until(pilot, lambda: not app.decisions.is_stale(1))


async def test_a_change_behind_the_question_is_told_before_anything_is_written():
    disk = {file.path: file.old for file in two_files().files}
    async with reviewing(read_bytes=disk.get) as (app, pilot):
        await pilot.press("a", "y", "q")
        disk["alpha.txt"] = b"other"
        await until(pilot, lambda: app.decisions.is_stale(0))
        await pilot.press("y")
        assert app.is_running
        await pilot.press("w")
    assert list(accepted(app)) == ["pkg/beta.py"]


async def test_keys_in_the_footer_can_be_clicked():
    async with reviewing() as (app, pilot):
        await pilot.click("FooterKey")
        await pilot.pause()
        assert app.decisions.state(Place(0, 0)) == "accepted"


async def test_a_change_just_before_writing_is_noticed():
    disk = {file.path: file.old for file in two_files().files}
    async with reviewing(read_bytes=disk.get) as (app, pilot):
        await pilot.press("y", "y", "y", "y")
        disk["pkg/beta.py"] = b"other"
        await pilot.press("w")
        assert "will be left out" in said(app)
        await pilot.press("w")
    assert list(accepted(app)) == ["alpha.txt"]


async def test_clicks_choose_hunks_and_files():
    async with reviewing() as (app, pilot):
        heads = [y for y, row in enumerate(shown(app)) if "hunk 2 of 3" in row]
        await pilot.click(HunkView, offset=(20, heads[0] + 2))
        assert app.decisions.cursor == Place(0, 1)
        await pilot.click(FileTree, offset=(5, 1))
        assert app.decisions.cursor == Place(1, 0)
        assert any("hunk 1 of 1" in row for row in shown(app))


async def test_keys_act_on_a_hunk_that_can_be_seen():
    async with reviewing() as (app, pilot):
        await pilot.press("pagedown")
        seen = app.decisions.cursor
        assert seen > Place(0, 0)
        assert any(f"hunk {seen.hunk + 1} of" in row for row in shown(app))
        await pilot.press("end")
        assert app.decisions.cursor == Place(1, 0)
        await pilot.press("home")
        assert app.decisions.cursor == Place(0, 0)


async def test_reading_on_scrolls_through_a_long_hunk_before_the_next():
    patch = Patch((file_patch("a.py", b"x\n" + b"y\n" * 20, b"\n" * 60 + b"y\n" * 20 + b"z\n"),))
    async with reviewing(patch) as (app, pilot):
        await pilot.press("down")
        assert app.decisions.cursor == Place(0, 0)
        assert app.query_one(HunkView).scroll_offset.y > 0
        await pilot.press(*["down"] * 40)
        assert app.decisions.cursor == Place(0, 1)


async def test_all_keys_and_the_tally_fit_in_80_columns():
    async with reviewing() as (app, _):
        footer = app.query_one("Footer")
        assert [key.region.right <= 80 for key in footer.query("FooterKey")] == [True] * 9
        assert "0 accepted" in said(app, "status")
        assert [row.split() for row in shown(app, FileTree)] == [
            ["○", "alpha.txt", "+2", "-2"],
            ["○", "pkg/beta.py", "+1", "-1"],
        ]


async def test_a_wide_screen_has_the_files_beside_the_hunks():
    async with reviewing(size=(120, 30)) as (app, pilot):
        assert app.query_one(FileTree).region.right <= app.query_one(HunkView).region.x
        assert [row.split()[0] for row in shown(app, FileTree)[:3]] == ["○", "pkg/", "○"]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.query_one(FileTree).region.bottom <= app.query_one(HunkView).region.y
        assert max(len(row) for row in shown(app)) <= 80


@pytest.mark.parametrize("size", [(20, 5), (10, 3), (8, 24), (2, 2), (1, 1)])
async def test_a_terminal_of_any_size_and_back(size):
    async with reviewing(size=size) as (app, pilot):
        for key in "jan?":
            await pilot.press(key)
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await until(pilot, lambda: any("line 2" in row for row in shown(app)))
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert {len(row) for row in shown(app)} <= {app.query_one(HunkView).scrollable_content_region.width}


async def test_what_hides_is_shown():
    old = b"[red]name[/] = 1\n"
    new = "[red]name[/] = '\u202e\x1b[2J'\r\n".encode()
    async with reviewing(Patch((file_patch("a.py", old, new),))) as (app, _):
        rows = shown(app)
        assert any(r"+ [red]name[/] = '\u202e\x1b[2J'^M" in row for row in rows)
        assert any("line endings change from LF to CRLF" in row for row in rows)


async def test_a_change_without_lines_can_be_accepted():
    patch = Patch((FilePatch("run.sh", b"x\n", b"x\n", (), ("mode changes to 100755",)),))
    async with reviewing(patch) as (app, pilot):
        assert any("mode changes to 100755" in row for row in shown(app))
        await pilot.press("e", "y", "w")
    assert app.return_value == patch


def colours(app):
    view = app.query_one(HunkView)
    filtered = [
        view.render_line(y).apply_filter(f, view.background_colors[1])
        for f in app._filters
        if f.enabled
        for y in range(10)
    ]
    return {
        segment.style.color
        for strip in filtered
        for segment in strip
        if segment.style and segment.style.color
    }


async def test_without_colours_signs_and_underlines_tell(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with reviewing() as (app, pilot):
        await pilot.press("right")
        assert all(colour.is_default for colour in colours(app))
        strips = [app.query_one(HunkView).render_line(y) for y in range(24)]
        underlined = [s.text for strip in strips for s in strip if s.style and s.style.underline]
        assert "".join(underlined).strip() == "+ 1"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_added_and_removed_lines_differ_in_both_themes(theme):
    async with reviewing() as (app, pilot):
        if theme != app.theme:
            await pilot.press("t")
        assert app.theme == theme
        strips = [app.query_one(HunkView).render_line(y) for y in range(12)]
        grounds = [
            {list(strip)[-1].style.bgcolor for strip in strips if text in strip.text}
            for text in ("- line 5", "+ line five", "  line 4")
        ]
        assert all(len(ground) == 1 for ground in grounds)
        assert len(set.union(*grounds)) == 3


async def test_help_opens_and_any_of_its_keys_closes_it():
    async with reviewing() as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert app.screen.query_one("Static").region.height <= 22
        await pilot.press("escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_huge_patches_do_not_freeze():
    many = b"".join(b"a = %d\n# %d\n" % (i, i) for i in range(1_000))
    long_hunk = b"".join(b"value_%d = %d\n" % (i, i) for i in range(10_000))
    patch = Patch(
        (
            file_patch("many.py", many, many.replace(b"a = ", b"b = ")),
            file_patch("long.py", None, long_hunk),
            file_patch("wide.py", b"x = 1\n", b"x = '" + b"y" * 1_000_000 + b"'\n"),
        )
    )
    start = time.process_time()
    async with reviewing(patch) as (app, pilot):
        await pilot.press("y", "j", "k", "right", "y", "right", "n", "home", "end", "pageup")
        assert len(app.decisions.places) == 1_002
        assert app.decisions.tally().accepted == 2
        await pilot.press("q", "y")
    assert time.process_time() - start < 4
    assert [file.path for file in app.return_value.files] == ["many.py", "long.py"]


def test_an_empty_patch_needs_no_screen():
    assert review(Patch(()), read_bytes={}.get) == Patch(())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("q", {"alpha.txt", "pkg/beta.py"}),
        ("wq", {"alpha.txt", "pkg/beta.py"}),
        ("ddw", set()),
        ("aaw", {"alpha.txt", "pkg/beta.py"}),
        ("dqn", {"alpha.txt", "pkg/beta.py"}),
        ("dqy", {"pkg/beta.py"}),
    ],
)
async def test_of_an_applied_patch_only_what_is_rejected_is_left_out(keys, expected):
    patch = two_files()
    app = ReviewApp(patch, read_bytes=unchanged(patch), applied=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert {file.path for file in app.return_value.files} == expected
