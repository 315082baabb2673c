"""Functions of the standard library, for tests that have to hold for real code."""

import importlib.util
import random
from functools import cache
from pathlib import Path

from engine.data.regions import regions

_MODULES = (
    "argparse", "ast", "bdb", "calendar", "cmd", "configparser", "csv", "datetime", "difflib",
    "doctest", "ftplib", "gettext", "gzip", "heapq", "imaplib", "inspect", "ipaddress", "json.decoder",
    "json.encoder", "logging", "mailbox", "nntplib", "optparse", "pdb", "pickletools", "plistlib",
    "pprint", "random", "shutil", "smtplib", "statistics", "subprocess", "tarfile", "textwrap",
    "tokenize", "traceback", "turtle", "unittest.mock", "urllib.request", "uuid", "zipfile",
)  # fmt: skip


@cache
def functions(count: int, seed: int = 0) -> tuple[str, ...]:
    """A random sample of functions and methods of 3 to 60 lines, the same for the same seed."""
    found = []
    for name in _MODULES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            for region in regions(Path(spec.origin).read_text()):
                if region.kind != "module" and 3 <= region.lines <= 60:
                    found.append(region.text)
    return tuple(random.Random(seed).sample(found, count))
