import json
import random
import subprocess
from importlib.metadata import version
from platform import python_version

import pytest

from engine.data.corpus import build, read_rows
from engine.data.decontamination import Barrier, texts_of_suites
from engine.data.regions import regions
from engine.data.sources import Source, read_sources
from engine.errors import DataError


def function(name, lines=8):
    body = "".join(f"    {name}_{i} = compute_{name}({i}, other={i * 7})\n" for i in range(lines))
    return f"def {name}(argument):\n{body}    return {name}_0\n"


@pytest.fixture
def repository(tmp_path):
    """A bare git repository with two files."""
    work, bare = tmp_path / "work", tmp_path / "repository"
    work.mkdir()
    (work / "a.py").write_text(function("alpha") + "\n\n" + function("beta") + "\nX = 1\nY = 2\nZ = X + Y\n")
    (work / "vendor").mkdir()
    (work / "vendor" / "b.py").write_text(function("gamma"))
    (work / "broken.py").write_text("def (:\n")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x"]
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "c"],
        ["clone", "-q", "--bare", ".", str(bare)],
    ):
        subprocess.run([*git, *command], cwd=work, check=True, capture_output=True)
    return bare


def source(path, **more):
    return Source(**({"name": path.name, "licence": "MIT", "path": path, "limit": 100} | more))


def test_a_bare_repository_and_its_folder_give_the_same_files(repository):
    from_git = dict(source(repository).files())
    from_folder = dict(source(repository.parent / "work").files())
    assert from_git == from_folder
    assert set(from_git) == {"a.py", "vendor/b.py", "broken.py"}
    assert "vendor/b.py" not in dict(source(repository, skip=("/vendor/",)).files())


def test_evaluation_code_never_enters_a_corpus(repository, tmp_path):
    held = tmp_path / "held"
    held.mkdir()
    (held / "h.py").write_text(function("held", 12))
    (held / "copy.py").write_text(function("alpha"))
    copied = source(held, name="copies")
    card = build(
        tmp_path / "corpus",
        [source(repository), copied],
        [source(held)],
        [function("beta")],
        draw=5,
        seed=1,
        tell=str,
    )
    texts = [row.text for row in read_rows(tmp_path / "corpus/regions.jsonl")]
    drawn = [row.text for row in read_rows(tmp_path / "corpus/held_out.jsonl")]
    assert sorted(drawn) == sorted([function("held", 12), function("alpha")])
    assert not any("alpha" in text or "beta" in text or "held" in text for text in texts)
    assert any("gamma" in text for text in texts)
    assert any(text.startswith("X = 1") for text in texts)
    assert card["sources"]["repository"]["barred"] == 2
    assert json.loads((tmp_path / "corpus/card.json").read_text())["regions"] == len(texts)


def test_near_duplicates_enter_a_corpus_once(repository, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    (copies / "c.py").write_text(function("alpha", 30).replace("argument", "parameter"))
    (copies / "d.py").write_text(function("alpha", 30) + "\n\n" + function("delta", 30))
    card = build(tmp_path / "corpus", [source(copies)], [], [], draw=0, seed=1, tell=str)
    texts = [row.text for row in read_rows(tmp_path / "corpus/regions.jsonl")]
    assert sorted(text.split("(")[0] for text in texts) == ["def alpha", "def delta"]
    assert card["sources"]["copies"]["near_duplicates"] == 1


def test_the_same_seed_builds_the_same_corpus(repository, tmp_path):
    for name in "ab":
        build(tmp_path / name, [source(repository)], [], [], draw=0, seed=4, tell=str)
    assert (tmp_path / "a/regions.jsonl").read_bytes() == (tmp_path / "b/regions.jsonl").read_bytes()


def test_a_barrier_bars_near_copies_and_long_runs():
    barrier = Barrier([function("alpha", 6)])
    assert barrier.bars(function("alpha", 6).replace("argument", "parameter"))
    assert barrier.bars(function("other") + function("alpha", 6)[40:330])
    assert not barrier.bars(function("other"))


def test_regions_are_whole_lines_with_decorators():
    text = (
        "import x\nimport y\n\n@d\ndef f():\n    def g(): pass\n    return g\n\n"
        "class C:\n    a = 1\n\n    async def m(self):\n        pass\n"
    )
    found = list(regions(text))
    assert [(r.kind, r.name) for r in found] == [("module", ""), ("function", "f"), ("method", "C.m")]
    assert found[1].text == "@d\ndef f():\n    def g(): pass\n    return g\n"
    assert found[2].text.startswith("    async def")


def test_a_licence_that_does_not_permit_training_is_refused(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[[train]]\nname = "x"\nlicence = "GPL-3.0"\nrepository = "x"\n')
    with pytest.raises(DataError, match=r"GPL-3\.0"):
        read_sources(path, tmp_path)


def test_a_missing_repository_is_named(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[[train]]\nname = "x"\nlicence = "MIT"\nrepository = "nowhere"\n')
    with pytest.raises(DataError, match="nowhere"):
        read_sources(path, tmp_path)


def test_the_folder_above_a_repository_is_not_taken_for_it(repository, tmp_path):
    (tmp_path / "fetched").mkdir()
    repository.rename(tmp_path / "fetched" / "repository")
    path = tmp_path / "sources.toml"
    path.write_text('[[held_out]]\nname = "x"\nlicence = "MIT"\nrepository = "fetched"\n')
    with pytest.raises(DataError, match=r"source x: no Python file in .*fetched; is it"):
        read_sources(path, tmp_path)


def test_a_work_tree_is_read_through_its_history(repository, tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[[train]]\nname = "x"\nlicence = "MIT"\nrepository = "work"\n')
    (tmp_path / "work" / "uncommitted.py").write_text(function("delta"))
    [found], _ = read_sources(path, tmp_path)
    assert found.path == tmp_path / "work" / ".git"
    assert {name for name, _ in found.files()} == {"a.py", "vendor/b.py", "broken.py"}


def test_what_sources_were_read_at_is_told(repository, tmp_path):
    path = tmp_path / "sources.toml"
    entries = ('repository = "repository"', 'package = "git"', "stdlib = true")
    path.write_text(
        "".join(f'[[train]]\nname = "{i}"\nlicence = "MIT"\n{entry}\n' for i, entry in enumerate(entries))
    )
    head = subprocess.run(
        ["git", "-C", repository, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    train, _ = read_sources(path, tmp_path)
    assert [s.version for s in train] == [head.stdout.strip(), version("gitpython"), python_version()]


def test_limits_draw_at_random(repository):
    from engine.data.corpus import collect

    rows = list(collect(source(repository, limit=2), set(), random.Random(0)))
    assert len(rows) == 2


def test_suites_are_read_wherever_they_lie(tmp_path):
    deep = tmp_path / "exercises/two"
    deep.mkdir(parents=True)
    text = function("deep", 6) + "\u2028"
    (tmp_path / "rows.jsonl").write_text(json.dumps({"before": text, "id": 1}, ensure_ascii=False) + "\n\n")
    (deep / "example.py").write_text(function("example", 6))
    assert list(texts_of_suites(tmp_path)) == [function("example", 6), text]


@pytest.mark.parametrize("name", ["nowhere", "rows.jsonl"])
def test_a_folder_with_nothing_to_keep_out_is_an_error(tmp_path, name):
    (tmp_path / "rows.jsonl").write_text("{\n")
    with pytest.raises(DataError, match=name):
        list(texts_of_suites(tmp_path / "nowhere" if name == "nowhere" else tmp_path))


def test_a_row_that_is_none_is_named_with_its_line(tmp_path):
    path = tmp_path / "held_out.jsonl"
    path.write_text('{"source": "s", "kind": "function", "text": "x = 1"}\n{"source": "s"')
    with pytest.raises(DataError, match=r"held_out\.jsonl, line 2"):
        read_rows(path)


@pytest.mark.parametrize(
    "entry",
    [
        'licence = "MIT"',
        'name = "a"\nlicence = "MIT"',
        'name = "a"\nlicence = "MIT"\nstdlib = true\nlimit = "many"',
    ],
)
def test_a_source_that_lacks_something_is_named(tmp_path, entry):
    (tmp_path / "sources.toml").write_text(f"[[train]]\n{entry}\n")
    with pytest.raises(DataError, match="source"):
        read_sources(tmp_path / "sources.toml", tmp_path)
