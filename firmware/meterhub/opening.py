"""What a hub finds on its flash when it starts, and makes of its settings. Loaded once a start, and let go again.

Memory   none once the hub has started
Errors   none: what is damaged or cannot be is journalled, and the hub goes on without it.
Runs on  the unix port and the boards
"""

import sys

from . import lazy
from .errors import ConfigError, StoreError
from .ihd import drivers
from .meters import kinds
from .meters.intervals import IntervalRecorder
from .store import files, home, settings, transaction
from .store.columns import column_of
from .store.last import LastValues
from .store.profile import Profile
from .trust.tenancy import Tenancy

_MODULES = ("opening", "meters.kinds", "store.home", "store.settings_table", "store.transaction", "trust.agreements")


def modules() -> set:
    """Return the names of what only a start needs: to be let go when nobody holds this module any more."""
    names = lazy.parts(_MODULES)
    if "meterhub.meter_finder" in sys.modules:
        names.discard("meterhub.meters.kinds")
    return names


def settle(board) -> str:
    """Let the board's folder be its own; return which folder of another hub's was found, "" for none."""
    return home.settle(board)


def load_settings(hub):
    """Return the settings in force, after what a power cut has left half-way was ended."""
    folder = hub.board.data_dir
    try:
        if transaction.is_pending(folder):
            transaction.finish(folder)
    except StoreError as err:
        hub.journal.add("event", "STORE_DAMAGED", err.args[0])
    found, refused = settings.load_file(folder + "/settings.json")
    if refused:
        hub.journal.add("event", "SETTING_REFUSED", "%s %s" % refused.args)
    return found


def profile(hub, name: str, registers) -> Profile:
    """Return the load profile `name` of `registers` (OBIS codes), a file of the hub's folder."""
    get = hub.settings.get
    columns = [column_of(obis) for obis in registers]
    return Profile(hub.board.data_dir + name, columns, get("profile.interval_s"), get("profile.months"), hub.damaged)


def add_meters(hub) -> None:
    """Make the meters that the settings name; the first one is the household's main meter."""
    chosen = hub.settings.get("meters")
    for setting in chosen:
        try:
            meter = kinds.meter(setting, hub.zone, hub.board.data_dir)
        except ConfigError as err:
            hub.journal.add("event", "SETTING_REFUSED", "meters.%s.%s %s" % ((setting["name"],) + err.args))
            continue
        meter.last = _last_values(hub, setting)
        if setting is chosen[0]:
            meter.profile, meter.intervals = hub.profile, hub.intervals
        elif setting.get("registers_kept"):
            meter.profile = profile(hub, "/profile-" + meter.name, setting["registers_kept"])
            meter.intervals = IntervalRecorder(meter.profile, hub.clock)
        hub.meters.append(meter)
        if meter.protocol == "auto":
            from . import meter_finder  # noqa: PLC0415 - only for lines that nobody has described

            meter_finder.prepare(hub, meter)


def _last_values(hub, setting):
    wrong = files.open_dir(hub.board.data_dir + "/last")
    if wrong:
        hub.damaged(wrong)
    name, get = setting["name"], setting.get
    return LastValues(hub.record("last/" + name), hub.kept, name, get("save_s", 10), get("save_pulses", 10))


def tenancy(hub) -> Tenancy:
    """Return who lives here since when; nobody sees what was before it."""
    profiles = hub.profiles
    found = Tenancy(hub.strict_record("tenancy"), lambda: max([one.last or 0 for one in profiles]))
    if found.damaged:
        hub.damaged("tenancy: all that was kept is hidden")
    hub.consents.since = found.since
    for one in profiles:
        one.hide_before(found.since)
    return found


def settle_consents(hub) -> None:
    """Journal what a power cut has kept from the log of consents."""
    if not hub.consents.owed():
        return
    from .trust import agreements  # noqa: PLC0415 - hardly ever

    try:
        agreements.Agreements(hub.consents, hub.journal).settle()
    except OSError:  # there is no room: the next entry of their journal tries again
        hub.journal.unwritten += 1


def display(hub):
    """Return the driver of the display that the settings name; None when there is none."""
    get = hub.settings.get
    try:
        return drivers.open(get("display.driver"), hub.board, get("display.address"))
    except (ImportError, OSError):
        return None
