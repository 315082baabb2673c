"""Settings: flag > `SEED_*` environment > project > user > default; unknown keys and wrong values are errors.

The project's file is `seed.toml` or the table `[tool.seed]` of `pyproject.toml` at the root, the user's is
`config.toml` in the folder `seed` of the XDG configuration folder. Knows nothing of what the settings do.
"""

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedcli.errors import SettingsError
from seedcli.folders import user_folder

ENVIRONMENT_PREFIX = "SEED_"
MOST_CANDIDATES = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How to edit, where no flag says otherwise."""

    model: str | None = None
    """Name or folder of the checkpoint; None for the one that comes with Seed."""
    weights: str | None = None
    """How the model's weights are held; None for bfloat16 where the machine computes it fast, else float32."""
    seed: int = 0
    """Source of all chance in the sampler."""
    candidates: int = 1
    """Candidates to draw for each region, at least 1."""
    temperature: float = 0.0
    """Randomness of the candidates after the first; 0 lets the sampler choose."""
    top_k: int = 0
    """Sample among the k most probable tokens; 0 for no limit."""
    threshold: float | None = None
    """Least probability of a change for it to be made, in [0, 1]; None for the checkpoint's own."""
    max_rounds: int = 16
    """Rounds after which an edit is ended, at least 1."""
    check_timeout: float = 600.0
    """Seconds that one check may take."""
    check_jobs: int = 1
    """Checks that run at once."""
    check_disk: float = 4.0
    """GiB that one check may write; also the most that is copied for it."""


_TYPES: Mapping[str, type] = {
    "model": str,
    "weights": str,
    "seed": int,
    "candidates": int,
    "temperature": float,
    "top_k": int,
    "threshold": float,
    "max_rounds": int,
    "check_timeout": float,
    "check_jobs": int,
    "check_disk": float,
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "candidates": (1, MOST_CANDIDATES),
    "temperature": (0, 100),
    "top_k": (0, 2**31 - 1),
    "threshold": (0, 1),
    "max_rounds": (1, 10_000),
    "check_timeout": (0.1, 604_800),
    "check_jobs": (1, 256),
    "check_disk": (0.001, 100_000),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {"weights": ("bfloat16", "float32", "int8", "int4")}
CHECK_SETTINGS = ("check_timeout", "check_jobs", "check_disk")
"""What only matters with `--check`."""
assert set(_TYPES) == {f.name for f in dataclasses.fields(Settings)}, "every setting has its type"


def load_settings(
    root: Path, flags: Mapping[str, Any], *, environ: Mapping[str, str] = os.environ, isolated: bool = False
) -> Settings:
    """The settings in force in the project at `root`; flags that are None were not given.

    Raises:
        SettingsError: a key is unknown or a value is wrong; names the file or variable and the cure.
    """
    values: dict[str, Any] = {}
    sources = [] if isolated else [*_tables(root)]
    for where, table in [*sources, *_variables(environ)]:
        values |= {key: _checked(where, key, value) for key, value in table.items()}
    given = {key: value for key, value in flags.items() if value is not None}
    for key, value in given.items():
        values[key] = _checked("the command line", key, value, shown=f"--{key.replace('_', '-')}")
    return Settings(**values)


def models_folder() -> Path:
    """Where the user's own checkpoints are looked for by name."""
    return user_folder("data") / "models"


def _tables(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every configuration table with the file it stands in, weakest first."""
    user = user_folder("config")
    yield _anchored(user, *_read(user / "config.toml"))
    name, pyproject = _read(root / "pyproject.toml")
    tools = pyproject.get("tool", {})
    table = tools.get("seed", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{name}: `tool.seed` must be a table, not {table!r}")
    yield _anchored(root, f"{name} [tool.seed]", table)
    yield _anchored(root, *_read(root / "seed.toml"))


def _anchored(folder: Path, where: str, table: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A model given as a relative path in a file is meant relative to that file; `org/name` may be the hub's."""
    model = table.get("model")
    if isinstance(model, str) and "/" in model:
        path = folder / os.path.expanduser(model)
        if model[0] in "./~" or model.count("/") > 1 or path.is_dir():
            table = table | {"model": str(path)}
    return where, table


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        return str(path), tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return str(path), {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}; mend it or use --isolated") from error
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}; mend it or use --isolated") from error


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Settings from the environment. `SEED_*` is a common prefix: only near misses count as typing errors."""
    known = {ENVIRONMENT_PREFIX + key.upper(): key for key in _TYPES}
    for name, text in environ.items():
        if name in known:
            yield "the environment", {known[name]: _parsed(name, known[name], text)}
        elif name.startswith(ENVIRONMENT_PREFIX) and (
            near := difflib.get_close_matches(name, known, 1, 0.85)
        ):
            raise SettingsError(
                f"the environment: unknown variable {name}; did you mean {near[0]}? Else unset it"
            )


def _parsed(name: str, key: str, text: str) -> Any:
    try:
        return _TYPES[key](text)
    except ValueError:
        raise SettingsError(f"the environment: {name} must be {_wanted(key)}, not {text!r}") from None


def _checked(where: str, key: str, value: Any, *, shown: str = "") -> Any:
    """`value` in the setting's own type."""
    if key not in _TYPES:
        near = difflib.get_close_matches(key, _TYPES, 3)
        cure = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(_TYPES)}"
        raise SettingsError(f"{where}: unknown setting {key!r}; {cure}")
    kind = _TYPES[key]
    fits = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    low, high = _RANGES.get(key, (0, 0))
    is_known = key not in _CHOICES or value in _CHOICES[key]
    if not fits or not is_known or (key in _RANGES and not low <= value <= high):
        raise SettingsError(f"{where}: {shown or key} must be {_wanted(key)}, not {value!r}")
    return kind(value)


def _wanted(key: str) -> str:
    """What a value of this setting looks like, for a message."""
    if key in _CHOICES:
        return f"one of {', '.join(_CHOICES[key])}"
    noun = {str: "text", int: "a whole number", float: "a number"}[_TYPES[key]]
    return f"{noun} from {_RANGES[key][0]} to {_RANGES[key][1]}" if key in _RANGES else noun
