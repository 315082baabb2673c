import contextlib
import io
import unittest

import count
import greet


class WordsTest(unittest.TestCase):
    def test_greeting_is_printed(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            greet.greet(["Ada"])
        self.assertEqual(out.getvalue(), "hello Ada\n")

    def test_count(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(count.count_words("to be or not to be")["be"], 2)
