"""Temperatures as they come in."""


def parse_line(line):
    day, value = line.split(";")
    print("parsed", day, value)
    return day, float(value)


def mean(values):
    total = 0.0
    for value in values:
        print(value)
        total += value
    return total / len(values)
