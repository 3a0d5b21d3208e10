"""What tests of the use cases share: the sender's own tool, a half-hour that is over soon, the household's pages."""

import asyncio
import contextlib
import time
from types import SimpleNamespace

import market as roles
import pytest
import world
from cryptography.hazmat.primitives.asymmetric import ec
from market import Market, Sent

from meterhub.store.record import Record
from meterhub_tools.demo import meter
from meterhub_tools.headend import HeadEnd, Role, Store, Wish

HALF_HOUR_S = 1800


@contextlib.contextmanager
def half_hour_over_in(seconds: int):
    """Set the clocks of home and roles ahead, so that a half-hour is over so soon; yield their time.time().

    It is never the last one of a day in London or Paris: what happens in it is still of today when it is over.
    """
    ahead_s = (-int(time.time()) - seconds) % HALF_HOUR_S
    if (int(time.time()) + ahead_s + seconds) // 3600 % 24 in (22, 23, 0):
        ahead_s += 3 * 3600

    def now():
        return time.time() + ahead_s

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meter, "time", SimpleNamespace(time=now))
        for module in (world, roles):
            patch.setattr(module, "time", SimpleNamespace(time=now, monotonic=time.monotonic, sleep=time.sleep))
        yield now


class Sender:
    """The head-end of a role, as its operator runs it: what it knows of its transactions is in its database."""

    def __init__(self, market: Market, role: str) -> None:
        self._market = market
        self._party = market.parties[role]
        self._role = Role(role.lower(), role, ec.derive_private_key(self._party.scalar, ec.SECP256R1()))
        self.store = Store(f"sqlite:///{market.folder}/{role}.sqlite3")
        identity = Record(str(market.home.hub.data / "identity")).load()
        self.store.admit([(market.home.hub.id, identity[32:], "home")])

    def send(self, cmd: str, arg: dict, life_s: int = 15) -> Sent:
        """Write a command down and send it; the letters are collect()'s to take."""
        hub = self._market.home.hub.id

        def sign(_, ctr, iat):
            return self._market.command(self._party, cmd, arg, ctr=ctr, iat=iat, exp=iat + life_s).token

        (given,) = self.store.give(self._role.kid, "desk", [Wish(hub, cmd, arg, None, life_s)], sign)
        self._market.publish("command", given.token)
        self.store.delivered([(given.kid, hub, given.ctr)])
        return Sent(self._party, given.token, given.ctr)

    def state(self, sent: Sent) -> str:
        """Return what the operator sees of a command now."""
        self.store.overdue()
        return self.store.transaction(self._role.kid, self._market.home.hub.id, sent.ctr).state

    def overdue(self, sent: Sent) -> None:
        """Wait until a command is OVERDUE."""
        until(lambda: self.state(sent) == "OVERDUE")

    def collect(self, sent: Sent) -> dict:
        """Run the head-end until a command is done and all letters are receipted; return what the answer says."""
        hub = self._market.home.hub

        async def run():
            url = f"mqtt://127.0.0.1:{self._market.broker.port}"
            async with HeadEnd(self._role, url, self.store, group="") as head, asyncio.timeout(60):
                await head.connected(20)
                while self.state(sent) != "DONE" or self._market.waiting():
                    await asyncio.sleep(0.1)

        asyncio.run(run())
        return self.store.transaction(self._role.kid, hub.id, sent.ctr).answer


def listens(market: Market) -> Market:
    """Return the market when its hub has answered: it is at the broker."""
    for _ in range(10):
        with contextlib.suppress(AssertionError):
            market.answer(market.send("SUP", "read.clock"), timeout_s=6)
            return market
    raise AssertionError("the hub does not answer")


def announce(market: Market, role: str, cmd: str, make) -> tuple[Sent, dict, int]:
    """Send the event make(now) until the household can see it; return the command, its answer's data, and that now.

    The bench's display does not keep up while the machine is busy, and what nobody can see is refused.
    """
    for _ in range(10):
        to_page(market, "now", "next")
        now = int(roles.time.time())
        sent = market.send(role, cmd, make(now))
        answer = market.answer(sent)
        if answer["outcome"] == "pending":
            return sent, answer["data"], now
        assert answer["error"] == "DISPLAY_FAILED", answer
        time.sleep(1)
    raise AssertionError("the display has failed")


def until(true, timeout_s: float = 30.0) -> None:
    """Wait until true() is."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def reconnect(market: Market) -> None:
    """Break the link and let it come again: what has no receipt is sent at once."""
    market.broker.kill()
    market.home.hub.status = {}
    before = len(market.home.hub.journalled("LINK_DOWN"))
    until(lambda: len(market.home.hub.journalled("LINK_DOWN")) > before)
    market.broker.start()


# -- the household -----------------------------------------------------------------------------------------------


def to_page(market: Market, *words: str) -> list[str]:
    """Walk with A until the display shows all `words`; return its lines."""
    for _ in range(20):
        try:
            return market.reads(*words, timeout_s=1.5)
        except AssertionError:
            market.press("A", 0)
    raise AssertionError(f"no page with {words}")


def supply_page(market: Market, value: str, *words: str) -> list[str]:
    """Walk to the page of the supply; see that it says ON or OFF, and why; return its lines."""
    deadline = time.monotonic() + 5
    while value not in (lines := to_page(market, "supply", *words)):
        assert time.monotonic() < deadline, lines
        time.sleep(0.05)
    return lines


def agree(market: Market, role: str, now=time.time) -> None:
    """Let a role ask the household for the consent to steer its demand, and the household accept."""
    to_page(market, "now", "next")
    sent = market.send(role, "consent.ask", {"scope": "demand", "until": int(now()) + 86400})
    market.answer(sent, "pending")
    market.reads("may they?", "steer demand?", "the " + role)
    choose(market, "B", "a no b more")
    choose(market, "B", "a no b yes")
    assert market.answer(sent, "done")["data"]["action"] == "accept"


def choose(market: Market, button: str, choices: str) -> None:
    """Press a button until the page that offers these choices is gone: a press that comes too soon means nothing."""
    deadline = time.monotonic() + 30
    while _offered(market) != choices:
        assert time.monotonic() < deadline, market.display()
        time.sleep(0.05)
    while _offered(market) == choices:
        assert time.monotonic() < deadline, market.display()
        market.press(button)
        changed = time.monotonic() + 4  # a second press would be an answer to the next page
        while _offered(market) == choices and time.monotonic() < changed:
            time.sleep(0.05)


def _offered(market):
    return " ".join((market.display() or [""])[-1].lower().split())


def switch(market: Market, number: int):
    """Return the contactor of the supply (0) or of a load."""
    return market.home.bench.switches[number]


def moves(market: Market, number: int, on: bool, timeout_s: float = 30.0) -> None:
    """Wait until a contactor is where it ought to be."""
    until(lambda: switch(market, number).on == on, timeout_s)


def generate(market: Market, watts: int) -> None:
    """From the next second on, let something in the home generate so much."""
    home, at = market.home.meter.household, int(meter.time.time()) + 1
    home.set_extra_w(at, 0)
    home._extra_w[-1] = -watts  # a household's extra load is above zero; this is one below


# -- events ------------------------------------------------------------------------------------------------------


def event(name: str, start: int, duration: int, kind: str = "SIMPLE", value: object = 3, **more: object) -> dict:
    """Return the argument of dr.event or dg.event, with one interval."""
    period = {"start": start, "duration": duration}
    interval = {"intervalPeriod": period, "payloads": [{"type": kind, "values": [value]}]}
    return {"id": name, "intervals": [interval], **more}


def kept(market: Market, name: str) -> dict:
    """Return what the hub's record says of an event."""
    return next(one for one in market.state("demand")["events"] if one["id"] == name)


def notice_state(market: Market, name: str) -> str:
    """Return what has become of the newest notice that its sender calls so."""
    return [row[8] for row in market.state("notices")["rows"] if row[2] == name][-1]


def report(market: Market, role: str, schedule: str, timeout_s: float = 30.0) -> dict:
    """Return the first report with this id to a role."""

    def wanted(claims):
        return claims["kind"] == "report" and (claims["party"], claims["schedule"]) == (role, schedule)

    return market.letter(wanted, timeout_s)


def payloads(data: dict) -> dict:
    """Return {type: value} of a report's last half-hour."""
    (resource,) = data["resources"]
    part = resource["intervals"][-1]
    return {one["type"]: one["values"][0] for one in part["payloads"]}


def kwh(wh: int) -> str:
    """Return watt-hours as reports say them."""
    return f"{'-' if wh < 0 else ''}{abs(wh) // 1000}.{abs(wh) % 1000:03}"


def journalled(market: Market, name: str, cmd: str, sent: Sent, field: str = "", flow: str = "06") -> None:
    """See that the journal says what has become of a command: its flow, name, role and transaction."""
    market.journal(name, f"UC-{flow} {cmd} {sent.party.role} {sent.party.kid}/{sent.ctr} {field}".rstrip())
