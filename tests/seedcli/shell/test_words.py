"""What may stand at the cursor, as `seed completion words` tells it."""

from pathlib import Path

import pytest

from seedcli.main import COMMANDS
from tests.seedcli.commands.conftest import Seed, home, repo, seed

__all__ = ["home", "repo", "seed"]


def words(seed: Seed, line: str) -> list[str]:
    result = seed("completion", "words", "fish", line, model=None)
    assert result.code == 0
    return [row.partition("\t")[0] for row in result.out.decode().splitlines()]


@pytest.fixture
def tree(repo: Path) -> Path:
    (repo / "src").mkdir()
    (repo / "src/shop.py").write_text(
        "class Cart:\n    def add(self):\n        pass\n\n\ndef total():\n    pass\n"
    )
    (repo / "src/a b.py").write_text("")
    (repo / "src/__pycache__").mkdir()
    (repo / ".hidden").write_text("")
    (repo / ".seed/prompts").mkdir(parents=True)
    (repo / ".seed/prompts/ours.md").write_text("---\nname: ours\nsummary: ours\nphrasings:\n- do it\n---\n")
    return repo


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seed ed", ["edit"]),
        ("seed edit --rec", ["--recipe"]),
        ("seed edit --recipe ren", ["rename"]),
        ("seed edit --recipe=ren", ["--recipe=rename"]),
        ("seed edit --recipe ou", ["ours"]),
        ("seed edit --recipe explain", []),
        ("seed edit --recipe rename ", ["old=", "new=", "calc.py", "src/"]),
        ("seed edit --recipe rename old=a ", ["new=", "calc.py", "src/"]),
        ("seed edit ", []),
        ("seed edit 'fix the bug' ", ["calc.py", "src/"]),
        ("seed edit 'fix the bug' s", ["src/"]),
        ("seed edit fix src/", ["src/a b.py", "src/shop.py"]),
        ("seed edit fix 'src/a ", ["src/a b.py"]),
        ("seed edit fix .h", [".hidden"]),
        ("seed edit fix src/shop.py::", ["src/shop.py::Cart", "src/shop.py::Cart.add", "src/shop.py::total"]),
        ("seed edit fix src/shop.py::to", ["src/shop.py::total"]),
        ("seed edit fix absent.py::to", []),
        ("seed edit fix calc.py --new sr", ["src/"]),
        ("seed edit fix -n 3 --model def", ["default"]),
        ("seed edit fix -n 3 --models def", []),
        ("seed edit -y --ap", []),
        ("seed edit fix -- --x", []),
        ("seed scan --format ", ["text", "jsonl", "sarif"]),
        ("seed scan --format sarif sr", ["src/"]),
        ("seed review cal", ["calc.py"]),
        ("seed ask ", ["commit-message", "explain-diff", "review-comments"]),
        ("seed prompts sh", ["show"]),
        ("seed prompts show ren", ["rename"]),
        ("seed models show def", ["default"]),
        ("seed completion ", ["bash", "zsh", "fish"]),
        ("seed nonsense ", []),
        ("seed edit --seed ", []),
        ("seed edit 'a \"b", []),
    ],
)
def test_words(tree: Path, seed: Seed, line: str, expected: list[str]) -> None:
    assert words(seed, line) == expected


def test_every_command_and_nothing_hidden(repo: Path, seed: Seed) -> None:
    assert words(seed, "seed ") == list(COMMANDS)
    assert "words" not in words(seed, "seed completion ")


def test_runs_to_undo_and_to_redo(repo: Path, seed: Seed) -> None:
    assert words(seed, "seed undo ") == []
    run = seed("edit", "-y", "--json", "fix", "calc.py").json["run"]
    assert (words(seed, "seed undo "), words(seed, "seed redo ")) == ([run], [])
    assert seed("undo").code == 0
    assert (words(seed, "seed undo "), words(seed, "seed redo ")) == ([], [run])


def test_a_broken_recipe_is_no_matter_at_the_tab_key(tree: Path, seed: Seed) -> None:
    (tree / ".seed/prompts/ours.md").write_text("nothing")
    result = seed("completion", "words", "bash", "seed edit --recipe ", "")
    assert (result.code, result.out, result.err) == (0, b"", "")


def test_help_of_words(tree: Path, seed: Seed) -> None:
    out = seed("completion", "words", "zsh", "seed edit 'fix' src/shop.py::Cart.").out
    assert out == b"src/shop.py::Cart.add\tmethod, line 2\n"
    assert seed("completion", "words", "zsh", "seed edit fix src/a").out == b"src/a\\ b.py\t\n"
