"""The pages of the voltage, of a hub that watches it: what it is now, and how this week has been by EN 50160.

Source   ETSI TR 102 691, 5.2.6: the household's own view. What is fine, and what a week must be like:
         meters/voltage.py, and what set.voltage_config has made of it
Units    mV, s
Runs on  both

Both take what model.Model.voltage returns. One phase is a number; of three phases each is a line, and the worst of
them the headline. The word beside a voltage judges that very reading; the network is told only of what lasts.
"""

from . import words
from .pages import Page, page

_WORST = ("no voltage", "too high", "too low", "high lately", "low lately", "normal", "no reading")


def now(low_mv: int, high_mv: int, phases: list) -> Page:
    """The voltage of each phase, and whether it is fine."""
    if not phases:
        return page("VOLTAGE", "no reading", ("The meter has told", "no voltage yet."), "next", "week")
    said = [_word(phase, low_mv, high_mv) for phase in phases]
    if len(phases) == 1:
        fine = "fine\t%s - %s V" % (words.kilo(low_mv, 1), words.kilo(high_mv, 1))
        return page("VOLTAGE", words.kilo(phases[0][1], 1), (said[0], fine), "next", "week", unit="V")
    lines = ["%s %s V\t%s" % (phase[0], words.kilo(phase[1], 1), word) for phase, word in zip(phases, said)]
    return page("VOLTAGE", min(said, key=_WORST.index), lines, "next", "week")


def _word(phase, low_mv, high_mv):
    _, mv, lately = phase[:3]
    if mv is None:
        return "no reading"
    if mv > high_mv:
        return "too high"
    if mv < low_mv:
        return "too low" if mv else "no voltage"
    return "high lately" if lately > 0 else "low lately" if lately else "normal"


def week(_, __, phases: list) -> Page:
    """The lowest and the highest mean of ten minutes in this week, and whether it keeps to EN 50160 until now."""
    seen_s = max([0] + [phase[3] for phase in phases])
    if not seen_s:
        return page("THIS WEEK", "nothing yet", ("The first mean takes", "ten minutes."), "next", "now")
    value = "good so far" if all([phase[6] for phase in phases]) else "not good so far"
    corner = "%d h seen" % (seen_s // 3600) if seen_s >= 3600 else "%d min" % (seen_s // 60)
    if len(phases) == 1:
        lines = ["lowest\t%s V" % words.kilo(phases[0][4], 1), "highest\t%s V" % words.kilo(phases[0][5], 1)]
    else:
        lines = [_ends(phase) for phase in phases]
    return page("THIS WEEK", value, lines, "next", "now", corner=corner)


def _ends(phase):
    name, _, _, seen_s, lowest, highest, _ = phase
    return (
        "%s\t%s - %s V" % (name, words.kilo(lowest, 1), words.kilo(highest, 1)) if seen_s else name + "\tnothing yet"
    )
