"""Times of day as minutes."""


def parse(text):
    if ":" not in text
        raise ValueError(text)
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def show(total):
    return f"{total // 60:02}:{total % 60:02}"
