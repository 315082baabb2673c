"""`seed prompts`: the recipes that `seed edit --recipe` and `seed ask` take here."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from prompts.recipes import GIVES, MODELS, Recipe, RecipeError, find_recipe, load_recipes
from seedcli.errors import SeedError
from seedcli.report import JSON_VERSION, answer

app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def prompts(context: typer.Context) -> None:
    """List the recipes with their variables, or show one. Files in .seed/prompts/ of the project add to them.

    \b
    Examples:
      seed prompts                  what there is, and for which models
      seed prompts show rename      one recipe, with the words that the model is given
      seed edit --recipe rename old=tmp new=total src/app.py::add
    """
    if context.invoked_subcommand is None:
        list_prompts(json=False)


@app.command("list")
def list_prompts(json: Json = False) -> None:
    """List the recipes with their variables.

    \b
    Examples:
      seed prompts list
      seed prompts list --json
    """
    recipes = _recipes()
    if json:
        rows = [_table(recipe) for recipe in recipes.values()]
        answer(json_format.dumps({"version": JSON_VERSION, "recipes": rows}).encode() + b"\n")
        return
    usage = {name: " ".join([name, *(f"{v}=..." for v in r.variables)]) for name, r in recipes.items()}
    width = max(map(len, usage.values()))
    lines = (
        f"{usage[name]:{width}}  {r.summary}{f' ({r.models} models)' if r.models else ''}\n"
        for name, r in recipes.items()
    )
    answer("".join(lines).encode())


@app.command("show")
def show_prompt(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="The recipe's name.")],
    json: Json = False,
) -> None:
    """Show a recipe: what it is for, its variables, what the model is told.

    \b
    Examples:
      seed prompts show fix
      seed prompts show --json rename
    """
    try:
        recipe = find_recipe(_recipes(), name)
    except RecipeError as error:
        raise SeedError(str(error)) from error
    if json:
        answer(json_format.dumps({"version": JSON_VERSION, "recipe": _table(recipe)}).encode() + b"\n")
        return
    rows = {
        "name": recipe.name,
        "summary": recipe.summary,
        "files": recipe.needs or "any",
        "holds": list(recipe.holds),
        "models": MODELS[recipe.models],
        "gives": GIVES[recipe.gives],
        **{f"{name}=...": meaning for name, meaning in recipe.variables.items()},
        "says": recipe.phrasings[0],
        "from": str(recipe.path),
    }
    width = max(map(len, rows))
    table = "".join(f"{key:{width}}  {value}\n" for key, value in rows.items())
    answer(f"{table}\n{recipe.description}\n".encode())


def _recipes() -> dict[str, Recipe]:
    from seedcli.repository.workspace import Workspace

    root = Workspace.discover(Path.cwd()).root
    try:
        return load_recipes([root / ".seed" / "prompts"])
    except RecipeError as error:
        raise SeedError(str(error)) from error


def _table(recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "summary": recipe.summary,
        "needs": recipe.needs,
        "models": recipe.models,
        "gives": recipe.gives or "edit",
        "variables": dict(recipe.variables),
        "phrasings": list(recipe.phrasings),
        "path": str(recipe.path),
    }
