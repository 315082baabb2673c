"""`seed edit --model FOLDER` with tiny checkpoints of every family: random weights write nonsense, which is refused."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.opening import open_editor
from tests.engine.checkpoints.families.tiny_folders import tiny_folder
from tests.engine.checkpoints.families.tiny_gemma import STEPS, tiny_gemma
from tests.engine.checkpoints.families.vendors import CONFIGS
from tests.seedcli.commands.conftest import Seed

REFUSED = ("no usable edit", "would not parse", "no edit that the model would stand by")


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(CONFIGS))
def test_nonsense_is_refused(family: str, seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / family, family)
    before = (repo / "calc.py").read_bytes()
    done = seed("edit", "fix the bug", "calc.py::add", "--model", str(folder), "-y", "--json", model=None)
    assert done.code == 3
    table = done.json
    assert (table["outcome"], table["patch"], table["model"]["name"]) == ("no_edit", "", family)
    assert any(words in table["message"] for words in REFUSED), table["message"]
    assert table["forwards"] >= table["rounds"] > 0
    assert table["tokens"] == {"region": len("def add(a, b):\n    return a - b\n"), "changed": 0}
    assert table["seconds"]["model"] > 0
    assert (repo / "calc.py").read_bytes() == before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch's own, on its way
def test_transformers_writes_where_it_has_the_network(seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_gemma(tmp_path / "m")
    before = (repo / "calc.py").read_bytes()
    ask = ("edit", "fix the bug", "calc.py::add", "--model", str(folder))
    done = seed(*ask, "-y", "--json", "-n", "2", model=None)
    table = done.json
    assert (done.code, done.err.count("\n"), table["outcome"], table["patch"]) == (3, 1, "no_edit", "")
    assert any(words in table["message"] for words in REFUSED), table["message"]
    assert table["model"]["name"] == "m"
    # steps of a canvas, and one forward that reads what stands before it; the two answers share none
    assert table["rounds"] % STEPS == table["forwards"] % (STEPS + 1) == 0
    assert table["forwards"] > table["rounds"] // STEPS * (STEPS + 1) > 0
    assert table["seconds"]["model"] > 0
    assert (repo / "calc.py").read_bytes() == before

    for weights in ("bfloat16", "float32"):
        assert seed(*ask, "--weights", weights, model=None).code == 3
        assert open_editor(folder, weights).info.dtype == weights
    for weights in ("int8", "int4"):
        done = seed(*ask, "--weights", weights, model=None)
        (line,) = done.err.splitlines()
        assert (done.code, done.out) == (3, b"")
        assert f"cannot be packed as {weights}" in line
        assert "take bfloat16 or float32" in line


@pytest.mark.slow
def test_without_transformers_it_says_what_to_install(
    seed: Seed, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_gemma(tmp_path / "m")
    for module, words in (
        (None, "install it: pip install transformers"),
        (SimpleNamespace(__version__="4.46.0"), "transformers 4.46.0 has no DiffusionGemmaForBlockDiffusion"),
    ):
        monkeypatch.setitem(sys.modules, "transformers", module)
        done = seed("edit", "fix the bug", "calc.py::add", "--model", str(folder), model=None)
        (line,) = done.err.splitlines()
        assert (done.code, done.out) == (3, b"")
        assert words in line


def test_it_says_so_in_one_line(seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "sdar")
    done = seed(
        "edit", "fix the bug", "calc.py::add", "--model", str(folder), "--context", "calc.py", model=None
    )
    assert (done.code, done.out) == (3, b"")
    (line,) = done.err.splitlines()
    assert line.startswith("seed: calc.py:1 add: ")
    assert any(words in line for words in REFUSED)


def test_what_a_stranger_put_into_the_folder_is_not_run(seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "sdar")
    assert "SystemExit" in (folder / "modeling_sdar.py").read_text()
    (folder / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    done = seed("edit", "fix", "calc.py", "--model", str(folder), model=None)
    assert done.code == 3
    (line,) = done.err.splitlines()
    assert "the chat template is refused: SecurityError" in line


def test_a_folder_without_tokenizer_says_so(seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "llama")
    (folder / "tokenizer.json").unlink()
    done = seed("edit", "fix", "calc.py", "--model", str(folder), model=None)
    assert done.code == 3
    assert "has no tokenizer: neither tokenizer.json nor vocab.json with merges.txt" in done.err


def test_scanning_needs_an_edit_model(seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "qwen3")
    done = seed("scan", "calc.py", "--model", str(folder), model=None)
    assert done.code == 3
    assert "writes regions anew" in done.err


@pytest.mark.parametrize("weights", ["bfloat16", "float32", "int8", "int4"])
def test_weights_are_held_as_asked(weights: str, seed: Seed, repo: Path, tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path / "m", "sdar")
    flags = ("--model", str(folder), "--weights", weights)
    assert seed("edit", "fix the bug", "calc.py::add", *flags, model=None).code == 3
    assert open_editor(folder, weights).info.dtype == weights


def test_other_weights_are_refused(seed: Seed, repo: Path) -> None:
    done = seed("edit", "fix the bug", "calc.py::add", "--weights", "int3", model=None)
    assert done.code == 2
    assert "--weights must be one of bfloat16, float32, int8, int4, not 'int3'" in done.err
    done = seed("edit", "fix the bug", "calc.py::add", "--weights", "int4", model=None)
    assert done.code == 3
    assert "dtype int4 is not one of" in done.err
