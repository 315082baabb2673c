import pytest

from engine.literals import said


@pytest.mark.parametrize(
    "same",
    [
        [
            "'%s: %d of %%' % (a, b)",
            "'{}: {} of %'.format(a, b)",
            "f'{a}: {b} of %'",
            "f'{a}' ': ' f'{b:>4} of %'",
        ],
        ["'<%-10.3f>' % x", "'<{0:-10.3f}>'.format(x)", "f'<{x:-10.3f}>'"],
        ["'a{{%s_k}}' % x", "f'a{{{{{x}_k}}}}'", "'a{%s_k}' % x"],
        ["'<%(size)s>' % {'size': x}", "f'<{x}>'", "'<{size}>'.format(size=x)"],
        ["print('a', 'b')", "print('ab')", "print('b a')"],
        ["f(b'ab')", "f(b'a', b'b')"],
    ],
)
def test_literal_texts_say_the_same_however_they_are_formatted(same):
    first, *others = (said(text) for text in same)
    assert first
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("text", "other"), [("'<%s>' % x", "f'<{x}'"), ("'a: %s' % x", "f'A: {x}'"), ("f('x')", "f()")]
)
def test_a_text_that_is_changed_says_something_else(text, other):
    assert said(text) != said(other)
