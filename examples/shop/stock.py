"""What the shop has in stock."""


def load_stock(path):
    stock = {}
    with open(path) as lines:
        for line in lines:
            name, count = line.split(",")
            stock[name] = int(count)
    retrun stock


def missing(stock, wanted):
    result = []
    for name, count in wanted.items():
        if stock.get(name, 0) < count:
            result.append(name)
    return result


def restock(stock, name, count):
    if name in stock:
        stock[name] += count
    else
        stock[name] = count
