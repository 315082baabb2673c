from pathlib import Path
from typing import Any

import pytest

from seedcli.errors import SettingsError
from seedcli.settings import Settings, load_settings


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration file, in a folder of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "seed" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def root(tmp_path: Path, user: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


def load(root: Path, environ: dict[str, str] | None = None, isolated: bool = False, **flags: Any) -> Settings:
    return load_settings(root, flags, environ=environ or {}, isolated=isolated)


def test_without_anything_the_defaults_are_in_force(root: Path) -> None:
    assert load(root, model=None, seed=None) == Settings()


def test_each_source_gives_way_to_the_stronger_one(root: Path, user: Path) -> None:
    user.write_text("seed = 1")
    assert load(root).seed == 1
    (root / "pyproject.toml").write_text("[tool.seed]\nseed = 2\n")
    assert load(root).seed == 2
    (root / "seed.toml").write_text("seed = 3")
    assert load(root).seed == 3
    assert load(root, {"SEED_SEED": "4"}).seed == 4
    assert load(root, {"SEED_SEED": "4"}, seed=5).seed == 5


def test_sources_are_joined_key_by_key(root: Path, user: Path) -> None:
    user.write_text("top_k = 7")
    (root / "seed.toml").write_text("threshold = 1")
    assert load(root, {"SEED_TEMPERATURE": "0.5"}) == Settings(top_k=7, threshold=1.0, temperature=0.5)


def test_isolated_reads_no_files(root: Path, user: Path) -> None:
    user.write_text("seed = 1")
    (root / "seed.toml").write_text("nonsense = 3")
    assert load(root, {"SEED_TOP_K": "2"}, isolated=True) == Settings(top_k=2)


def test_a_model_given_as_a_path_in_a_file_is_relative_to_it(root: Path) -> None:
    (root / "seed.toml").write_text('model = "./models/mine"')
    assert load(root).model == str(root / "models" / "mine")
    (root / "seed.toml").write_text('model = "mine"')
    assert load(root).model == "mine"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("seed.toml", "treshold = 0.5", "seed.toml: unknown setting 'treshold'; did you mean 'threshold'"),
        ("seed.toml", "zzz = 0.5", "unknown setting 'zzz'; known: model, weights, seed, "),
        ("pyproject.toml", "[tool.seed]\nmodle = 'x'", r"pyproject.toml \[tool.seed\]: unknown .* 'model'"),
        ("pyproject.toml", "tool.seed = 3", "`tool.seed` must be a table, not 3"),
        ("seed.toml", "threshold = 'high'", "threshold must be a number from 0 to 1, not 'high'"),
        ("seed.toml", "threshold = 1.5", "threshold must be a number from 0 to 1, not 1.5"),
        ("seed.toml", "threshold = nan", "threshold must be a number from 0 to 1, not nan"),
        ("seed.toml", "seed = true", "seed must be a whole number"),
        ("seed.toml", "seed = 1.0", "seed must be a whole number"),
        ("seed.toml", "model = 3", "model must be text, not 3"),
        ("seed.toml", "candidates = 0", "candidates must be a whole number from 1"),
        ("seed.toml", "seed = ", "seed.toml is not valid TOML: .*--isolated"),
    ],
)
def test_a_wrong_setting_is_an_error_that_names_it(root: Path, file: str, text: str, message: str) -> None:
    (root / file).write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load(root)
    assert str(root) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_tables_of_pyproject_are_none_of_our_business(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.other]\nnonsense = 1\n[project]\nname = 'x'\n")
    assert load(root) == Settings()


def test_a_wrong_environment_variable_is_named() -> None:
    with pytest.raises(SettingsError, match=r"SEED_TOP_K must be a whole number .*, not 'many'"):
        load(Path("/nonexistent"), {"SEED_TOP_K": "many"})
    with pytest.raises(SettingsError, match="unknown variable SEED_TRESHOLD; did you mean SEED_THRESHOLD"):
        load(Path("/nonexistent"), {"SEED_TRESHOLD": "1"})


def test_other_programs_variables_are_left_alone(root: Path) -> None:
    assert load(root, {"SEED_DATABASE": "x", "OTHER": "y"}) == Settings()


def test_a_wrong_flag_is_named_as_it_is_typed(root: Path) -> None:
    with pytest.raises(SettingsError, match="the command line: --max-rounds must be"):
        load(root, max_rounds=0)
