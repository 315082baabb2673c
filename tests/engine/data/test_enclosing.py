from engine.data.enclosing import enclosing_function

CODE = """\
import os

class A:
    x = 1

    @d
    def f(self):
        def inner():
            return 1
        return inner

    def g(self):
        return 2
if os:
    def h():
        pass
"""


def test_the_outermost_function_with_its_decorators() -> None:
    assert enclosing_function(CODE, 8, 9) == (5, 10)
    assert enclosing_function(CODE, 5, 6) == (5, 10)
    assert enclosing_function(CODE, 11, 13) == (11, 13)
    assert enclosing_function(CODE, 15, 16) == (14, 16)


def test_lines_of_two_functions_or_of_none() -> None:
    assert enclosing_function(CODE, 9, 12) is None
    assert enclosing_function(CODE, 3, 4) is None
    assert enclosing_function(CODE, 0, 1) is None


def test_a_place_between_lines_belongs_to_the_function_it_touches() -> None:
    assert enclosing_function(CODE, 13, 13) == (11, 13)
    assert enclosing_function(CODE, 8, 8) == (5, 10)
    assert enclosing_function("def f():\n    pass\n", 2, 2) == (0, 2)


def test_text_that_does_not_parse() -> None:
    assert enclosing_function("def f(:\n    print 'a'\n", 5, 6) is None
    assert enclosing_function("", 0, 0) is None
