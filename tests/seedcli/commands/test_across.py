"""`seed edit` beyond its targets: regions that Seed picks, and renames with all uses."""

import sqlite3
from pathlib import Path

import pytest

from engine.requests import EditRequest
from seedcli.finding.choosing import read_numbers
from seedcli.index.store import Store, database_of
from seedcli.model_client import ScriptedModel
from seedcli.repository.workspace import Workspace
from tests.seedcli.commands.conftest import Seed
from tests.seedcli.commands.scripted import replacing

IO = "def load(path):\n    return path\n\n\ndef save(path):\n    return load(path)\n"
APP = "from io_ import load as read\nimport io_\n\n\nclass App:\n    first = io_.load(1)\n\n    def run(self):\n"
APP += "        return read(2), io_.load(3)\n"
RENAME = ("--recipe", "rename", "old=load", "new=fetch", "--uses", "io_.py::load")
RENAMING = ScriptedModel(replacing({"load": "fetch"}))


@pytest.fixture
def app(repo: Path) -> Path:
    (repo / "io_.py").write_text(IO)
    (repo / "app.py").write_text(APP)
    return repo


def test_without_a_target_a_script_has_to_say_how_many(repo: Path, seed: Seed) -> None:
    done = seed("edit", "fix add")
    assert (done.code, done.out) == (2, b"")
    assert "--top K" in done.err
    assert seed("edit", "--top", "0", "fix add").code == 2
    assert "leave one of them out" in seed("edit", "--top", "1", "fix add", "calc.py").err


def test_the_most_probable_region_is_edited_and_named(repo: Path, seed: Seed) -> None:
    (repo / "other.py").write_text("def walk(tree):\n    return a - b\n")
    done = seed("edit", "--top", "1", "add must return the sum")
    assert (done.code, done.err.count("picked")) == (1, 1)
    assert "picked calc.py::add (calc.py:1, " in done.err
    assert b"+    return a + b" in done.out
    assert b"other.py" not in done.out
    assert seed("edit", "-y", "--top", "3", "add or walk").code == 0
    assert "a + b" in (repo / "other.py").read_text()


def test_nothing_that_is_like_the_instruction_is_an_error(repo: Path, seed: Seed) -> None:
    done = seed("edit", "--top", "2", "zebra xylophone")
    assert (done.code, done.out) == (2, b"")
    assert "has a word of 'zebra xylophone'" in done.err


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1", [1]), ("1,3", [1, 3]), ("2-4 1", [1, 2, 3, 4]), ("0", []), ("5", []), ("x", []), ("3-1", [])],
)
def test_a_person_may_choose_several(text: str, numbers: list[int]) -> None:
    assert read_numbers(text, 4) == numbers


def test_a_person_is_asked(repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedcli.edit_job.can_ask", lambda: True)
    done = seed("edit", "add or sub", stdin=b"nonsense\n2\n")
    assert " 1 calc.py::" in done.err
    assert done.err.count("picked") == 1
    assert done.err.count("which?") == 2
    assert seed("edit", "add or sub", stdin=b"q\n").code == 130


def test_a_named_target_waits_for_no_index(repo: Path, seed: Seed, home: Path) -> None:
    Store.open(Workspace.discover(repo)).close()
    database = database_of(Workspace.discover(repo))
    with sqlite3.connect(database, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")  # whoever opened the index now would wait for a minute
        assert seed("edit", "fix", "calc.py").code == 1
        connection.execute("ROLLBACK")
    connection.close()
    database.unlink()
    assert seed("edit", "fix", "calc.py").code == 1
    assert not database.exists()


def test_a_rename_reaches_all_uses_in_one_proposal(app: Path, seed: Seed) -> None:
    done = seed("edit", "-y", "--json", *RENAME, model=RENAMING)
    assert done.code == 0, done.err
    assert [file["path"] for file in done.json["files"]] == ["app.py", "io_.py"]
    assert (app / "io_.py").read_text() == IO.replace("load", "fetch")
    assert (app / "app.py").read_text() == APP.replace("load", "fetch")
    assert "5 places in 5 regions of 2 files mean load" in done.err
    assert "5 of 5 regions by the model (5 by the whole)" in done.err
    assert seed("undo").code == 0
    assert (app / "app.py").read_text() == APP


def test_an_instruction_may_say_the_rename(app: Path, seed: Seed) -> None:
    assert seed("edit", "-y", "Rename load to fetch", "io_.py::load", "--uses", model=RENAMING).code == 0
    assert (app / "app.py").read_text() == APP.replace("load", "fetch")


def test_a_wrong_region_stops_the_whole_rename_and_is_named(app: Path, seed: Seed) -> None:
    def wrong(request: EditRequest) -> str | None:
        return None if "load(3)" in request.region else request.region.replace("load", "fetch")

    done = seed("edit", "-y", *RENAME, model=ScriptedModel(wrong))
    assert done.code == 3
    assert "renames 1 of 5 regions wrong (app.py:8); nothing is proposed: --index-rest" in done.err
    assert (app / "io_.py").read_text() == IO
    assert (app / "app.py").read_text() == APP


def test_the_index_may_do_the_rest_and_says_so(app: Path, seed: Seed) -> None:
    def wrong(request: EditRequest) -> str | None:
        # More than was asked for is wrong as well.
        return request.region.replace("load", "fetch").replace("read", "write")

    done = seed("edit", "-y", "--index-rest", *RENAME, model=ScriptedModel(wrong))
    assert done.code == 0
    assert (
        "1 of 5 regions by the index, not by the model: app.py:1; 4 of 5 regions by the model (" in done.err
    )
    assert (app / "app.py").read_text() == APP.replace("load", "fetch")
    assert seed("edit", "--index-rest", "fix", "calc.py").code == 2


def test_statements_are_asked_for_where_a_region_is_wrong(app: Path, seed: Seed) -> None:
    def short_only(request: EditRequest) -> str | None:
        return request.region.replace("load", "fetch") if request.region.count("\n") < 2 else None

    done = seed("edit", "-y", *RENAME, model=ScriptedModel(short_only))
    assert done.code == 0, done.err
    assert (app / "io_.py").read_text() == IO.replace("load", "fetch")


def test_lines_are_asked_for_where_a_statement_is_wrong(app: Path, seed: Seed) -> None:
    def single_calls(request: EditRequest) -> str | None:
        one = request.region.count("load") == 1 and request.region.count("\n") == 1
        return request.region.replace("load", "fetch") if one else None

    (app / "app.py").write_text(
        "from io_ import load\n\n\ndef f():\n    return (\n        load(1),\n        load(2),\n    )\n"
    )
    assert seed("edit", "-y", *RENAME, model=ScriptedModel(single_calls)).code == 0
    assert (app / "app.py").read_text().count("fetch") == 3


def test_places_are_asked_for_where_a_line_is_wrong(app: Path, seed: Seed) -> None:
    def at_the_start(request: EditRequest) -> str | None:
        region = request.region
        return "fetch" + region[4:] if region.startswith("load") and region.count("load") == 1 else None

    done = seed("edit", "-y", *RENAME, model=ScriptedModel(at_the_start))
    assert done.code == 0, done.err
    assert "5 of 5 regions by the model (5 by the place)" in done.err
    assert (app / "app.py").read_text() == APP.replace("load", "fetch")


def test_a_parameter_is_renamed_with_the_keywords_of_callers(app: Path, seed: Seed) -> None:
    (app / "app.py").write_text("from io_ import load\npath = load(path=1)\n")
    words = ("--recipe", "rename", "old=path", "new=name", "--uses", "io_.py::load")
    done = seed("edit", "-y", "--index-rest", *words, model=ScriptedModel({}))
    assert done.code == 0, done.err
    assert (app / "app.py").read_text() == "from io_ import load\npath = load(name=1)\n"
    assert (app / "io_.py").read_text() == IO.replace(
        "load(path):\n    return path", "load(name):\n    return name"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("old=load", "new=save", "--uses", "io_.py::load"), "has 'save' already"),
        (("old=load", "new=1x", "--uses", "io_.py::load"), "is no name that Python"),
        (("old=load", "new=fetch", "--uses", "io_.py"), "needs the one definition"),
        (("old=load", "new=fetch", "--uses"), "no target"),
        (("old=none", "new=fetch", "--uses", "io_.py::load"), "has no parameter 'none'"),
    ],
)
def test_a_rename_that_cannot_be_whole_is_refused(
    app: Path, seed: Seed, words: tuple[str, ...], complaint: str
) -> None:
    done = seed("edit", "-y", "--recipe", "rename", *words, model=RENAMING)
    assert done.code == 2
    assert complaint in done.err
    assert (app / "io_.py").read_text() == IO


def test_places_that_may_mean_another_name_are_left_on_request(app: Path, seed: Seed) -> None:
    (app / "shapes.py").write_text(
        "class A:\n    def area(self): pass\n\n\nclass B:\n    def area(self): pass\n"
    )
    (app / "use.py").write_text("def f(x):\n    return x.area()\n")
    words = ("--recipe", "rename", "old=area", "new=size", "--uses", "shapes.py::A.area")
    model = ScriptedModel(replacing({"area": "size"}))
    refused = seed("edit", "-y", *words, model=model)
    assert refused.code == 2
    assert "use.py:2 return x.area() may mean another 'area'; --leave-unclear" in refused.err
    done = seed("edit", "-y", "--leave-unclear", *words, model=model)
    assert done.code == 0
    assert "left alone, may be another: use.py:2 return x.area()" in done.err
    assert (app / "shapes.py").read_text().count("area") == 1


def test_any_instruction_may_take_in_the_users_of_a_target(app: Path, seed: Seed) -> None:
    done = seed(
        "edit", "--uses", "use numbers", "io_.py::load", model=ScriptedModel(replacing({"read(2)": "2"}))
    )
    assert done.code == 1
    assert b"-        return read(2), io_.load(3)" in done.out
