"""What only some hubs have: switches, watches over voltage and interference, tariffs, demand response, billing.

Each is loaded when the settings, or a record on flash, want it; a hub that has none of them knows their names alone.

Memory   400 bytes
Runs on  the unix port and the boards
"""

from . import lazy
from .errors import HubError


class Extras:
    """Of `hub` (app.Hub), in whose attributes they stand: supply.Supply, loads.Loads, voltage_watch.VoltageWatch,

    tamper_watch.TamperWatch, tariff_desk.TariffDesk, billing_desk.BillingDesk; None where there is none.
    demand_due: Unix s, when demand_desk.py is wanted, 0 for never, 1: as soon as there is a time.
    """

    def __init__(self, hub) -> None:
        self._hub = hub
        hub.supply = hub.loads = hub.voltage = hub.tamper = hub.tariffs = None
        hub.demand_due = int(hub.strict_record("demand").is_there())
        self._demand = None
        self._open_switches(hub.settings.get)

    def _open_switches(self, get):
        """Drive the switches as they were left."""
        hub = self._hub
        try:
            if get("supply.switch"):
                from .supply import Supply  # noqa: PLC0415 - most hubs switch nothing

                hub.supply = Supply(hub, hub.strict_record("supply"))
            if get("supply.loads"):
                from .loads import Loads  # noqa: PLC0415

                hub.loads = Loads(hub, hub.strict_record("loads"), get("supply.loads"))
        except KeyError as err:  # the board has no such pin
            hub.journal.add("event", "SETTING_REFUSED", "supply: no pin %s" % err.args[0])

    def start(self) -> None:
        """Begin to watch, where that is wanted; the meters are there by now."""
        hub = self._hub
        if hub.settings.get("voltage.watch"):
            from . import voltage_watch  # noqa: PLC0415 - most hubs do not

            hub.voltage = voltage_watch.VoltageWatch(hub)
            hub.model.voltage = hub.voltage.shown
        if hub.settings.get("tamper.watch"):
            from . import tamper_watch  # noqa: PLC0415 - most hubs do not

            hub.tamper = tamper_watch.TamperWatch(hub)

        if hub.record("tariff").is_there():
            self.open_tariffs()

    def open_tariffs(self) -> None:
        """Load what books and shows by the tariff: there is one."""
        from . import tariff_desk  # noqa: PLC0415 - most hubs have a price and no tariff

        lazy.keep(lazy.parts(tariff_desk.PARTS))
        self._hub.tariffs = tariff_desk.open_for(self._hub)

    def tick(self, now: int) -> None:
        """Do what time brings; once a second."""
        hub = self._hub
        for one in (hub.supply, hub.voltage, hub.tamper):
            if one is not None:
                one.tick()
        if hub.loads is not None:
            hub.loads.tick(now)
        if hub.demand_due and now >= hub.demand_due:
            self.demand_desk()
        if hub.consents.bills:
            if hub.billing is None:
                self._open_billing()
            hub.billing.tick(now)  # pyright: ignore[reportOptionalMemberAccess]
        elif hub.billing is not None:
            hub.billing = None  # what it has begun ends by itself
            self._let_billing_go()

    def _open_billing(self):
        from . import billing_desk  # noqa: PLC0415 - the household has to agree to it

        self._hub.billing = billing_desk.BillingDesk(self._hub)

    def _let_billing_go(self):
        from .billing_desk import PARTS  # noqa: PLC0415 - it is loaded

        lazy.let_go(lazy.parts(PARTS))

    def put_away(self) -> None:
        """Save what is saved now and then only."""
        if self._hub.tariffs is not None:
            try:
                self._hub.tariffs.save()
            except OSError:  # the flash is full or broken: that was told when it happened
                pass

    def turn_on(self) -> None:
        """The household wants its supply on."""
        try:
            self._hub.supply.press()
        except HubError as err:
            self._hub.journal.add("event", err.name, "supply button")

    def demand_desk(self):
        """Return what looks after events of demand response, loaded while there are any that are near."""
        if self._demand is None:
            before = lazy.loaded()
            from .demand_desk import DemandDesk  # noqa: PLC0415 - most hubs never get one

            self._demand = DemandDesk(self._hub)
            modules = lazy.loaded() - before
            self._hub.start("demand", lambda: self._serve_demand(modules))
        return self._demand

    async def _serve_demand(self, modules):
        """Let the desk serve until nothing is near."""
        await self._demand.run()  # pyright: ignore[reportOptionalMemberAccess]
        self._demand = None
        lazy.let_go(modules)
