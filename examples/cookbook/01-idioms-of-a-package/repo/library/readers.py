"""Who may borrow."""


def register(readers, name):
    reader = readers.get(name)
    if reader == None:
        reader = readers[name] = {"blocked": False}
    return reader


def block(readers, name):
    reader = readers.get(name)
    if reader == None:
        raise KeyError(name)
    reader["blocked"] = True


def names(readers):
    return sorted(readers)
