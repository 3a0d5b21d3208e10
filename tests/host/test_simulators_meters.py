"""The simulated meters, read back by the peer library of each protocol and by the firmware's own decoder."""

import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import meterbus
import minimalmodbus
import pytest
from dlms_cosem import utils
from dlms_cosem.hdlc.frames import UnnumberedInformationFrame
from dlms_cosem.protocol.xdlms import DataNotification, GeneralGlobalCipher
from dlms_cosem.security import SecurityControlField, decrypt
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from smllib import SmlStreamReader

from meterhub.codec.timezone import Zone
from meterhub.meters import maps
from meterhub.meters.dlms import DLMSDecoder
from meterhub.meters.iec62056 import IEC62056Decoder
from meterhub.meters.mbus import MBusDecoder
from meterhub.meters.mbus_session import MBusSession, selection, short_frame
from meterhub.meters.modbus import ModbusDecoder
from meterhub.meters.modbus_map import RegisterMap
from meterhub.meters.modbus_session import request_frame
from meterhub.meters.sml import SMLDecoder
from meterhub_tools.simulators import modbus_meter
from meterhub_tools.simulators.dlms_meter import AUTH_KEY, KEY, TITLE, DlmsMeter
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.iec62056_meter import Iec62056Meter, Iec62056PushMeter
from meterhub_tools.simulators.mbus_meter import MBusMeter
from meterhub_tools.simulators.modbus_meter import ModbusMeter
from meterhub_tools.simulators.pulse_meter import PulseMeter
from meterhub_tools.simulators.sml_meter import SmlMeter

START = 1735689600  # 2025-01-01
MOMENTS = (START, 1743296400, 1750420801, 1761440399, 1761440400)  # both changes of the hour, and a noon in summer
CET = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture(scope="module")
def home() -> Household:
    return Household(START)


def decoded(decoder: Any, frames: list[bytes]) -> list:
    found: list = []
    for frame in frames:
        found.extend(decoder.feed(frame, len(frame)))
    assert decoder.errors == {}
    return found


def truth(home: Household, at: int) -> dict[str, Decimal]:
    shown = home.registers(at)
    return {"1-0:1.8.0": Decimal(shown.import_wh), "1-0:2.8.0": Decimal(shown.export_wh)}


def agree(telegram: Any, right: dict[str, Decimal]) -> None:
    values = {r.obis: Decimal(r.value).scaleb(r.scale) for r in telegram.readings}
    assert {name: values[name] for name in right} == right


@pytest.mark.parametrize("at", MOMENTS)
def test_sml(home: Household, at: int) -> None:
    (raw,) = SmlMeter(home).frames(at)
    reader = SmlStreamReader()
    reader.add(raw)
    frame = reader.get_frame()
    assert len(frame.parse_frame()) == 3
    said = {entry.obis: Decimal(entry.value).scaleb(entry.scaler or 0) for entry in frame.get_obis()[2:]}
    assert said["0100010800ff"] == home.registers(at).import_wh
    assert said["0100100700ff"] == home.power_w(at)
    (telegram,) = decoded(SMLDecoder(), [raw])
    agree(telegram, truth(home, at) | {"1-0:16.7.0": Decimal(home.power_w(at))})


@pytest.mark.parametrize("at", MOMENTS)
def test_dlms_in_hdlc(home: Household, at: int) -> None:
    (raw,) = DlmsMeter(home).frames(at)
    info = bytes(UnnumberedInformationFrame.from_bytes(raw).payload)
    pushed = DataNotification.from_bytes(info[3:])
    assert pushed.date_time.timestamp() == at
    values = utils.parse_as_dlms_data(pushed.body)
    assert values[3][1:] == [home.registers(at).import_wh, [0, 30]]
    (telegram,) = decoded(DLMSDecoder(), [raw])
    agree(telegram, truth(home, at))
    assert telegram.at == at


@pytest.mark.parametrize("link", ["hdlc", "mbus"])
def test_dlms_encrypted(home: Household, link: str) -> None:
    meter = DlmsMeter(home, link, encrypted=True)
    frames = meter.frames(MOMENTS[2])
    (telegram,) = decoded(DLMSDecoder(KEY, AUTH_KEY), frames)
    agree(telegram, truth(home, MOMENTS[2]))
    if link == "hdlc":
        apdu = bytes(UnnumberedInformationFrame.from_bytes(frames[0]).payload)[3:]
    else:
        apdu = b"".join(frame[9:-2] for frame in frames)
    sealed = GeneralGlobalCipher.from_bytes(apdu)
    assert sealed.system_title == TITLE
    control = SecurityControlField(security_suite=0, authenticated=True, encrypted=True)
    plain = decrypt(control, TITLE, sealed.invocation_counter, KEY, sealed.ciphered_text, AUTH_KEY)
    assert DataNotification.from_bytes(plain).date_time.timestamp() == MOMENTS[2]
    assert len(decoded(DLMSDecoder(KEY, AUTH_KEY), meter.frames(MOMENTS[2] + 10))) == 1


def test_the_m_bus_link_numbers_its_frames_and_marks_the_last(home: Household) -> None:
    frames = DlmsMeter(home, "mbus").frames(MOMENTS[2])
    assert [(frame[6], len(frame)) for frame in frames] == [(0x00, 256), (0x11, len(frames[1]))]


@pytest.mark.parametrize("at", MOMENTS)
def test_mbus(home: Household, at: int) -> None:
    first, second = (meterbus.load(frame) for frame in MBusMeter(home).answers(at))
    assert (first.more_records_follow, second.more_records_follow) == (True, False)
    assert first.records[0].parsed_value == home.registers(at).import_wh
    assert second.records[0].parsed_value == home.power_w(at)
    assert float(second.records[1].parsed_value) == home.phases(at)[0].dv / 10
    one, two = decoded(MBusDecoder(), MBusMeter(home).answers(at))
    shown = home.registers(at)
    agree(one, {"energy": Decimal(shown.import_wh), "energy t1 u1": Decimal(shown.export_low_wh)})
    agree(two, {"power": Decimal(home.power_w(at))})
    assert (one.meter, one.at) == ("MTH40102030", at - at % 60)


def served(meter: Any, session: Any, at: int = MOMENTS[2]) -> tuple:
    """Let `session` read `meter`; return its last action."""
    actions, waited = list(session.start()), 0
    while True:
        what, value = actions.pop(0)[:2]
        if what in ("done", "failed"):
            return what, value
        if what == "send":
            for kind, answer in meter.on_bytes(value, at):
                if kind == "send":
                    actions = list(session.on_bytes(answer, len(answer))) or actions
        elif what == "wait" and not actions:
            waited += 1
            actions = list(session.on_timeout())
            assert waited < 20


@pytest.mark.parametrize("address", [5, 254, "40102030", "4010FFFF", "40102030FFFFFFFF"])
def test_an_mbus_meter_is_read_by_its_addresses(home: Household, address: int | str) -> None:
    what, telegrams = served(MBusMeter(home), MBusSession(MBusDecoder(), address))
    assert (what, [len(t.readings) for t in telegrams]) == ("done", [6, 7])


@pytest.mark.parametrize(("address", "why"), [(6, "silent"), ("40102031", "no such meter")])
def test_and_by_no_other(home: Household, address: int | str, why: str) -> None:
    assert served(MBusMeter(home), MBusSession(MBusDecoder(), address)) == ("failed", why)


def test_an_mbus_meter_repeats_its_frame_while_the_fcb_stays(home: Household) -> None:
    meter = MBusMeter(home)

    def ask(frame: bytes) -> bytes:
        return next((value for kind, value in meter.on_bytes(frame, START) if kind == "send"), b"")

    assert ask(short_frame(0x40, 5)) == ask(short_frame(0x40, 254)) == b"\xe5"
    first = ask(short_frame(0x7B, 5))
    assert ask(short_frame(0x7B, 5)) == first
    second = ask(short_frame(0x5B, 5))
    assert second[19:] != first[19:]
    assert ask(b"\xff\x68" + short_frame(0x5B, 5)) in (second, b"")
    assert ask(selection("50000000")) == b""
    meter.on_silence(START)
    assert ask(short_frame(0x7B, 253)) == b""


class FakePort:
    """The other end of minimalmodbus' serial port: a simulated meter."""

    port, baudrate, is_open, timeout = "simulated", 1000000, True, 1

    def __init__(self, meter: ModbusMeter) -> None:
        self.meter = meter
        self.answer = b""

    def write(self, data: bytes) -> int:
        actions = self.meter.on_bytes(data, MOMENTS[2])
        self.answer = next((value for kind, value in actions if kind == "send"), b"")
        return len(data)

    def read(self, _: int) -> bytes:
        return self.answer

    def open(self) -> None: ...

    def close(self) -> None: ...

    def reset_input_buffer(self) -> None: ...

    def reset_output_buffer(self) -> None: ...


@pytest.mark.parametrize("kind", modbus_meter.KINDS)
def test_modbus_by_minimalmodbus(home: Household, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = ModbusMeter(home, kind)
    monkeypatch.setattr(minimalmodbus.serial, "Serial", lambda *_, **__: FakePort(meter))
    peer = minimalmodbus.Instrument(f"simulated {kind}", 1)  # it keeps ports by name
    rows = {name: address for name, address, *_ in meter.map["registers"]}
    at = MOMENTS[2]
    assert peer.read_float(rows["1-0:1.8.0"], 4) == pytest.approx(home.registers(at).import_wh / 1000, rel=1e-6)
    assert peer.read_float(rows["1-0:16.7.0"], 4) == home.power_w(at)
    assert peer.read_long(64512, 3) == modbus_meter.SERIAL
    with pytest.raises(minimalmodbus.IllegalRequestError):
        peer.read_register(9999, functioncode=4)


@pytest.mark.parametrize("kind", modbus_meter.KINDS)
def test_modbus_by_pymodbus_and_by_the_firmware(home: Household, kind: str) -> None:
    meter = ModbusMeter(home, kind)
    registers = RegisterMap.from_text(maps.text(kind))
    decoder = ModbusDecoder(registers)
    framer = FramerRTU(DecodePDU(is_server=False))
    readings = {}
    for function, start, count in registers.requests():
        request = request_frame(1, function, start, count)
        ((_, _), (_, answer)) = meter.on_bytes(request, MOMENTS[2])
        used, pdu = framer.handleFrame(answer, 0, 0)
        assert used == len(answer)
        words = struct.unpack(f">{count}H", answer[3:-2])
        assert tuple(pdu.registers) == words
        for telegram in decoded(decoder, [request, answer]):
            assert telegram.meter == str(modbus_meter.SERIAL)
            readings |= {r.obis: float(Decimal(r.value).scaleb(r.scale)) for r in telegram.readings}
    values = meter.values(MOMENTS[2])
    for name, *_, unit in (row[:4] for row in meter.map["registers"]):
        factor = 1000 if unit.startswith("k") else 1
        assert readings[name] == pytest.approx(factor * values.get(name, 0.0), rel=1e-6), name


@pytest.mark.parametrize("at", MOMENTS)
@pytest.mark.parametrize("make", [Iec62056Meter, Iec62056PushMeter])
def test_iec62056(home: Household, at: int, make: Callable[[Household], Any]) -> None:
    meter = make(home)
    raw = meter.frames(at)[0] if meter.period_s else meter.ident() + meter.readout(at)
    (telegram,) = decoded(IEC62056Decoder(Zone(CET)), [raw])
    agree(telegram, truth(home, at) | {"1-0:16.7.0": Decimal(home.power_w(at))})
    assert telegram.meter == meter.number
    assert telegram.at in (at, at + 3600)  # local time says an hour twice
    assert telegram.version == ("D" if meter.period_s else "C")


def test_pulses_are_what_the_register_grows_by(home: Household) -> None:
    meter = PulseMeter(home, 500)
    grown = home.registers(START + 86400).import_wh - home.registers(START).import_wh
    assert (meter.pulses(START), meter.pulses(START + 86400)) == (0, grown // 2)
