"""Everything the hub refuses or cannot do, by name and number.

Source   1..23: the failures of the use cases of ETSI TR 102 691, and of GB SMETS2 and GBCS; 40 and up are
         this project's (data export, links, store).
Errors   The class says who must act:
         FrameError   damaged or foreign input on a meter line: drop it, count it by its reason
         StoreError   flash does not hold what was written: keep what is whole, journal the rest
         ConfigError  a setting is unknown or out of range: the last good settings stay in force
         HubError     everything that is answered or journalled under a name of the table below
         A number never changes its meaning once released. No message carries a PIN, key or reading.
Runs on  both
"""

_TABLE = (
    "NOT_AUTHENTIC 1 NOT_AUTHORISED 2 REPLAY 3 MALFORMED 4 INVALID_VALUE 5 UNSUPPORTED 6 WRONG_STATE 7 "
    "NOT_AVAILABLE 8 RECORD_FAILED 9 RETRIEVE_FAILED 10 EXECUTE_FAILED 11 DISPLAY_FAILED 12 "
    "CONSUMER_TIMEOUT 13 CONSUMER_DECLINED 14 CONSUMER_UNABLE 15 SEND_FAILED 16 NOT_RECEIVED 17 "
    "DEVICE_UNREACHABLE 18 SCHEDULE_MISSED 19 CLOCK_INVALID 20 BUSY 21 STORE_FULL 22 INTEGRITY_FAILED 23 "
    "OVERSIZED 40 WRONG_HUB 41 EXPIRED 42 UNKNOWN_RECIPIENT 43 NOT_LINKED 44 REVOKED 45 "
    "OUT_OF_RANGE 46 NOT_CONSENTED 47 WRONG_PIN 48 PIN_DEAD 49 PIN_EXPIRED 50 LOCKED_OUT 51 "
    "WRONG_REQUEST 52 BAD_POINT 53 OUT_OF_ORDER 54 RATE_LIMITED 55 CANCELLED 56 BILL_CHAIN 57 "
    "METER_SILENT 60 METER_CLOCK 61 METER_CHANGED 62 REGISTER_BACKWARD 63 INTERVAL_LATE 64 LINE_STUCK 65 "
    "CLOCK_JUMP 66 REGISTER_JUMP 67 REGISTER_ROLLED 68 METER_TWICE 69 "
    "LINK_DOWN 70 LINK_REFUSED 71 OUTBOX_FULL 72 SETTING_REFUSED 80 STORE_DAMAGED 81 STORE_FOREIGN 85"
)


def number(name: str) -> int:
    """Return the number of an error `name` of the table; KeyError for a name that is not in it."""
    words = _TABLE.split()
    for i in range(0, len(words), 2):
        if words[i] == name:
            return int(words[i + 1])
    raise KeyError(name)


def name(number: int) -> str:
    """Return the name that belongs to an error `number`; KeyError when there is none."""
    words = _TABLE.split()
    for i in range(1, len(words), 2):
        if int(words[i]) == number:
            return words[i - 1]
    raise KeyError(number)


class HubError(Exception):
    """An error of the table: `name`, and the `field` of the input at fault ('' when it is the whole)."""

    def __init__(self, name: str, field: str = "") -> None:
        super().__init__(name, field)
        self.name = name
        self.field = field

    def __str__(self) -> str:
        return self.name + (": " + self.field if self.field else "")


class FrameError(Exception):
    """Bytes from a meter line that are no good frame; `args[0]` is the reason that is counted."""


class StoreError(Exception):
    """Flash content that is not what was written; `args[0]` says which file and why."""


class ConfigError(Exception):
    """A refused setting; `args[0]` is its dotted name, `args[1]` what is wrong with it."""
