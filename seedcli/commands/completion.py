"""`seed completion`: the script that teaches a shell to complete `seed` at the TAB key, and what that script asks."""

from typing import Annotated

import typer

from seedcli.report import answer

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def completion() -> None:
    """Teach a shell to complete commands, options, targets, symbols, recipes and models.

    \b
    Examples:
      eval "$(seed completion bash)"                                  in ~/.bashrc
      eval "$(seed completion zsh)"                                   in ~/.zshrc, after compinit
      seed completion fish > ~/.config/fish/completions/seed.fish     once
    """


@app.command()
def bash() -> None:
    """Print the script for bash.

    \b
    Examples:
      eval "$(seed completion bash)"
    """
    _print("bash")


@app.command()
def zsh() -> None:
    """Print the script for zsh.

    \b
    Examples:
      eval "$(seed completion zsh)"
      seed completion zsh > ~/.zfunc/_seed
    """
    _print("zsh")


@app.command()
def fish() -> None:
    """Print the script for fish.

    \b
    Examples:
      seed completion fish > ~/.config/fish/completions/seed.fish
    """
    _print("fish")


@app.command(hidden=True)
def words(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")],
    line: Annotated[str, typer.Argument(help="The command line up to the cursor.")],
    breaks: Annotated[str, typer.Argument(help="What parts words in bash.")] = "",
) -> None:
    """Print the words that may stand at the cursor; what is wrong with the line is no matter then.

    \b
    Examples:
      seed completion words fish "seed edit --rec"
    """
    from prompts.recipes import RecipeError
    from seedcli.errors import SeedError
    from seedcli.shell.scripts import split, written
    from seedcli.shell.words import words_at

    before, current, quote = split(line)
    root = context.find_root()
    try:
        found = words_at(root.command, root, before, current)
    except (SeedError, RecipeError, OSError):
        found = []
    answer(written(shell, found, current, quote, breaks).encode("utf-8", "surrogateescape"))


def _print(shell: str) -> None:
    from seedcli.shell.scripts import SCRIPTS

    answer(SCRIPTS[shell].encode())
