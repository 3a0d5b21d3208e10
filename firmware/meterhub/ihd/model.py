"""What the pages of the in-home display read: plain values that the app keeps up to date.

Units    as in the names; e5 = 1e-5 currency units; None where something is not known (yet)
Runs on  both
"""


def no_message(number: int) -> "tuple | None":
    """There is none."""


class Model:
    """One attribute for each thing the pages can show. All texts are ready to be shown, in the household's words."""

    def __init__(self, hub_id: str = "", name: str = "", version: str = "") -> None:
        self.hub_id = hub_id
        self.name = name
        self.version = version
        self.waiting = ""  # what the hub waits for at start; the start page stays while there is something
        self.clock = ""  # "14:05"; "" is shown as --:--
        self.night = False  # the idle page is dimmed

        self.power_w = None  # import minus export
        self.last_hour_w = ()  # averages, oldest first, newest last; None where nothing was read; at most 12
        self.import_wh = None  # the register
        self.export_wh = None
        self.price_e5 = None  # per kWh imported
        self.export_price_e5 = None
        self.currency = "EUR"
        self.medium_w, self.high_w = 2300, 4600  # from here on power is medium, is high
        self.supply = None  # (on or off, (why, what to do), whether B may turn it on); None: no such switch
        # of a hub that watches the voltage: what returns (lowest and highest mV that are fine, of each phase: (name,
        # mV or None, 1 while its mean is too high or -1 too low, and of this week: seconds, lowest and highest mean,
        # verdict))
        self.voltage = None
        # of a hub with a tariff
        self.rate = ""  # its name, "" while there is only one
        self.tariff = ()  # (id, "until 07:00" or "", standing charge for a day, e5)
        self.today_cost = self.month_cost = None  # (e5, whether all that was used has a price)

        self.today_wh = self.yesterday_wh = None
        self.month_wh = self.last_month_wh = None
        self.today_export_wh = self.month_export_wh = None

        self.wan = "off"  # "up" "down" "off"
        self.meters = ()  # of each meter: "fresh" "old" "silent"
        self.troubles = []  # of each: (what, what to do, ...), up to three lines of plain words
        self.consents = []  # of entries.Consent
        self.log = []  # of entries.Logged, newest first
        self.messages = ()  # of (id, unread), newest first
        self.alert = 0  # the id of the one that shows itself
        self.message = no_message  # what returns the entries.Message with an id, None when it is gone
        self.put_off = {}  # id of a message -> uptime until which it does not show itself
        self.now = 0  # Unix s, 0 while the clock is not set
