"""Other people's libraries on lines: smllib, dlms-cosem, pyMeterBus and minimalmodbus, driven as those in unix/ are.

Words    as unix/line_feed.py
Orders   load: frames taken apart, no value worked out; values: and every value; for SML list: nothing but the list of
         values is looked for; each answers [us, values]
"""

import gc
import json
import struct
import sys
from collections.abc import Callable

import meterbus
import minimalmodbus
from answers import elapsed_us, now_us, serve
from dlms_cosem import utils
from dlms_cosem.hdlc.frames import UnnumberedInformationFrame
from dlms_cosem.protocol.xdlms import DataNotification
from line_feed import AGAIN, frames
from smllib import SmlStreamReader

from meterhub.meters import maps


class FakePort:
    """A serial port whose answers are known: those of the frames in the file."""

    port, baudrate, is_open, timeout = "bench", 10**9, True, 1

    def __init__(self, line: list[bytes]) -> None:
        self._words: dict[tuple[int, int], bytes] = {}
        for talk in line:
            _, function, start, count = struct.unpack(">BBHH", talk[:6])
            for i in range(count):
                self._words[function, start + i] = talk[11 + 2 * i : 13 + 2 * i]
        self._answers: dict[bytes, bytes] = {}
        self._asked = b""

    def write(self, data: bytes) -> int:
        if data not in self._answers:
            unit, function, start, count = struct.unpack(">BBHH", data[:6])
            body = bytes((unit, function, 2 * count))
            body += b"".join(self._words[function, start + i] for i in range(count))
            crc = minimalmodbus._calculate_crc(body)
            self._answers[data] = body + (crc.encode("latin-1") if isinstance(crc, str) else crc)
        self._asked = data
        return len(data)

    def read(self, _: int) -> bytes:
        return self._answers[self._asked]

    def open(self) -> None: ...

    def close(self) -> None: ...

    def reset_input_buffer(self) -> None: ...

    def reset_output_buffer(self) -> None: ...


def timed(work: Callable[[], int]) -> list[int]:
    """Return [us, what `work` has counted]."""
    gc.collect()
    start = now_us()
    found = work()
    return [elapsed_us(now_us(), start), found]


def sml_values(reader: SmlStreamReader, frame: bytes, only_list: bool) -> int:
    """Let smllib find and read one frame; return how many values."""
    reader.add(frame)
    found = reader.get_frame()
    if only_list:
        return len(found.get_obis())
    lists = [message.message_body for message in found.parse_frame()]
    return sum(len(getattr(body, "val_list", ())) for body in lists)


def sml(line: list[bytes], only_list: bool) -> int:
    """Let smllib read all frames from a stream."""
    reader = SmlStreamReader()
    return sum(sml_values(reader, frame, only_list) for frame in line for _ in range(AGAIN))


def dlms_values(frame: bytes) -> list:
    """Let dlms-cosem read one push in its HDLC frame; return its data."""
    info = bytes(UnnumberedInformationFrame.from_bytes(frame).payload)
    return utils.parse_as_dlms_data(DataNotification.from_bytes(info[3:]).body)


def dlms(line: list[bytes]) -> int:
    """Let dlms-cosem read all frames, ready cut out."""
    return sum(len(dlms_values(frame)) for frame in line for _ in range(AGAIN))


def mbus(line: list[bytes], with_values: bool) -> int:
    """Let pyMeterBus read all frames; its values are worked out when they are asked for."""
    found = 0
    for frame in line:
        for _ in range(AGAIN):
            records = meterbus.load(frame).records
            if with_values:
                found += len([record.interpreted for record in records])
            else:
                found += len(records)
    return found


def modbus(line: list[bytes], name: str) -> Callable[[], int]:
    """Return what reads all rows of the map `name` with minimalmodbus, a request for each as its interface has it."""
    minimalmodbus.serial.Serial = lambda *_, **__: FakePort(line)
    peer = minimalmodbus.Instrument("bench", 1)
    addresses = [row[1] for row in json.loads(maps.text(name))["registers"]]
    for address in addresses:
        peer.read_float(address, 4)  # from now on the fake port knows the answer

    def work() -> int:
        for _ in range(AGAIN):
            for address in addresses:
                peer.read_float(address, 4)
        return AGAIN * len(addresses)

    return work


if __name__ == "__main__":
    LINE = frames(sys.argv[2])
    KIND = sys.argv[1]
    if KIND == "sml":
        ORDERS = {name: lambda name=name: timed(lambda: sml(LINE, name == "list")) for name in ("values", "list")}
    elif KIND == "dlms":
        ORDERS = {"values": lambda: timed(lambda: dlms(LINE))}
    elif KIND == "mbus":
        ORDERS = {name: lambda name=name: timed(lambda: mbus(LINE, name == "values")) for name in ("load", "values")}
    else:
        WORK = modbus(LINE, sys.argv[3])
        ORDERS = {"values": lambda: timed(WORK)}
    serve(ORDERS)
