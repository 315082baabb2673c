import random

import pytest

from engine.data.refactorings import prints
from engine.data.refactorings.source import Source

SOUND = (
    '    @d\n    def f(self, a):\n        """Doc."""\n        if a:\n            b = a\n'
    "        elif self.c:\n            return 1\n        for x in b:\n            log.info(x)\n"
    "        self.done = True\n"
)


def test_prints_go_and_all_else_stays() -> None:
    before = (
        'def f(x):\n    print(x)\n    log.info("print(x)")  # print(x)\n    y = print\n    self.print(x)\n'
        "    pprint.pprint(\n        x,\n    )  # debug\n"
        '    if x:\n        print("a")\n        return x\n    pp(x)\n'
    )
    after = (
        'def f(x):\n    log.info("print(x)")  # print(x)\n    y = print\n    self.print(x)\n'
        "    if x:\n        return x\n"
    )
    assert prints.rewrite(before) == after


@pytest.mark.parametrize("body", ["print(x); y = 1", "if x: print(x)", "if x:\n        print(x)", "print(x)"])
def test_prints_that_hold_a_block_or_share_a_line_are_left_alone(body: str) -> None:
    assert prints.rewrite(f"def f(x):\n    {body}\n") is None


def test_questions_parse_and_stand_in_their_block() -> None:
    places = set()
    for seed in range(400):
        pair = prints.make(SOUND, random.Random(seed))
        assert pair is not None
        assert pair.after == SOUND
        assert 1 <= pair.before.count("print") <= 6
        Source(pair.before)
        assert pair.before.startswith('    @d\n    def f(self, a):\n        """Doc."""\n')
        kept = SOUND.splitlines()
        places |= {i for i, line in enumerate(pair.before.splitlines()) if line not in kept}
    assert len(places) > 6


def test_code_that_prints_makes_no_pair() -> None:
    assert prints.make("def f(x):\n    print(x)\n    return x\n", random.Random(0)) is None
    assert prints.make("def f(x, print):\n    return x\n", random.Random(0)) is None
