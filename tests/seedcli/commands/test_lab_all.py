import json

import pytest

from seedcli.commands import lab_all, lab_eval
from seedcli.errors import SettingsError
from tests.seedcli.commands.test_lab_eval import ROW, Scripted, seed_eval


@pytest.fixture
def editor(monkeypatch):
    made = Scripted()
    for module in (lab_eval, lab_all):
        monkeypatch.setattr(module, "open_editor", lambda model: made)
    return made


@pytest.fixture
def suites(tmp_path):
    folder = tmp_path / "suites"
    folder.mkdir()
    (folder / "quixbugs.jsonl").write_text(json.dumps(ROW) + "\n")
    (folder / "realcommits_dev.jsonl").write_text(
        json.dumps(ROW) + "\n" + json.dumps(ROW | {"id": "two"}) + "\n"
    )
    (folder / "notes.txt").write_text("no suite\n")
    return folder


def everything(suites, out, *more):
    nothing = suites / "nowhere.jsonl"
    return seed_eval("all", "--data", suites, "--held-out", nothing, "--out", out, *more)


def test_one_page_has_all_suites_whose_cases_are_there(editor, suites, tmp_path):
    done = everything(suites, tmp_path / "out")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out/report.md").read_text()
    assert "## quixbugs" in page
    assert "| solved within 4 tries | 100.0% |" in page
    assert "| random substitutions, 1 try |" in page
    assert "## realcommits_dev" in page
    assert (tmp_path / "out/report.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_finished_is_not_run_again_and_another_model_is(editor, suites, tmp_path, monkeypatch):
    everything(suites, tmp_path / "out")
    asked = editor.asked
    everything(suites, tmp_path / "out")
    assert editor.asked == asked
    everything(suites, tmp_path / "out", "--limit", 1)
    assert (
        editor.asked == asked + asked // 3
    )  # the commits, one of two; the only case of the other suite is known
    asked = editor.asked
    monkeypatch.setattr(
        Scripted, "info", Scripted.info.__class__("other", "1" * 12, "", 1, "float32", "cpu", 9, (), 0.5)
    )
    everything(suites, tmp_path / "out", "--only", "quixbugs")
    assert editor.asked > asked


def test_a_suite_that_cannot_be_read_is_named_and_the_others_run(editor, suites, tmp_path):
    (suites / "canitedit.jsonl").write_text("{}\n")
    done = everything(suites, tmp_path / "out")
    assert done.exit_code == 1
    page = (tmp_path / "out/report.md").read_text()
    assert "## Not measured\n\n- canitedit: " in page
    assert "## realcommits_dev" in page


def test_held_out_functions_make_suites_of_their_own(tmp_path):
    held_out = tmp_path / "held_out.jsonl"
    held_out.write_text("")
    plans = list(lab_all.planned(None, held_out, 7, ""))
    assert [(plan.name, plan.arguments[-2:]) for plan in plans] == [
        ("repair", ("--count", "7")),
        ("told", ("--count", "7")),
        ("recipes", ("--each", "7")),
        ("idle", ("--each", "7")),
    ]


@pytest.mark.parametrize("only", ["humaneval", "quixbug"])
def test_a_suite_that_is_not_there_is_named(editor, suites, only):
    with pytest.raises(SettingsError, match=only):
        list(lab_all.planned(suites, suites / "nowhere.jsonl", 0, only))


def test_an_empty_folder_is_an_error(editor, tmp_path):
    done = everything(tmp_path, tmp_path / "out")
    assert isinstance(done.exception, SettingsError)


def test_an_interrupt_ends_the_run_and_finishes_nothing(editor, suites, tmp_path, monkeypatch):
    everything(suites, tmp_path / "out", "--only", "quixbugs")
    done = tmp_path / "out/quixbugs.done"
    assert done.exists()
    (suites / "quixbugs.jsonl").write_text(json.dumps(ROW | {"id": "another"}) + "\n")

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(editor, "propose", interrupted, raising=False)
        assert everything(suites, tmp_path / "out", "--only", "quixbugs").exit_code == 130
    assert not done.exists()


def test_other_cases_of_the_same_name_are_measured(editor, suites, tmp_path):
    everything(suites, tmp_path / "out", "--only", "quixbugs")
    asked = editor.asked
    (suites / "quixbugs.jsonl").write_text(json.dumps(ROW | {"id": "another"}) + "\n")
    everything(suites, tmp_path / "out", "--only", "quixbugs")
    assert editor.asked > asked


def test_a_note_that_was_cut_off_counts_as_none(editor, suites, tmp_path):
    everything(suites, tmp_path / "out", "--only", "quixbugs")
    (tmp_path / "out/quixbugs.done").write_text("")
    assert everything(suites, tmp_path / "out", "--only", "quixbugs").exit_code == 0
    assert json.loads((tmp_path / "out/quixbugs.done").read_text())["revision"]
