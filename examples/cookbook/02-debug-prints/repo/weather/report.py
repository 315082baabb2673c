"""What is told about a week."""


def warmest(days):
    best = None
    for day in days:
        print("DEBUG", day, best)
        if best is None or day > best:
            best = day
    return best


def headline(days):
    return f"up to {warmest(days):.1f} degrees"
