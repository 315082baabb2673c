"""`seed prompts`: the recipes that `seed edit --recipe` takes here."""

from pathlib import Path

from prompts.recipes import RecipeError, load_recipes
from seedcli.errors import SeedError
from seedcli.report import answer


def prompts() -> None:
    """List the recipes with their variables. Files in .seed/prompts/ of the project add to them."""
    from seedcli.repository.workspace import Workspace

    root = Workspace.discover(Path.cwd()).root
    try:
        recipes = load_recipes([root / ".seed" / "prompts"])
    except RecipeError as error:
        raise SeedError(str(error)) from error
    usage = {r.name: " ".join([r.name, *(f"{v}=..." for v in r.variables)]) for r in recipes.values()}
    width = max(map(len, usage.values()))
    answer("".join(f"{usage[name]:{width}}  {r.summary}\n" for name, r in recipes.items()).encode())
