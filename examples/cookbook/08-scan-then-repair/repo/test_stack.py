import unittest

from stack import Stack


class StackTest(unittest.TestCase):
    def test_stack(self):
        stack = Stack(limit=2)
        stack.push("a")
        stack.push("b")
        with self.assertRaises(OverflowError):
            stack.push("c")
        self.assertEqual([stack.pop(), stack.peek()], ["b", "a"])
        stack.clear()
        self.assertIsNone(stack.peek())
