"""An ESP32 in its boot loader, at the end of a pty: enough of its serial protocol for esptool to flash it.

It speaks as esptool's own program on the chip (its stub) does: as if that had been loaded before.

Source   ESP-IDF / esptool documentation, "Serial Protocol": SLIP frames, commands, MD5; the registers of the chips
"""

import hashlib
import os
import select
import struct
import threading
import tty
import zlib

_MAGIC_REGISTER, _ESP32_MAGIC = 0x40001000, 0x00F01D83
_FLASH_ID = 0x1640EF  # 4 MB
_W0 = {"esp32": 0x3FF42080, "esp32s3": 0x60002058}
_IDS = {"esp32s3": 9}
_FLASH_BYTES = 4 << 20


class EspROM:
    """A chip; `port` is its serial port, `flash` what has been written, `erased` whether anything has been touched."""

    def __init__(self, chip: str = "esp32", silent_after: int = _FLASH_BYTES) -> None:
        self.chip = chip
        self.flash = bytearray(b"\xff" * _FLASH_BYTES)
        self.touched = False
        self._silent_after = silent_after  # bytes written after which nothing is answered any more
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self._at = 0
        self._unpacker = zlib.decompressobj()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "EspROM":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        os.close(self._near)

    def _run(self) -> None:
        frame = bytearray()
        while not self._ended.is_set():
            if not select.select([self._far], [], [], 0.05)[0]:
                continue
            for byte in os.read(self._far, 4096):
                if byte != 0xC0:
                    frame.append(byte)
                elif frame:
                    self._take(bytes(frame).replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb"))
                    frame.clear()
        os.close(self._far)

    def _take(self, frame: bytes) -> None:
        if len(frame) < 8 or frame[0] != 0:
            return
        command, data = frame[1], frame[8:]
        value, body = 0, b""
        if command == 0x0A:  # READ_REG
            value = self._register(struct.unpack("<I", data)[0])
        elif command == 0x14:  # GET_SECURITY_INFO: the first chip has none
            if self.chip not in _IDS:
                self._answer(command, 0, b"", failed=True)
                return
            body = struct.pack("<IB7sII", 0, 0, bytes(7), _IDS[self.chip], 0)
        elif command in (0x10, 0x11, 0x12):
            if self._flash(command, data):
                return
        elif command == 0x13:  # SPI_FLASH_MD5
            start, size = struct.unpack_from("<II", data)
            body = hashlib.md5(self.flash[start : start + size], usedforsecurity=False).digest()
        for _ in range(8 if command == 0x08 else 1):  # SYNC is answered so often
            self._answer(command, value, body)

    def _register(self, address: int) -> int:
        if address == _MAGIC_REGISTER and self.chip == "esp32":
            return _ESP32_MAGIC
        return _FLASH_ID if address == _W0[self.chip] else 0

    def _flash(self, command: int, data: bytes) -> bool:
        """Carry out FLASH_DEFL_BEGIN, _DATA, _END; return whether it has fallen silent."""
        self.touched = True
        if command == 0x10:
            self._at = struct.unpack_from("<IIII", data)[3]
            self._unpacker = zlib.decompressobj()
        elif command == 0x11:
            content = self._unpacker.decompress(data[16:])
            self.flash[self._at : self._at + len(content)] = content
            self._at += len(content)
            self._silent_after -= len(content)
        return self._silent_after < 0

    def _answer(self, command: int, value: int, body: bytes, failed: bool = False) -> None:
        status = bytes([1, 5]) if failed else bytes(2)
        self._send(struct.pack("<BBHI", 1, command, len(body) + len(status), value) + body + status)

    def _send(self, frame: bytes) -> None:
        escaped = frame.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
        os.write(self._far, b"\xc0" + escaped + b"\xc0")
