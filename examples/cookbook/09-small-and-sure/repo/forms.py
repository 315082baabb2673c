"""What people fill in."""


def missing(form, names):
    result = []
    for name in names:
        if form.get(name) == None:
            result.append(name)
    return result


def first_error(errors):
    if errors == None:
        return None
    return errors[0]


def label(field, names):
    if field == None or names == None:
        return ""
    found = names.get(field)
    if found == None:
        return field
    return found


def join(errors):
    return ", ".join(errors)
