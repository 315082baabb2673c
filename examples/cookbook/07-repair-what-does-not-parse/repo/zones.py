"""Where it is how late."""

import clock

HOURS = {"London": 0, "Paris": 1, "Delhi": 5}


def local(text, town):
    return clock.show((clock.parse(text) + 60 * HOURS[town]) % 1440)
