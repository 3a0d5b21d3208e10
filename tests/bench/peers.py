"""Other people's libraries, for comparison: dsmr-parser and the pure-Python ecdsa, driven as those in unix/ are.

Words    a file of P1 telegrams and how often one order goes through it; none for the orders of ecdsa alone
"""

import gc
import hashlib
import re
import sys
from pathlib import Path

import ecdsa
from answers import elapsed_us, now_us, serve
from dsmr_parser import telegram_specifications
from dsmr_parser.clients.telegram_buffer import TelegramBuffer
from dsmr_parser.parsers import TelegramParser

DIGEST = hashlib.sha256(b"meterhub bench").digest()
_UART = 512


class Dsmr:
    """dsmr-parser on the telegrams of the file at `path`."""

    def __init__(self, path: str, times: str) -> None:
        self._raw = Path(path).read_bytes()
        self._telegrams = re.findall(r"/[^/!]+![0-9A-F]{4}\r\n", self._raw.decode("ascii"))
        self._times = int(times)
        self._parser = TelegramParser(telegram_specifications.V5)

    def parse(self) -> list:
        """Parse telegrams that somebody else has found and cut out; [us, telegrams]."""
        gc.collect()
        found = 0
        start = now_us()
        for _ in range(self._times):
            for telegram in self._telegrams:
                self._parser.parse(telegram)
                found += 1
        return [elapsed_us(now_us(), start), found]

    def buffer(self) -> list:
        """Find the telegrams in what comes from a line, and parse them; [us, telegrams]."""
        pieces = [self._raw[i : i + _UART] for i in range(0, len(self._raw), _UART)]
        gc.collect()
        found = 0
        buffer = TelegramBuffer()
        start = now_us()
        for _ in range(self._times):
            for piece in pieces:
                buffer.append(piece.decode("ascii"))
                for telegram in buffer.get_all():
                    self._parser.parse(telegram)
                    found += 1
        return [elapsed_us(now_us(), start), found]

    def check(self) -> list:
        """[0, sum of all imported Wh of tariff 1]: the library raises where a decoder would count an error."""
        shown = [self._parser.parse(telegram).ELECTRICITY_USED_TARIFF_1.value for telegram in self._telegrams]
        return [0, int(sum(shown) * 1000)]


class Ecdsa:
    """The pure-Python ecdsa library on P-256."""

    def __init__(self) -> None:
        self._key = ecdsa.SigningKey.from_secret_exponent(0x1234567890ABCDEF << 128 | 77, ecdsa.NIST256p)
        self._public = self._key.verifying_key.to_string("uncompressed")
        self._signature = self._key.sign_digest_deterministic(DIGEST, hashlib.sha256)

    def _timed(self, work) -> list:
        gc.collect()
        start = now_us()
        work()
        return [elapsed_us(now_us(), start), 0]

    def sign(self) -> list:
        """RFC 6979, as the firmware does."""
        return self._timed(lambda: self._key.sign_digest_deterministic(DIGEST, hashlib.sha256))

    def verify(self) -> list:
        """A key that was never seen before, as in a request's signature."""
        key = ecdsa.VerifyingKey.from_string(self._public, ecdsa.NIST256p)
        return self._timed(lambda: key.verify_digest(self._signature, DIGEST))

    def ecdh(self) -> list:
        """The shared secret with a point that has just arrived."""
        exchange = ecdsa.ECDH(ecdsa.NIST256p, self._key)
        exchange.load_received_public_key_bytes(self._public)
        return self._timed(exchange.generate_sharedsecret_bytes)

    def accept(self, point: str, signature: str, shared: str, peer: str) -> bool:
        """Return whether the library agrees with a signature by `point`, and with its secret shared with `peer`."""
        key = ecdsa.VerifyingKey.from_string(bytes.fromhex(point), ecdsa.NIST256p)
        exchange = ecdsa.ECDH(ecdsa.NIST256p, ecdsa.SigningKey.from_string(bytes.fromhex(peer), ecdsa.NIST256p), key)
        return key.verify_digest(bytes.fromhex(signature), DIGEST) and (
            exchange.generate_sharedsecret_bytes() == bytes.fromhex(shared)
        )


if __name__ == "__main__":
    CURVE = Ecdsa()
    ORDERS = {name: getattr(CURVE, name) for name in ("sign", "verify", "ecdh", "accept")}
    if len(sys.argv) > 1:
        METER = Dsmr(*sys.argv[1:])
        ORDERS.update({name: getattr(METER, name) for name in ("parse", "buffer", "check")})
    serve(ORDERS)
