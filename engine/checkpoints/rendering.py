"""A stranger's chat template, rendered where it can do no harm: run as a script, in a process of its own.

Reads a JSON object with `template` and `variables` from stdin, writes one with `text` or `error` to stdout. Jinja's
immutable sandbox keeps the template away from Python; the process's limits keep it from taking time and memory. Imports
nothing of Seed, since it runs in isolated mode.
"""

import datetime
import json
import sys

SECONDS = 3
BYTES = 1 << 30
TODAY = datetime.date(2025, 1, 1)
"""What a template is told that asks for the date: the same question is always the same tokens."""
LONGEST = 1 << 20
"""Characters of a rendered template at most."""


def limit() -> None:
    """Bound this process's processor time and memory, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the caller's clock alone
        return
    for kind, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, BYTES),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


def render(template: str, variables: dict[str, object]) -> str:
    """The text of a template, as transformers renders it."""
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(str(message))

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = TODAY.strftime
    parts, length = [], 0
    for part in environment.from_string(template).generate(**variables):
        parts.append(part)
        length += len(part)
        if length > LONGEST:
            raise ValueError(f"it writes more than {LONGEST} characters")
    return "".join(parts)


def main() -> None:
    """Render what stdin says."""
    limit()
    try:
        asked = json.load(sys.stdin)
        answer = {"text": render(asked["template"], asked["variables"])}
    except MemoryError:
        answer = {"error": f"it takes more than {BYTES >> 20} MiB"}
    except Exception as error:  # whatever a template raises
        answer = {"error": f"{type(error).__name__}: {error}"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
