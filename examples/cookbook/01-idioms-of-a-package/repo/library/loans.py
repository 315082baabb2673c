"""Who has borrowed which book."""


def find_loan(loans, title):
    for loan in loans:
        if loan["title"] == title:
            return loan
    return None


def is_free(loans, title):
    return find_loan(loans, title) == None


def borrow(loans, title, reader):
    loan = find_loan(loans, title)
    if loan != None:
        raise ValueError(f"{title} is lent out")
    loans.append({"title": title, "reader": reader})


def give_back(loans, title):
    loan = find_loan(loans, title)
    if loan == None:
        raise KeyError(title)
    loans.remove(loan)
