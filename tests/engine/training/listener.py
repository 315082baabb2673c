"""Who is told how far a long work is, for tests."""


class Listener:
    """Hears everything; may press Ctrl-C at the first word of a phase's progress."""

    def __init__(self, interrupt=None):
        self.said, self.phases, self.done, self._interrupt = [], [], 0, interrupt

    def line(self, text):
        self.said.append(text)

    def phase(self, name, total, unit):
        self.phases.append((name, total, unit))

    def at(self, done, **figures):
        self.done = done
        if self.phases[-1][0] == self._interrupt:
            raise KeyboardInterrupt
