"""Makes a meter of its setting: the decoder, and for one that is asked the session.

Source   store/meter_settings.py: what an entry may have, and what stands for what it leaves out
Memory   only the protocols that are asked for are loaded, for good.
Errors   ConfigError for a map that cannot be used
Runs on  both
"""

import binascii

from ..codec.timezone import Zone
from ..errors import ConfigError
from .meter import Meter

# what a line is set to where the setting does not say
_LINES = {"p1": (115200, "8N1"), "sml": (9600, "8N1"), "dlms": (2400, "8E1"), "iec62056": (2400, "7E1")}
_EVERY_S = {"iec62056": 60, "mbus": 60, "modbus": 10}
_MOST_BAUD = 19200
_MAP_BYTES = 8192


def meter(setting: dict, zone: Zone, folder: str) -> Meter:
    """Return the Meter that an entry of the setting `meters` describes. folder: the hub's, for register maps."""
    every_s = _every_s(setting)
    baud, form = _LINES.get(setting["protocol"], (9600, "8N1"))
    inverted = setting.get("inverted", "p1" in (setting["protocol"], setting["input"]))  # P1's socket is wired so
    line = (setting.get("baud") or baud, setting.get("format") or form, inverted)
    made, session = decoder(setting, zone), None
    if every_s:
        session, made = _session(setting, made, folder)
    return Meter(setting, line, every_s, made, session)


def _every_s(setting):
    return setting.get("every_s", _EVERY_S.get(setting["protocol"], 0))


def decoder(setting: dict, zone: Zone):  # noqa: PLR0911 - one for each protocol
    """Return the decoder of a line; None for one that counts pulses, has to be found out, or is Modbus."""
    protocol = setting["protocol"]
    offset_s = setting.get("base_offset_s", 3600)
    key, auth_key = _key(setting, "key"), _key(setting, "auth_key")
    if protocol == "p1":
        if key:
            from .p1_encrypted import EncryptedP1Decoder  # noqa: PLC0415 - as all here: a hub loads what it has

            return EncryptedP1Decoder(key, auth_key, zone, offset_s)
        from .p1 import P1Decoder  # noqa: PLC0415

        return P1Decoder(zone, offset_s)
    if protocol == "sml":
        from .sml import SMLDecoder  # noqa: PLC0415

        return SMLDecoder()
    if protocol == "dlms":
        from .dlms import DLMSDecoder  # noqa: PLC0415

        return DLMSDecoder(key, auth_key, zone, offset_s)
    if protocol == "iec62056":
        from .iec62056 import IEC62056Decoder  # noqa: PLC0415

        wanted = () if _every_s(setting) else tuple(setting.get("registers", "").split())
        return IEC62056Decoder(zone, offset_s, wanted or None)
    if protocol == "mbus":
        from .mbus import MBusDecoder  # noqa: PLC0415

        return MBusDecoder(offset_s)
    return None


def _session(setting, known, folder):
    """Return (the session that asks a meter, its decoder). known: what decoder() returned."""
    protocol = setting["protocol"]
    if protocol == "iec62056":
        from .iec62056_session import IEC62056Session  # noqa: PLC0415

        registers = tuple(setting.get("registers", "").split())
        words = {"registers": registers, "password": setting.get("password", "")}
        words["most_baud"] = setting.get("baud") or _MOST_BAUD
        return IEC62056Session(known, setting.get("address", ""), **words), known
    if protocol == "mbus":
        from .mbus_session import MBusSession  # noqa: PLC0415

        address = setting.get("address", "254")
        return MBusSession(known, int(address) if len(address) < 4 else address, setting.get("baud") or 2400), known
    return _modbus(setting, folder)


def _modbus(setting, folder):
    from .modbus_map import RegisterMap  # noqa: PLC0415
    from .modbus_session import ModbusSession  # noqa: PLC0415

    registers = RegisterMap.from_text(_map_text(setting["map"], folder))
    baud, form = registers.line
    line = (setting.get("baud") or baud, setting.get("format") or form)
    made = ModbusSession(registers, int(setting.get("address", "1")), line)
    return made, made.decoder


def _map_text(name, folder):
    """Return a register map: one of ours, or a file in the hub's folder."""
    from . import maps  # noqa: PLC0415

    if name in maps.NAMES:
        return maps.text(name)
    try:
        with open(folder + "/" + name) as file:
            return file.read(_MAP_BYTES)
    except (OSError, UnicodeError):
        raise ConfigError("map", "is no file in the hub's folder")


def _key(setting, name):
    return binascii.unhexlify(setting[name]) if setting.get(name) else None
