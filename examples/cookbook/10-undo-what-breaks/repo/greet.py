"""Say hello."""


def greet(names):
    count = 0
    for name in names:
        print("hello", name)
        count += 1
    return count
