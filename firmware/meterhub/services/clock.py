"""The hub's clock and whose home it is: read.clock, set.clock, set.change_of_tenancy.

Source   GBCS ECS70 (clock), ECS12 (change of tenancy); how far a time is believed: hal/discipline.py
Units    Unix seconds, UTC
Errors   HubError MALFORMED, INVALID_VALUE, REPLAY, EXPIRED, CLOCK_JUMP, CLOCK_INVALID
Runs on  both

  read.clock             {} -> {at, state, drift_ppm, nonce}
  set.clock              {at, nonce [, jump]} -> {at, state}   nonce: what read.clock brought, within ten seconds. A
                         clock that is synchronised does not jump by more than 10 s, unless jump is true.
  set.change_of_tenancy  {from} -> {}    from then on the home is somebody else's: what was before is hidden
                         (trust/tenancy.py). It must be later than the one before.
"""

from ..errors import HubError
from ..hal.ticks import now_ms
from . import Result, fields


def handle(hub, command) -> Result:
    """Carry out one of the commands above."""
    if command.cmd == "read.clock":
        fields.only(command.arg, ())
        return Result("done", dict(_state(hub), nonce=hub.timekeeping().nonce(), drift_ppm=hub.clock.drift_ppm))
    if command.cmd == "set.clock":
        fields.only(
            command.arg,
            (
                "at",
                "nonce",
                "jump",
            ),
        )
        claims = {"at": fields.whole(command.arg, "at", 0, 1 << 33), "nonce": fields.text(command.arg, "nonce", 22)}
        claims["jump"] = fields.flag(command.arg, "jump", False)
        hub.timekeeping().take(command.kid, claims, now_ms())
        return Result("done", _state(hub))
    if command.cmd == "set.change_of_tenancy":
        fields.only(command.arg, ("from",))
        start = fields.whole(command.arg, "from", 0, 1 << 33)
        hub.tenancy.take(start)
        hub.journal.add("security", "tenancy announced", "from %d by %s" % (start, command.kid))
        return Result("done", {})
    raise HubError("UNSUPPORTED", "cmd")


def _state(hub):
    return {"at": hub.clock.now(), "state": hub.clock.state}
