"""Save a picture of the review screen: `python docs/screenshot.py [PATCH] [-o docs/review.svg] [--size
110x32]`.

PATCH is a unified diff against the files of the current folder; without one, a small built-in change is
shown.
"""

import argparse
import asyncio
from pathlib import Path

from seedcli.patches.patch import FilePatch, Patch, file_patch
from seedcli.review.screen import ReviewApp

_RETRY_OLD = '''\
"""Call something that may fail, more than once."""

import time


def retry(call, attempts=3, delay_s=0.5, errors=[IOError]):
    """Return what `call` returns; wait longer after every failure."""
    for attempt in range(attempts):
        try:
            return call()
        except errors as error:
            last = error
            time.sleep(delay_s * 2**attempt)
    raise GaveUp("gave up after %d attempts" % attempts) from last
'''
_RETRY_NEW = _RETRY_OLD.replace("errors=[IOError]", "errors=(OSError,)").replace(
    '"gave up after %d attempts" % attempts', 'f"gave up after {attempts} attempts"'
)
_CLIENT_OLD = """\
class Client:
    def __init__(self, session, timeout=10):
        self.session = session
        self.timeout = timeout

    def fetch(self, url):
        print("fetching", url)
        response = retry(lambda: self.session.get(url))
        return response.json()
"""
_CLIENT_NEW = _CLIENT_OLD.replace('        print("fetching", url)\n', "").replace(
    "get(url)", "get(url, timeout=self.timeout)"
)


def main() -> None:
    """Parse, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patch", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/review.svg"))
    parser.add_argument("--size", default="110x32")
    parser.add_argument(
        "--keys", default="y", help="pressed before the picture is taken, with commas between"
    )
    parser.add_argument("--theme", default="textual-dark")
    arguments = parser.parse_args()
    width, height = (int(part) for part in arguments.size.split("x"))
    patch = _read(arguments.patch) if arguments.patch else _example()
    keys = [key for key in arguments.keys.split(",") if key]
    svg = asyncio.run(_picture(patch, (width, height), keys, arguments.theme))
    arguments.output.write_text(svg, encoding="utf-8")


def _example() -> Patch:
    names = ("src/net/retry.py", _RETRY_OLD, _RETRY_NEW), ("src/net/client.py", _CLIENT_OLD, _CLIENT_NEW)
    return Patch(tuple(file_patch(path, old.encode(), new.encode()) for path, old, new in names))


def _read(diff: Path) -> Patch:
    from seedcli.patches.reading import read_patch
    from seedcli.repository.workspace import Workspace

    return read_patch(diff.read_bytes(), Workspace.discover(Path()))[0]


async def _picture(patch: Patch, size: tuple[int, int], keys: list[str], theme: str) -> str:
    old: dict[str, FilePatch] = {file.path: file for file in patch.files}
    app = ReviewApp(
        patch,
        title="seed edit · fix the syntax error",
        model_note="default",
        read_bytes=lambda path: old[path].old,
    )
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await pilot.pause()
        await pilot.press(*keys)
        await app.workers.wait_for_complete()
        await pilot.pause()
        return app.export_screenshot(title="seed")


if __name__ == "__main__":
    main()
