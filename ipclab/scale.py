"""The axis of time: seconds to horizontal positions, in order and stretched.

A call of 5 µs beside a wait of 200 ms would be 0.02 pixels wide. So every stretch between two neighbouring boundaries
(the start or end of anything drawn, in any lane) gets the same least width, and only the room that is left is shared
out by duration. Order and simultaneity stay exact across lanes; lengths of short stretches do not, which is
why the axis carries real times and says that short gaps are drawn wider.
"""
from bisect import bisect_right

STRETCH = 0.6  # at most this part of the width goes to least widths


class Scale:
    """A monotone, piecewise linear map of seconds to positions."""

    def __init__(self, times, left, right, gap):
        self.times = sorted(set(times)) or [0.0]
        if len(self.times) == 1:
            self.times.append(self.times[0] + 1e-6)
        stretches = len(self.times) - 1
        least = min(gap, STRETCH * (right - left) / stretches)
        rate = (right - left - least * stretches) / (self.times[-1] - self.times[0])
        first = self.times[0]
        self.places = [left + least * n + rate * (time - first) for n, time in enumerate(self.times)]
        self.known = dict(zip(self.times, self.places, strict=True))

    def __call__(self, time):
        """The position of a time; times outside are held at the ends."""
        return self.known[time] if time in self.known else _between(self.times, self.places, time)

    def time(self, place):
        """The time at a position."""
        return _between(self.places, self.times, place)


def _between(here, there, value):
    """Linear interpolation of the value from one rising list to the other."""
    if value <= here[0] or value >= here[-1]:
        return there[0] if value <= here[0] else there[-1]
    at = bisect_right(here, value) - 1
    part = (value - here[at]) / ((here[at + 1] - here[at]) or 1)
    return there[at] + part * (there[at + 1] - there[at])


def ticks(scale, room):
    """Times for the axis, at least `room` apart on the page, each the roundest number where it stands."""
    left, right = scale.places[0], scale.places[-1]
    found = [0.0] if scale.times[0] == 0 else []
    spans = [(left if found else left - room / 2, right + room)]
    while spans:
        low, high = spans.pop()
        time = _roundest(scale.time(low + room), scale.time(high - room)) if high - low >= 2 * room else None
        if time is None:
            continue
        found.append(time)
        place = scale(time)
        spans += [(low, place), (place, high)]
    return sorted(found)


def _roundest(low, high):
    """The roundest number in [low, high], None where there is no round one."""
    if high <= 0 or high <= low:
        return None
    power = 10.0 ** len(str(int(high)))
    while power > high / 210:
        for step in (power, power / 2, power / 5):
            number = -(-low // step) * step
            if 0 < number <= high and (number <= 60 * step or step == power):
                return round(number, 12)
        power /= 10
    return None


def seconds_text(seconds):
    """A duration with its unit, to three digits: "5 µs", "1.25 ms", "200 ms", "2 s"."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(seconds) >= size * 0.9995:
            return f"{_digits(seconds / size)} {unit}"
    return "0 s" if not seconds else f"{seconds * 1e6:.1g} µs"


def _digits(number):
    return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"
