"""A hub for tests of recipients: MHX 1's other side, made from pycryptodome, cryptography and joserfc.

It shares no code with the firmware on purpose: SPAKE2, HKDF, the identifiers and the packed series are written here a
second time, so that a recipient that agrees with it agrees with the documents and not with itself.
"""

import base64
import hashlib
import hmac
import json
import secrets

from Crypto.PublicKey import ECC
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

NOW = 1_790_000_000 // 1800 * 1800
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
STEP = 1800
REGS = ["1-0:1.8.0", "1-0:2.8.0"]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def crockford(raw: bytes) -> str:
    number, out = int.from_bytes(raw, "big"), ""
    for shift in range(8 * len(raw) - 5, -1, -5):
        out += "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> shift & 31]
    return out


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt or None, info).derive(ikm)


def decompress(text: str) -> ECC.EccPoint:
    return ECC.import_key(bytes.fromhex(text), curve_name="P-256").pointQ


POINT_M = decompress("02886e2f97ace46e55ba9dd7242579f2993b64e16ef3dcab95afd497333d8fa12f")
POINT_N = decompress("03d8bbd6c639c62937b04d997f38c3770719c629d7014d49a24b4f98baa1292b49")
POINT_G = ECC.construct(curve="P-256", d=1).pointQ


def encode(point: ECC.EccPoint) -> bytes:
    return b"\x04" + int(point.x).to_bytes(32, "big") + int(point.y).to_bytes(32, "big")


def decode(raw: bytes) -> ECC.EccPoint:
    return ECC.EccPoint(int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big"), curve="P-256")


def check_digit(digits: str) -> str:
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return digits + str((11 - product) % 10)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def pack_series(regs: list, start: int, base: tuple, entries: list, step: int = STEP) -> bytes:
    """entries: [(at, quality, values)], one run each: correct, if not small."""
    out = bytearray([1]) + varint(step) + bytes([len(regs)])
    for reg in regs:
        out += bytes([1, 0, int(reg[4]), 8, 0, 255]) + bytes([0, 30])
    out += varint(start)
    last: list = [None] * len(regs)

    def cells(values):
        for i, value in enumerate(values):
            out.extend(varint(0 if value is None else 1 + value - (last[i] or 0)))
            last[i] = last[i] if value is None else value

    cells(base)
    before = start
    for at, quality, values in entries:
        anew = quality and any(a is not None and b is not None and b < a for a, b in zip(last, values, strict=True))
        if anew:
            last[:] = [None] * len(regs)
        out += bytes([quality | (128 if anew else 0), 1])
        if not step:
            out += varint(at - before)
        before = at
        if quality:
            cells(values)
    return bytes(out)


def history(start: int, stop: int, gap: tuple = ()) -> list:
    """Return [(at, quality, values)] for each interval end from start to stop; those in `gap` are missing."""
    found, used, sent = [], 12_345_678, 901_234
    for at in range(start, stop + 1, STEP):
        hour = at // 3600 % 24
        used += 90 + 37 * (at // STEP % 11) + (420 if 17 <= hour < 22 else 0)
        sent += 260 + 13 * (at // STEP % 5) if 9 <= hour < 16 else 0
        found.append((at, 0, (None, None)) if at in gap else (at, 1, (used, sent)))
    return found


class FakeHub:
    """`handle(message)` returns the answers of a hub whose household has pressed OK at once."""

    def __init__(self, recipient_jwk: dict, readings: list | None = None) -> None:
        self.key = ECKey.generate_key("P-256")
        numbers = self.key.public_key.public_numbers()
        self.point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.hub = crockford(hashlib.sha256(self.point).digest()[:10])
        self.recipient = ECKey.import_key(recipient_jwk)
        self.readings = readings if readings is not None else history(NOW - 6000 * STEP, NOW)
        self.pin = check_digit(f"{secrets.randbelow(10**8):08d}")
        self.clock = NOW
        self.linked: set = set()
        self.answer_by_hand = False  # then `accept()` presses the button
        self.wants: list[int] = []
        self.done = False
        self.request: dict = {}

    # -- what it says --------------------------------------------------------------------------------

    def sign(self, typ: str, claims: dict) -> str:
        header = {"alg": "ES256", "kid": self.hub, "typ": typ}
        return jws.serialize_compact(
            header, json.dumps({"v": 1, "hub": self.hub, **claims}).encode(), self.key, algorithms=["ES256"]
        )

    def say(self, kind: str, **claims) -> bytes:
        claims = {"rid": self.request["rid"], "h": b64(self.h), **claims}
        return json.dumps({"t": kind, "jws": self.sign("mhx-" + kind, claims)}).encode()

    def card(self) -> str:
        have = [self.readings[0][0], self.readings[-1][0]] if self.readings else None
        return self.sign("mhx-card", {"key": b64(self.point), "name": "Home", "have": have, "at": self.clock})

    def end(self, result: str, error: str = "", **more) -> bytes:
        claims = {"result": result, "error": error, "field": "", "left": self.left, "at": self.clock, **more}
        return self.say("end", **claims)

    # -- what it hears -------------------------------------------------------------------------------

    def handle(self, raw: bytes) -> list[bytes]:
        message = json.loads(raw)
        return getattr(self, "on_" + message["t"])(message)

    def on_request(self, message: dict) -> list[bytes]:
        token = message["jws"]
        self.request = json.loads(jws.deserialize_compact(token, self.recipient, algorithms=["ES256"]).payload)
        self.h = hashlib.sha256(token.encode()).digest()
        self.code = crockford(hashlib.sha256(b"mhx1 code" + self.h).digest()[:5])[:4]
        self.turn, self.left = 0, 3
        what = self.request["what"]
        if what == "revoke":
            self.linked.discard(self.request["sub"])
            return [self.end("revoked")]
        if what == "data" and self.request["sub"] not in self.linked:
            return [self.end("refused", "NOT_LINKED")]
        asked = self.say("asked", exp=self.clock + 600)
        return [asked] if self.answer_by_hand else [asked, self.offer()]

    def accept(self) -> list[bytes]:
        return [self.offer()]

    def offer(self, **changed) -> bytes:
        self.turn += 1
        self.w = int.from_bytes(hkdf(self.pin.encode(), self.h, b"mhx1 w", 48), "big") % ORDER
        self.y = 1 + secrets.randbelow(ORDER - 1)
        self.pb = encode(POINT_G * self.y + POINT_N * self.w)
        claims = {"try": self.turn, "left": self.left, "pb": b64(self.pb), "exp": self.clock + 600, "at": self.clock}
        if self.request["mode"] == "server":
            self.ek = ec.generate_private_key(ec.SECP256R1())
            numbers = self.ek.public_key().public_numbers()
            claims["ek"] = b64(b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))
        message = self.say("offer", **{**claims, **changed})
        self.offer_token = json.loads(message)["jws"]
        return message

    def on_proof(self, message: dict) -> list[bytes]:
        pa = unb64(message["pa"])
        shared = encode((decode(pa) + -(POINT_M * self.w)) * self.y)
        parts = [b"mhx1 client", b"mhx1 hub " + self.hub.encode(), pa, self.pb, shared, self.w.to_bytes(32, "big")]
        transcript = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
        digest = hashlib.sha256(transcript).digest()
        aad = self.h + hashlib.sha256(self.offer_token.encode()).digest()
        confirm = hkdf(digest[16:], b"", b"ConfirmationKeys" + aad, 32)
        due = hmac.digest(confirm[:16], transcript, "sha256")
        if message["try"] != self.turn or not hmac.compare_digest(due, unb64(message["ca"])):
            return self.wrong_pin()
        z = b""
        if self.request["mode"] == "server":
            peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(self.request["ek"]))
            z = self.ek.exchange(ec.ECDH(), peer)
        out = hkdf(digest[:16] + z, self.h, b"mhx1 cek" + self.request["mode"].encode(), 64)
        self.cek, self.ck = out[:32], out[32:]
        cb = hmac.digest(confirm[16:], transcript, "sha256")
        if self.request["what"] == "link":
            self.linked.add(self.request["sub"])
            return [self.ack(cb, 0), self.end("linked")]
        self.chunks = self.cut()
        return [self.ack(cb, len(self.chunks))]

    def ack(self, cb: bytes, chunks: int) -> bytes:
        return json.dumps({"t": "ack", "rid": self.request["rid"], "cb": b64(cb), "chunks": chunks}).encode()

    def wrong_pin(self) -> list[bytes]:
        self.left -= 1
        if not self.left:
            return [self.end("refused", "PIN_DEAD")]
        return [self.end("refused", "WRONG_PIN"), self.offer()]

    def cut(self, size: int = 336) -> list[bytes]:
        wish = self.request
        index = [REGS.index(reg) for reg in wish["regs"]]
        picked = [
            (at, quality, tuple(values[i] for i in index))
            for at, quality, values in self.readings
            if wish["from"] <= at <= wish["to"]
        ]
        self.count = len(picked) - 1
        chunks = []
        for first in range(0, self.count, size):
            start, _, base = picked[first]
            chunks.append(pack_series(wish["regs"], start, base, picked[first + 1 : first + 1 + size]))
        return chunks

    def on_want(self, message: dict) -> list[bytes]:
        seq = message["seq"]
        due = b64(hmac.digest(self.ck, b"want" + seq.to_bytes(4, "big"), "sha256")[:16])
        assert message["mac"] == due
        self.wants.append(seq)
        return [self.chunk(seq)]

    def receipt(self, **changed) -> bytes:
        digests = b"".join(hashlib.sha256(chunk).digest() for chunk in self.chunks)
        claims = {name: self.request[name] for name in ("rid", "regs", "from", "to", "res")}
        claims |= {"h": b64(self.h), "entries": self.count, "at": self.clock}
        claims["digests"] = b64(hashlib.sha256(digests).digest())
        return self.sign("mhx-receipt", claims | changed).encode()

    def chunk(self, seq: int, plain: bytes | None = None, **header) -> bytes:
        last = seq == len(self.chunks)
        if plain is None:
            plain = self.receipt() if last else self.chunks[seq]
        typ = "mhx-receipt" if last else "mhx-series"
        full = {"alg": "dir", "enc": "A128CBC-HS256", "typ": typ, "rid": self.request["rid"], "seq": seq, "last": last}
        registry = jwe.JWERegistry(algorithms=["dir", "A128CBC-HS256", "DEF"], strict_check_header=False)
        token = jwe.encrypt_compact(full | header, plain, OctKey.import_key(self.cek), registry=registry)
        return json.dumps({"t": "chunk", "jwe": token}).encode()

    def on_done(self, message: dict) -> list[bytes]:
        mac = b64(hmac.digest(self.ck, b"done" + len(self.chunks).to_bytes(4, "big"), "sha256")[:16])
        assert message["mac"] == mac
        self.done = True
        return [self.end("done")]

    def on_cancel(self, message: dict) -> list[bytes]:
        assert message["h"] == b64(self.h)
        return [self.end("refused", "CANCELLED")]
