"""Hubs without a house: they take commands and write letters as MHC 1 wants it, for the tests and the bench.

The tokens are the firmware's, the keys' work is done by `cryptography`, so that a thousand of them fit into a process.
What they are held against is their own reading of the protocol, not the head-end's code.
"""

import asyncio
import hashlib
import json
import secrets
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from meterhub.codec import base64url, jose, jose_es
from meterhub.crypto import aead, ecdh_es
from meterhub.crypto.hkdf import hkdf
from meterhub.crypto.hmac import hmac_sha256
from meterhub.trust.identity import hub_id

SHA256 = ec.ECDSA(hashes.SHA256())


def point_of(public):
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def sealed(plaintext, public):
    """Return (JWE, cek) for the holder of the key `public`."""
    once = ec.generate_private_key(ec.SECP256R1())
    cek = ecdh_es.concat_kdf(once.exchange(ec.ECDH(), public), b"A128CBC-HS256", 32)
    epk = point_of(once.public_key())
    return bytes(jose_es.seal_token("mhc-letter", epk, plaintext, cek, secrets.token_bytes(16), aead.seal)), cek


class SimulatedHub:
    """A hub that knows the roles (objects with kid and point). work(cmd, arg) returns the claims of the answer.

    n: its last letter's number; waiting: letters without receipt, by number; ran: what it has done.
    """

    def __init__(self, roles, work=None):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.point = point_of(self._key.public_key())
        self.id = hub_id(self.point)
        self._roles = {
            role.kid: ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), role.point) for role in roles
        }
        self._work = work or (lambda cmd, arg: {"outcome": "done", "data": {"cmd": cmd, "arg": arg}})
        self._last = {}
        self._said = {}
        self.n = 0
        self.waiting = {}
        self.ran = []

    def sign(self, claims, header=None):
        head = {"alg": "ES256", "kid": self.id, "typ": "mhc-letter"} | (header or {})
        signing_input = jose.jws_input(head, claims)
        r, s = decode_dss_signature(self._key.sign(signing_input, SHA256))
        return jose.jws_join(signing_input, r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def letter(self, kid, what, header=None, **body):
        """Return the next letter; what is in `body` may also spoil it."""
        self.n += 1
        claims = {"v": 1, "hub": self.id, "to": kid, "n": self.n, "at": int(time.time()), "clock": "synced"}
        claims |= {"kind": what} | body
        raw, cek = sealed(self.sign(claims, header).encode(), self._roles[kid])
        ck = hkdf(cek, b"", b"mhc1 received", 32)
        mac = hmac_sha256(ck, b"received" + claims["n"].to_bytes(8, "big"))[:16]
        self.waiting[claims["n"]] = (raw, base64url.encode(mac), kid)
        return raw

    def hello(self, kid, **more):
        return self.letter(kid, "hello", data={"key": base64url.encode(self.point), **more})

    def report(self, kid, seq, **data):
        return self.letter(kid, "report", schedule=1, seq=seq, data=data)

    def received(self, payload):
        """Take a receipt; return whether it is one."""
        told = json.loads(payload)
        known = self.waiting.get(told["n"])
        if known is None or known[1] != told["mac"]:
            return False
        del self.waiting[told["n"]]
        return True

    def command(self, raw):
        """Take a command; return (kid, letter), None for what is not authentic."""
        token = raw.decode()
        header, claims = jose.jws_claims(token, 4096)
        signing_input, signature = jose.jws_parts(token)
        key = self._roles.get(header["kid"])
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            if key is None or claims["hub"] != self.id:
                return None
            key.verify(encode_dss_signature(r, s), signing_input, SHA256)
        except InvalidSignature:
            return None
        kid, ctr, h = header["kid"], claims["ctr"], hashlib.sha256(raw).digest()
        if (kid, h) in self._said:  # the same once more: told once more, not done
            return kid, self._said[kid, h]
        body = {"re": base64url.encode(h), "ctr": ctr, "cmd": claims["cmd"]}
        if ctr <= self._last.get(kid, 0):
            return kid, self.letter(kid, "answer", **body, outcome="refused", error="REPLAY", field="ctr", data={})
        self._last[kid] = ctr
        if claims["exp"] < time.time():
            return kid, self.letter(kid, "answer", **body, outcome="refused", error="EXPIRED", field="exp", data={})
        self.ran.append((claims["cmd"], claims["arg"], ctr))
        answer = self.letter(kid, "answer", **body, **self._work(claims["cmd"], claims["arg"]))
        while len(self._said) > 15:
            del self._said[next(iter(self._said))]
        self._said[kid, h] = answer
        return kid, answer


class SmallClient(asyncio.Protocol):
    """MQTT 3.1.1 with QoS 1, as little of it as a load needs. on_message(topic, payload) is called in the loop."""

    def __init__(self, name, topics, on_message):
        self._name = name.encode()
        self._topics = [topic.encode() for topic in topics]
        self._on_message = on_message
        self._buffer = b""
        self._mid = 0
        self.open = 0  # published, and not taken by the broker yet
        self.ready = asyncio.get_running_loop().create_future()
        self.lost = False

    @staticmethod
    async def connect(port, name, topics, on_message):
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: SmallClient(name, topics, on_message), "127.0.0.1", port)
        await client.ready
        return client

    def connection_made(self, transport):
        self._transport = transport
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + _text(self._name)
        transport.write(b"\x10" + _length(len(body)) + body)

    def connection_lost(self, exc):
        self.lost = True

    def close(self):
        self._transport.close()

    def publish(self, topic, payload, retain=False):
        self._mid = self._mid % 65535 + 1
        self.open += 1
        body = _text(topic.encode()) + self._mid.to_bytes(2, "big") + payload
        self._transport.write((b"\x33" if retain else b"\x32") + _length(len(body)) + body)

    def data_received(self, data):
        buffer = self._buffer + data if self._buffer else data
        at = 0
        while True:
            size, shift, i = 0, 0, at + 1
            while i < len(buffer):
                size |= (buffer[i] & 127) << shift
                shift += 7
                i += 1
                if not buffer[i - 1] & 128:
                    break
            else:
                break
            if i + size > len(buffer):
                break
            self._packet(buffer[at], buffer[i : i + size])
            at = i + size
        self._buffer = buffer[at:]

    def _packet(self, first, body):
        kind = first >> 4
        if kind == 3:
            size = 2 + int.from_bytes(body[:2], "big")
            topic, rest = body[2:size].decode(), body[size:]
            if first & 6:
                self._transport.write(b"\x40\x02" + rest[:2])
                rest = rest[2:]
            self._on_message(topic, rest)
        elif kind == 4:
            self.open -= 1
        elif kind == 2 and self._topics:
            body = b"\x00\x01" + b"".join(_text(topic) + b"\x01" for topic in self._topics)
            self._transport.write(b"\x82" + _length(len(body)) + body)
        elif kind in (2, 9) and not self.ready.done():
            self.ready.set_result(None)


def _text(raw):
    return len(raw).to_bytes(2, "big") + raw


def _length(size):
    out = bytearray()
    while True:
        size, low = size >> 7, size & 127
        out.append(low | (128 if size else 0))
        if not size:
            return bytes(out)


class Street:
    """Simulated hubs at a broker. resend_s: how long a letter waits for its receipt until it goes out again, 0: never.

    silent: while it is true, hubs hear nothing and say nothing.
    """

    def __init__(self, port, hubs, resend_s=0.0):
        self._port = port
        self.hubs = {hub.id: hub for hub in hubs}
        self._clients = {}
        self._resend_s = resend_s
        self.silent = False
        self.receipts = 0
        self.false_receipts = 0

    async def __aenter__(self):
        for hub in self.hubs.values():
            topics = [f"meterhub/{hub.id}/down/#"]
            self._clients[hub.id] = await SmallClient.connect(self._port, hub.id, topics, self._hear)
        self._again = asyncio.create_task(self._send_again()) if self._resend_s else None
        return self

    async def __aexit__(self, *_):
        if self._again:
            self._again.cancel()
        for client in self._clients.values():
            client.close()

    def say(self, hub, kid, raw, on=""):
        self._clients[hub.id].publish(f"meterhub/{on or hub.id}/up/role-{kid}", raw)

    def card(self, hub, token):
        """Leave the hub's card at the broker."""
        self._clients[hub.id].publish(f"meterhub/{hub.id}/up/card", token, retain=True)

    def _hear(self, topic, payload):
        if self.silent:
            return
        _, name, _, kind = topic.split("/")
        hub = self.hubs[name]
        if kind == "received":
            good = hub.received(payload)
            self.receipts += good
            self.false_receipts += not good
        elif kind == "command" and (answer := hub.command(payload)):
            self.say(hub, *answer)

    async def _send_again(self):
        while True:
            await asyncio.sleep(self._resend_s)
            for hub in self.hubs.values() if not self.silent else ():
                for raw, _, kid in list(hub.waiting.values()):
                    self.say(hub, kid, raw)
