"""What the pages of the in-home display read: plain values that the app keeps up to date.

Units    as in the names; e5 = 1e-5 currency units; None where something is not known (yet)
Runs on  both
"""

from collections import namedtuple

# recipient, what ("half-hours"), until, last_used: texts for people; key: whatever on_revoke shall get
Consent = namedtuple("Consent", ("recipient", "what", "until", "last_used", "key"))
# one line of the consent log: when ("1 Oct 14:05"), who, result ("sent: 1,488 half-hours"): texts for people
Logged = namedtuple("Logged", ("when", "who", "result"))
# lines: up to three lines; unread: not looked at yet
Message = namedtuple("Message", ("title", "lines", "unread"))


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

        self.today_wh = self.yesterday_wh = None
        self.month_wh = self.last_month_wh = None
        self.today_export_wh = self.month_export_wh = None

        self.wan = "off"  # "up" "down" "off"
        self.meters = ()  # of each meter: "fresh" "old" "silent"
        self.troubles = []  # of each: (what, what to do, ...), up to three lines of plain words
        self.consents = []  # of Consent
        self.log = []  # of Logged, newest first
        self.messages = []  # of Message, newest first
