"""What a model was not trained for, and is therefore not asked for. Loads no model."""

from prompts.recipes import LARGE, Recipe
from seedcli.errors import ModelError
from seedcli.model_client import DEFAULT_MODEL, trained_recipes


def refuse_untrained(model: str | None, recipe: Recipe | None, *, beyond: str = "") -> None:
    """Refuse what only models do that follow any instruction, for one that was trained for a list of recipes.

    Args:
        model: name or folder of the checkpoint; None for the default one.
        beyond: what is asked that is no edit, as `write new files`; empty for an edit.

    Raises:
        ModelError: this one was trained neither for the recipe nor for what is beyond edits.
    """
    trained = trained_recipes(model)
    if not trained or (recipe is not None and recipe.name in trained):
        return
    what = ""
    if recipe is not None and recipe.models == LARGE:
        what = f"for the recipe {recipe.name!r}, which is for large models"
    elif beyond:
        what = f"to {beyond}"
    if what:
        raise ModelError(
            f"the model {model or DEFAULT_MODEL} was not trained {what}; it was for {', '.join(trained)}; "
            "name another with --model"
        )
