"""UC-05, manage outage data: read.outage_log. What is planned: outage_plan.py.

Source   ETSI TR 102 691, 5.2.7; what is kept: outage_log.py. Every alternative flow shows an event on the display.
Units    Unix seconds, UTC
Errors   HubError INVALID_VALUE and MALFORMED (arg.NAME); RETRIEVE_FAILED when the log is damaged; CLOCK_INVALID while
         nobody has told the time, which an outage that is just over needs as well
Runs on  both

read.outage_log   from, to, first -> {outages: [{n, start, end, seconds, class "short" or "long" by EN 50160 (longer
                  than 180 s), min3 1 by GBCS (180 s and more), phases [] for the whole supply, planned REF or "",
                  clock STATE, estimated}], next}: those that overlap from..to, from the number `first` on. Numbers
                  rise without a hole, in the order in which the outages ended; the newest 32 are kept. next: `first`
                  of the next page, 0 after the last.
"""

from ..errors import HubError, StoreError
from . import Result, asks, span


def handle(hub, command) -> Result:
    """Carry out a command of this module."""
    return span.chosen(_COMMANDS, command)(hub, command)


def refused(hub, cmd: str, err) -> None:
    """Show the household that outage data were asked for in vain, whoever has found that (trust.command.Refused)."""
    asks.show_refused(hub, err, "Outage data", "outage")


# -- the log -----------------------------------------------------------------------------------------------------


def _read(hub, command):
    arg = command.arg
    span.only(arg, ("from", "to", "first"))
    start, stop = span.asked(command)
    first = span.whole(arg, "first", 0, span.END_OF_TIME, 0)
    if hub.outages.is_open:  # the newest one is not in the log yet
        raise HubError("CLOCK_INVALID", "clock")
    try:
        kept = hub.outages.in_log(lambda log: log.newest(hub))
    except StoreError as err:
        raise HubError("RETRIEVE_FAILED", err.args[0].split("/")[-1])
    found = [one for one in kept if one["n"] >= first and one["start"] <= stop and start <= one["end"]]
    rows, following = span.page(found)
    return Result("done", {"outages": rows, "next": following["n"] if following else 0})


def decided(hub, notice: dict, decision: str) -> None:
    """What was read, kept or deleted was an event: nobody waits for an answer."""


_COMMANDS = {"read.outage_log": _read}
