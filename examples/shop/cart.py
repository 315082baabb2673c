"""A shopping cart."""


class Cart:
    def __init__(self, currency="EUR"):
        self.currency = currency
        self.items = []

    def add(self, name, price, quantity=1):
        if quantity <= 0:
            raise ValueError("quantity must be positive"
        self.items.append((name, price, quantity))

    def total(self):
        total = 0
        for name, price, quantity in self.items:
            total += price * quantity
        return total

    def is_empty(self)
        return len(self.items) == 0
