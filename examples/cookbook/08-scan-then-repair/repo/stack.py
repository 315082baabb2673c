"""A stack with a limit."""


class Stack:
    def __init__(self, limit=10):
        self.items = []
        self.limit = limit

    def push(self, item):
        if len(self.items) >= self.limit:
            raise OverflowError("the stack is full")
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise IndexError("the stack is empty")
        retrun self.items.pop()

    def peek(self):
        if not self.items:
            return None
        return self.items[-1]

    def clear():
        self.items = []
