"""Runs git in one repository. Knows nothing of what is asked or of what becomes of the answer."""

import os
import subprocess
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

from seedcli.errors import SeedError
from seedcli.repository.workspace import Workspace

_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=true")
"""Programs that are not started: monitors, hooks."""
_LEADING_ASTRAY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
    "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
)  # fmt: skip
"""Variables that a hook or a shell may have set, by which git would take other folders, or paths for patterns."""


class GitError(SeedError):
    """Git is missing, or refuses."""


@dataclass(frozen=True, slots=True)
class Git:
    """Git in the repository of a workspace."""

    root: Path
    index: str | None = None
    """Another index of this repository: that of `git commit -a`, while its hooks run."""

    @classmethod
    def of(cls, workspace: Workspace, *, needed_by: str) -> "Git":
        """
        Args:
            needed_by: the flag that asks for it, for the message.

        Raises:
            GitError: there is no repository with a work tree, or no git.
        """
        if not workspace.is_git:
            raise GitError(
                f"{needed_by} asks git, and {workspace.root} is no work tree of a git repository; leave it out"
            )
        folder = Path(cls(workspace.root).line("rev-parse", "--absolute-git-dir"))
        asked = os.environ.get("GIT_INDEX_FILE")
        index = workspace.root / asked if asked else None
        is_own = index is not None and index.parent.resolve() == folder.resolve()
        return cls(workspace.root, str(index) if is_own else None)

    def ask(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] = {},
        codes: Container[int] = (0,),
    ) -> bytes:
        """What a command prints.

        Args:
            codes: exit codes that mean success.

        Raises:
            GitError: it fails; with what git says against it.
        """
        done = self._run(arguments, stdin, environment)
        if done.returncode not in codes:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            said = lines[0] if lines else f"exit code {done.returncode}"
            # Options of git's own, `-c key=value`, come before the command.
            command = next((a for a in arguments if a[:1] != "-" and "=" not in a), arguments[0])
            raise GitError(f"git {command} refuses: {said.removeprefix('fatal: ')}")
        return done.stdout

    def try_to(self, *arguments: str) -> bytes | None:
        """What a command prints; None if it fails."""
        done = self._run(arguments, b"", {})
        return done.stdout if done.returncode == 0 else None

    def line(self, *arguments: str) -> str:
        """The one line that a command prints. Raises as `ask` does."""
        return os.fsdecode(self.ask(*arguments)).removesuffix("\n")

    def path(self, name: str) -> Path:
        """Where git keeps something of its own, such as `MERGE_HEAD`."""
        return self.root / self.line("rev-parse", "--git-path", name)

    def _run(
        self, arguments: tuple[str, ...], stdin: bytes, environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[bytes]":
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        own = {name: value for name, value in os.environ.items() if name not in _LEADING_ASTRAY}
        # Questions take no lock: they must not get in the way of what the user does meanwhile.
        own |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        if self.index is not None:
            own["GIT_INDEX_FILE"] = self.index
        try:
            return subprocess.run(
                ["git", *settings, "--literal-pathspecs", *arguments],
                cwd=self.root,
                input=stdin,
                capture_output=True,
                env={**own, **environment},
                check=False,
            )
        except OSError as error:
            raise GitError(
                f"git cannot be started: {error.strerror}; install it, or leave out what asks it"
            ) from None
