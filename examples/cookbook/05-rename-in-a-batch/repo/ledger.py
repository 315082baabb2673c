"""Money that comes and goes."""


def balance(entries):
    tmp = 0
    for entry in entries:
        tmp += entry
    return tmp


def incomes(entries):
    tmp = [entry for entry in entries if entry > 0]
    return tmp


def largest(entries):
    tmp = entries[0]
    for entry in entries[1:]:
        if entry > tmp:
            tmp = entry
    return tmp
