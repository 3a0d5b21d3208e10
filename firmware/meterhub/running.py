"""What a hub does from its start on: its tasks, in the order in which a start needs them.

Runs on  the unix port and the boards
"""

import asyncio
import gc

from . import console, lazy, meter_line
from .crypto.steps import slowly
from .errors import ConfigError, StoreError
from .hal.ticks import now_ms, since
from .store import files
from .trust import identity
from .version import VERSION

_LATER_S = 1  # what reads much of the flash waits until the first telegram is through


async def _press(hub, name):
    button = hub.board.button(name)
    while True:
        kind = await button.pressed()
        hub.take_press(name, kind)  # whoever takes presses by now


async def _check_journal(hub):
    """Go along the journal's seals, and journal what is wrong with it and was not said before."""
    before = lazy.loaded()
    from .store import journal_check  # noqa: PLC0415 - once a start

    modules = lazy.loaded() - before
    for line in await slowly(journal_check.report(hub.journal)):
        hub.journal.add("security", "INTEGRITY_FAILED", line)
    journal_check = None
    lazy.let_go(modules)


async def _housekeeping(hub):
    hub.board.feed_watchdog()
    looked = now_ms()
    await asyncio.sleep(_LATER_S)
    hub.open_events()
    for profile in hub.profiles:
        for _ in profile.look():
            hub.board.feed_watchdog()
            await asyncio.sleep(0)
    while True:
        hub.board.feed_watchdog()
        hub.household.tick()
        hub.extras.tick(hub.clock.now())
        hub.look_at_notices()
        hub.outages.beat(True)
        await asyncio.sleep(1)
        now = now_ms()
        hub.uptime_ms += since(now, looked)
        looked = now


def _connect_ihd(hub):
    hub.ihd.on_accept = lambda: hub.applet().post("accept")
    hub.ihd.on_decline = lambda: hub.applet().post("decline")
    hub.ihd.on_cancel = lambda: hub.applet().post("cancel")
    hub.ihd.on_supply = hub.extras.turn_on
    hub.ihd.on_revoke = lambda consent: _revoke(hub, consent)
    hub.ihd.on_notice = lambda *said: hub.notices.pressed(*said)  # noqa: PLW0108 - loaded when there are any
    driver = hub.settings.get("display.driver")
    hub.ihd.on_display = lambda works: hub.journal.add("event", "display" if works else "DISPLAY_FAILED", driver)
    hub.start("ihd", hub.ihd.run)
    for name in ("A", "B"):
        hub.start("button " + name, lambda name=name: _press(hub, name))


def _revoke(hub, consent):
    """End a consent: a recipient's, which the applet tells, or a role's."""
    if "scope" not in consent:
        hub.applet().post(consent)
    elif hub.role_consents().revoke(consent["kid"], consent["scope"], hub.clock.now()):
        _tell_revoked(hub)


def _tell_revoked(hub):
    """Tell the roles who have not heard of it what the household has revoked: then, and at a start."""
    before = lazy.loaded()
    from . import agreed  # noqa: PLC0415 - seldom

    agreed.tell_revoked(hub)
    agreed = None
    lazy.let_go(lazy.parts(("agreed", "ihd.entries", "trust.role_consents")) - before)


async def _wipe_if_wanted(hub):
    """Wipe the hub when button A is held at power-on, or when a power cut has kept a wipe from ending."""
    await hub.board.settle()
    if hub.board.held("A") or files.exists(hub.board.data_dir + "/wiping"):
        from . import wipe  # noqa: PLC0415 - once in a hub's life

        await wipe.run(hub)


async def run(hub) -> None:
    """Start the hub `hub` (app.Hub), and keep it running."""
    await _wipe_if_wanted(hub)
    await _start(hub)
    while True:
        gc.collect()
        await asyncio.sleep(3600)


async def _start(hub):
    hub.extras.start()
    meter_line.start(hub)
    await asyncio.sleep(0)  # the lines are open: from here on they keep what comes
    hub.start_drbg()
    hub.meet_household()
    _connect_ihd(hub)
    hub.start("cable", hub.cable.run)
    hub.start("housekeeping", lambda: _housekeeping(hub))
    before = lazy.loaded()
    try:
        hub.identity = await slowly(identity.load(hub.strict_record("identity"), hub.drbg))
    except StoreError as err:  # a hub that made itself another key would be another hub: read on, but stay offline
        hub.journal.add("security", "INTEGRITY_FAILED", err.args[0])
    lazy.let_go(lazy.parts(identity.SIGNING) - before)
    hub.seal_journal()
    if hub.has_market():
        hub.market.start()
    hub.start("journal check", lambda: _check_journal(hub))
    hub.model.hub_id = hub.identity.hub if hub.identity else ""
    hub.start("service desk", hub.cable.serve)
    console.say("start", {"hub": hub.model.hub_id, "version": VERSION, "name": hub.settings.get("name")})
    hub.journal.add("event", "start", VERSION)
    if hub.identity is not None and hub.settings.get("wan.url"):
        _start_wan(hub)
    if hub.has_role_consents():
        _tell_revoked(hub)
    if hub.settings.get("may.time") or hub.settings.get("time.ntp"):
        hub.start("time", hub.timekeeping().run)


def _start_wan(hub):
    from . import uplink  # noqa: PLC0415 - a hub may have no broker

    try:
        hub.wan = uplink.build(hub)
    except ConfigError as err:
        hub.journal.add("event", "SETTING_REFUSED", "%s %s" % err.args)
        return
    hub.start("wan", hub.wan.run)
    hub.start("announce", lambda: uplink.announce(hub))
