"""When to ring."""

import clock


def is_due(now, alarm)
    return clock.parse(now) >= clock.parse(alarm)


def next_alarm(now, alarms):
    later = [alarm for alarm in alarms if not is_due(now, alarm)]
    return min(later, default=None)
