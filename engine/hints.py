"""How a request for a repair says what is known of the defect: the words that training uses and that callers write.

Knows nothing of where errors come from.
"""

LONGEST_LINE, LONGEST_ERROR = 100, 120
"""Characters of a line and of an error's message that are told; a model reads only so much of an instruction."""


def hinted(instruction: str, line: str, error: str) -> str:
    """An instruction with the line of code that an error names, and the error, as the end of a traceback has them.

    Args:
        line, error: empty where nothing is known.
    """
    parts = [instruction, line.strip()[:LONGEST_LINE], error.strip()[:LONGEST_ERROR]]
    return "\n".join(part for part in parts if part)
