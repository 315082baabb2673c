"""Whether an end is accepted for a task: it is the target, or, where that is enough, sound syntax.

A verifier is a function, so that others can stand in, such as the one of `engine.evaluation.judged_tasks`.
"""

from collections.abc import Callable, Collection, Sequence

from engine.data.tasks import Task
from engine.model.tokenizer import CodeTokenizer
from engine.syntax import parses

Verify = Callable[[Task, Sequence[int]], bool]
"""Whether an end, without its end token, is accepted for a task."""


def verifier(tokenizer: CodeTokenizer, lenient: Collection[str]) -> Verify:
    """Accept the target, and sound syntax for tasks of the kinds in `lenient` if something was to be done."""

    def verify(task: Task, end: Sequence[int]) -> bool:
        if tuple(end) == task.target:
            return True
        return task.kind in lenient and not task.is_clean and _is_sound(tokenizer, end)

    return verify


def _is_sound(tokenizer: CodeTokenizer, end: Sequence[int]) -> bool:
    try:
        return parses(tokenizer.decode(end))
    except UnicodeDecodeError:
        return False
