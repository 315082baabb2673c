"""The baseline: findings that are known and accepted, in a file that stands in version control.

Lines may move and the model's cure may change: a finding is known by its place in words (`Finding.fingerprint`), and as
often as it stands in the baseline. Knows nothing of how findings come about.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from seedcli.errors import SettingsError
from seedcli.scanning.findings import Finding

VERSION = 1


def read_baseline(path: Path) -> Counter[str]:
    """How often each fingerprint is accepted.

    Raises:
        SettingsError: there is no such file, or it is no baseline.
    """
    try:
        table = json.loads(path.read_bytes())
        if table["version"] != VERSION:
            raise ValueError(f"its version is {table['version']!r}")
        return Counter(str(finding["fingerprint"]) for finding in table["findings"])
    except OSError as error:
        raise SettingsError(
            f"the baseline {path} cannot be read: {error.strerror}; make it with --write-baseline"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{path} is no baseline of this version ({error}); make it anew with --write-baseline"
        ) from None


def check_baseline(path: Path) -> None:
    """Make sure, before the work is done, that `write_baseline` may write there.

    Raises:
        SettingsError: there is something that is no baseline, or no folder to write in.
    """
    try:
        data = path.read_bytes()
        known = not data.strip() or isinstance(json.loads(data)["findings"], list)
    except FileNotFoundError:
        known = True
    except OSError as error:
        raise _unwritable(path, error) from None
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise SettingsError(f"{path} is there and is no baseline; name another with --write-baseline")
    if not path.parent.is_dir():
        raise SettingsError(
            f"the baseline {path} cannot be written: no folder {path.parent}; make it, or name another"
        )


def write_baseline(path: Path, findings: Iterable[Finding]) -> None:
    """Accept these findings; the file is replaced as a whole, and is the same for the same findings.

    Raises:
        SettingsError: it cannot be written.
    """
    ordered = sorted(findings, key=lambda f: (f.path, f.line, f.column))
    rows = [
        {"path": f.path, "symbol": f.symbol, "text": f.text, "fingerprint": f.fingerprint} for f in ordered
    ]
    text = json.dumps({"version": VERSION, "findings": rows}, indent=1) + "\n"
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(f"the baseline {path} cannot be written: {error.strerror}; name another")


def without_known(findings: Sequence[Finding], known: Counter[str]) -> list[Finding]:
    """The findings that the baseline does not hold; of several alike, the first ones are taken for the known ones."""
    left = Counter(known)
    new = []
    for finding in sorted(findings, key=lambda f: (f.path, f.line, f.column)):
        if left[finding.fingerprint]:
            left[finding.fingerprint] -= 1
        else:
            new.append(finding)
    return new
