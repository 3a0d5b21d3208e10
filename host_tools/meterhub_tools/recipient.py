"""The recipient's side of MHX 1: asks a hub for data, proves the customer's PIN, receives and checks what it sends.

Source   firmware/meterhub/trust/mhx.py is the protocol; RFC 9382 (SPAKE2), RFC 7515/7516 (JWS, JWE through joserfc).
Units    times are Unix seconds, UTC, and always handed in: nothing here reads a clock or a socket.
Errors   HubError. A message that is refused raises it and changes nothing, so that whoever can publish on the
         broker cannot end an exchange; what the hub itself signed, or a time-out, ends it: state "refused".
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey

from . import firmware  # noqa: F401  (puts the firmware's package on the path)

from meterhub.codec import base64url, billing, checkdigit, jose, series  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.crypto import p256  # isort: skip
from meterhub.crypto.equal import equal  # isort: skip
from meterhub.crypto.spake2 import Spake2  # isort: skip
from meterhub.crypto.steps import run  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.attempts import TRIES  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip
from . import proof  # isort: skip

KINDS_UP = ("asked", "offer", "ack", "chunk", "end")
MAX_UP = 2 * mhx.MAX_CHUNK  # a chunk's plaintext grows by a third twice over: base64url, then JSON around it
MAX_CHUNKS = 1024
AHEAD = 4  # chunks asked for before the first of them is here
STALL_S = 4  # no chunk for so long: ask for it again
SILENCE_S = 120  # no chunk for so long: give up
# the same for a bill, which the hub makes when its chunk is asked for
STALL_BILL_S = 60
SILENCE_BILL_S = 600
_SETTLED = ("done", "refused")
# an end with one of these answers another copy of the request, not the run that is under way
_OF_A_COPY = ("REPLAY", "BUSY", "RATE_LIMITED")
_JWE = jwe.JWERegistry(algorithms=["dir", "A128CBC-HS256"], strict_check_header=False)


class Recipient:
    """Who asks: `kid`, the `name` that hubs show, and the ES256 private key (a PEM, never shown)."""

    def __init__(self, name: str, pem: bytes) -> None:
        self.name = name
        self._key = ECKey.import_key(pem)
        self.point = proof.point_of(self._key)
        self.kid = hub_id(self.point)

    @staticmethod
    def new_pem() -> bytes:
        """Return a new P-256 private key as PEM."""
        return ECKey.generate_key("P-256").as_pem(private=True)

    def public(self) -> dict:
        """Return {"kid", "name", "key"} as a hub's settings list it; key is the point, base64url."""
        return {"kid": self.kid, "name": self.name, "key": base64url.encode(self.point)}

    def scalar(self) -> int:
        """Return the private key as a number: what opens letters to it."""
        return int.from_bytes(base64url.decode(str(self._key.as_dict(private=True)["d"])), "big")

    def sign(self, claims: dict, typ: str = "mhx-request") -> str:
        """Return these claims, a request's unless `typ` says else, as compact JWS."""
        header = {"alg": "ES256", "kid": self.kid, "typ": typ}
        packed = json.dumps(claims, separators=(",", ":")).encode()  # a tariff and its frame are to fit in a message
        return jws.serialize_compact(header, packed, self._key, algorithms=["ES256"])


@dataclass
class Card:
    """What a hub says of itself: its id, its public point (65 bytes), name, range [from, to] of readings or None."""

    hub: str
    key: bytes
    name: str
    have: list | None
    at: int


def read_card(token: str, hub: str) -> Card:
    """Return the card in `token` when it is signed by the very key that gives the id `hub`; else HubError."""
    header, claims = jose.jws_claims(token, mhx.MAX_MESSAGE)
    if header.get("typ") != "mhx-card":
        raise HubError("MALFORMED", "typ")
    key = mhx.binary(claims, "key", 65)
    if hub_id(key) != hub or claims.get("hub") != hub:
        raise HubError("WRONG_HUB", "key")
    proof.check_signature(token, key)
    name = claims.get("name")
    # half a character, or NUL: no database keeps it
    name = "".join(filter(str.isprintable, name)) if isinstance(name, str) else ""
    return Card(hub, key, name[:64], _range(claims), mhx.whole(claims, "at", 0, 1 << 33))


def _range(claims: dict) -> list | None:
    have = claims.get("have")
    if isinstance(have, list) and len(have) == 2 and all(type(t) is int and 0 <= t < 1 << 33 for t in have):
        return have
    return None


def link_wish(regs: list[str], res: str, until: int) -> dict:
    """Return the claims that ask to be allowed to ask for `regs` at resolution `res` until `until`."""
    return {"what": "link", "mode": "server", "regs": regs, "res": res, "until": until}


def data_wish(mode: str, regs: list[str], res: str, start: int, stop: int, keys: bool = False) -> dict:
    """Return the claims that ask for the intervals of start..stop in `mode` "server" or "private".

    keys: with the keys that open the batches of private billing.
    """
    wish = {"what": "data", "mode": mode, "regs": regs, "res": res, "from": start, "to": stop}
    return wish | {"keys": True} if keys else wish


def bill_wish(regs: list[str], until: int) -> dict:
    """Return the claims that ask for private billing until `until`: a batch a day, which shows no reading."""
    return {"what": "bill", "mode": "server", "regs": regs, "until": until}


def proof_wish(batches: list[bytes], tariff: bytes, nonce: bytes, mode: str = "server") -> dict:
    """Return the claims that ask the hub to make and prove a bill itself, by a signed linear `tariff` (codec/bill.py).

    batches: as the hub signed them, those of the bill's days, in order; nonce: 16 bytes of who is to verify it. A
    request with a tariff that is too long for a message is none: HubError OVERSIZED "message".
    """
    days = [billing.Batch(raw) for raw in batches]
    first, last = days[0], days[-1]
    wish = {"what": "proof", "mode": mode, "regs": list(mhx.BILLED if first.exports else mhx.BILLED[:1])}
    wish |= {"res": "half-hour", "from": first.first * first.interval_s}
    wish |= {"to": (last.first + last.count) * last.interval_s, "tariff": base64url.encode(tariff)}
    digest = forms.batches_digest([day.digest() for day in days])
    return wish | {"batches": base64url.encode(digest), "nonce": base64url.encode(nonce)}


def revoke_wish(of: str = "link") -> dict:
    """Return the claims that end this account's consent at the hub: its "link", or private billing, "bill"."""
    wish = {"what": "revoke", "mode": "server"}
    return wish if of == "link" else wish | {"of": of}


class Request:
    """One signed request: `token` (compact JWS), its `claims`, `rid`, hash `h`, and the `code` shown to the customer.

    wish: as link_wish, data_wish, bill_wish, proof_wish or revoke_wish make it; sub: the account, a pseudonym. In
    server mode the one-time ECDH key is made here and kept. HubError OVERSIZED "message": no hub would take it.
    """

    def __init__(self, recipient: Recipient, hub: str, sub: str, wish: dict, now: int) -> None:
        rid = base64url.encode(secrets.token_bytes(16))
        self.claims = {"v": 1, "rid": rid, "hub": hub, "sub": sub, "iat": now, "exp": now + mhx.MAX_LIFE_S, **wish}
        self._ecdh: ec.EllipticCurvePrivateKey | None = None
        if wish["mode"] == "server" and wish["what"] != "revoke":
            self._ecdh = ec.generate_private_key(ec.SECP256R1())
            self.claims["ek"] = base64url.encode(proof.encode_public(self._ecdh.public_key()))
        self.rid = rid
        self.token = recipient.sign(self.claims)
        self.h = mhx.request_hash(self.token)
        self.code = mhx.code(self.h)
        if len(self.message()) > mhx.MAX_MESSAGE:
            raise HubError("OVERSIZED", "message")
        mhx.request_claims(self.token)  # a request that a hub would call malformed is a mistake of ours

    def message(self) -> bytes:
        """Return the message that carries it to the hub."""
        return pack("request", jws=self.token)

    def shared(self, offer: dict) -> bytes:
        """Return Z (32 bytes) with the hub's one-time point `ek` of `offer`; b'' in private mode."""
        if self._ecdh is None:
            return b""
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), mhx.binary(offer, "ek", 65))
        except ValueError:
            raise HubError("BAD_POINT", "ek") from None
        return self._ecdh.exchange(ec.ECDH(), peer)

    def forget(self) -> None:
        """Drop the one-time key."""
        self._ecdh = None

    def signed(self, message: dict, key: bytes) -> dict:
        """Return the claims of a hub's signed answer to this request; HubError when it is none."""
        token = mhx.text(message, "jws", mhx.MAX_MESSAGE)
        header, claims = jose.jws_claims(token, mhx.MAX_MESSAGE)
        if header.get("typ") != "mhx-" + message["t"]:
            raise HubError("MALFORMED", "typ")
        if claims.get("rid") != self.rid or claims.get("hub") != self.claims["hub"]:
            raise HubError("WRONG_REQUEST", "rid")
        if "h" in claims and claims["h"] != base64url.encode(self.h):
            raise HubError("WRONG_REQUEST", "h")
        proof.check_signature(token, key)
        return claims


def pack(kind: str, **fields: object) -> bytes:
    """Return the message {"t": kind, ...fields} as bytes."""
    return json.dumps({"t": kind, **fields}, separators=(",", ":")).encode()


@dataclass(repr=False)
class Result:
    """What arrived. base and every entry's values: register readings in their column's unit, None where not read.

    receipt and request are compact JWS; hub_key is the point (65 bytes) of the hub that signed the receipt; keys: the
    day keys of private billing (firmware/meterhub/codec/billing.py), b"" when there are none.
    """

    columns: list
    start: int
    base: tuple
    entries: list
    receipt: str
    chunks: list[bytes]
    request: str
    hub_key: bytes
    keys: bytes = b""


@dataclass(repr=False)
class HubBill:
    """A bill that the hub has made, and its proof: as codec/bill.py has them, for billing/verifier.py to judge.

    receipt and request are compact JWS; hub_key is the point (65 bytes) of the hub that signed the receipt.
    """

    bill: bytes
    proof: bytes
    receipt: str
    request: str
    hub_key: bytes


class Exchange:
    """One run of MHX 1, sans I/O: what the methods return is to be published on the hub's down/export topic.

    state: "requested" (sent), "asked" (the display shows who asks), "pin" (a PIN is on the display), "proving",
    "receiving", "done", "refused" (then `error` says why). left: tries left; deadline: when the PIN or the request
    dies; received of chunks: progress; outcome: the hub's word "done", "linked", "revoked"; result: see Result; made:
    the hub's bill, of a request "proof".
    """

    def __init__(self, recipient: Recipient, card: Card, sub: str, wish: dict, now: int) -> None:
        self.request = Request(recipient, card.hub, sub, wish, now)
        self.card = card
        self.state = "requested"
        self.error: HubError | None = None
        self.have: list | None = None
        self.left: int | None = None
        self.deadline: int = self.request.claims["exp"]
        self.tried = 0  # the number of the newest offer that was believed
        self.chunks = 0
        self.received = 0
        self.outcome = ""
        self.result: Result | None = None
        self.made: HubBill | None = None
        self._offer: dict = {}
        self._offer_token = ""
        self._keys: tuple = ()
        self._confirm_theirs = b""
        self._plain: list[bytes] = []
        self._heard = now  # when the last chunk came
        self._asked_at = now  # when it was last asked for
        self._wanted = 0  # the first chunk that has not been asked for
        self._proof = b""  # what is sent again until it is answered
        self._proof_due, self._proof_gap_s = 0, STALL_S

    def start(self) -> list[bytes]:
        """Return the request to send."""
        return [self.request.message()]

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _SETTLED

    # -- what comes from the hub -------------------------------------------------------------------------

    def feed(self, raw: bytes, now: int) -> list[bytes]:
        """Take one message of the hub; return what to send. HubError when it is refused: nothing has changed."""
        message = mhx.parse(raw, KINDS_UP, MAX_UP)
        if message["t"] != "chunk" and len(raw) > mhx.MAX_MESSAGE:
            raise HubError("OVERSIZED", "message")
        if self.settled:
            raise HubError("WRONG_STATE", "t")
        handlers = {"asked": self._on_asked, "offer": self._on_offer, "ack": self._on_ack, "chunk": self._on_chunk}
        return handlers.get(message["t"], self._on_end)(message, now)

    def _on_asked(self, message: dict, now: int) -> list[bytes]:
        self.request.signed(message, self.card.key)
        if self.state != "requested":
            raise HubError("WRONG_STATE", "t")
        self.deadline = now + mhx.MAX_LIFE_S
        self.state = "asked"
        return []

    def _on_offer(self, message: dict, now: int) -> list[bytes]:
        claims = self.request.signed(message, self.card.key)
        if self.state not in ("requested", "asked", "pin"):
            raise HubError("WRONG_STATE", "t")
        turn = mhx.whole(claims, "try", 1, TRIES)
        if turn <= self.tried:
            raise HubError("REPLAY", "try")
        left = mhx.whole(claims, "left", 1, TRIES)
        deadline = mhx.whole(claims, "exp", 0, 1 << 33)
        if not self.request.claims["iat"] <= deadline <= now + mhx.MAX_LIFE_S:
            # a hub whose clock is not set counts from somewhere else: then its time says nothing here
            deadline = now + mhx.MAX_LIFE_S
        if deadline < now:
            raise HubError("EXPIRED", "exp")
        p256.decode_point(mhx.binary(claims, "pb", 65))
        self.request.shared(claims)
        self._offer, self._offer_token = claims, message["jws"]
        self.tried, self.left, self.deadline = turn, left, deadline
        self.state = "pin"
        return []

    def _on_ack(self, message: dict, now: int) -> list[bytes]:
        self._of_this(message)
        if self.state != "proving":
            raise HubError("WRONG_STATE", "t")
        if not equal(mhx.binary(message, "cb", 32), self._confirm_theirs):
            raise HubError("NOT_AUTHENTIC", "cb")
        limits = (1, 1) if self.request.claims["what"] == "proof" else (0, MAX_CHUNKS)
        chunks = mhx.whole(message, "chunks", *limits)
        self.state, self.chunks = "receiving", chunks
        self._heard = now
        if self.request.claims["what"] in ("link", "bill"):
            return []  # the hub's signed end "linked" follows
        return self._want(now)

    def _on_chunk(self, message: dict, now: int) -> list[bytes]:
        header, plain = self._open(mhx.text(message, "jwe", MAX_UP))
        if self.state != "receiving":
            raise HubError("WRONG_STATE", "t")
        seq = mhx.whole(header, "seq", 0, self.chunks)
        if header.get("rid") != self.request.rid:
            raise HubError("WRONG_REQUEST", "rid")
        if seq != self.received:
            raise HubError("REPLAY" if seq < self.received else "OUT_OF_ORDER", "seq")
        self._heard = now
        if seq == self.chunks:
            return self._finish(header, plain)
        self._check_chunk(header.get("typ"), plain)
        self._plain.append(plain)
        self.received += 1
        return self._want(now)

    def _check_chunk(self, typ: object, plain: bytes) -> None:
        """Raise HubError unless it is what may come now: a bill, or readings, then keys where they were asked for."""
        if self.request.claims["what"] == "proof":
            if typ != "mhx-bill":
                raise HubError("MALFORMED", "typ")
            proof.bill_in(plain)
            return
        has_keys = any(proof.is_keys(chunk) for chunk in self._plain)
        if typ == "mhx-keys" and proof.is_keys(plain) and self.request.claims.get("keys") and self._plain:
            proof.keys_of([*self._plain, plain])
        elif typ == "mhx-series" and not has_keys:
            series.unpack(plain)
        else:
            raise HubError("MALFORMED", "typ")

    def _on_end(self, message: dict, now: int) -> list[bytes]:
        claims = self.request.signed(message, self.card.key)
        result, error = claims.get("result"), claims.get("error")
        if result != "refused":
            return self._on_good_end(result)
        if error in _OF_A_COPY and self.state != "requested":
            raise HubError("WRONG_STATE", "error")
        if error == "WRONG_PIN":
            return self._on_wrong_pin(claims)
        self.have = _range(claims)
        self._refuse(error if isinstance(error, str) else "MALFORMED", claims.get("field"))
        self.left = claims.get("left") if type(claims.get("left")) is int else 0
        return []

    def _on_good_end(self, result: object) -> list[bytes]:
        due = {"revoke": "revoked", "data": "done", "proof": "done"}.get(self.request.claims["what"], "linked")
        if result != due:
            raise HubError("INVALID_VALUE", "result")
        if due == "linked" and self.state not in ("proving", "receiving"):
            raise HubError("WRONG_STATE", "result")
        if due == "done":  # the receipt counts, not the word
            raise HubError("WRONG_STATE", "result")
        self.outcome = due
        self._settle("done")
        return []

    def _on_wrong_pin(self, claims: dict) -> list[bytes]:
        left = mhx.whole(claims, "left", 0, TRIES)
        if self.state != "proving" or left >= (self.left or 0):
            raise HubError("WRONG_STATE", "left")
        self.left = left
        self.state = "asked"  # a new offer follows
        return []

    # -- what comes from the customer --------------------------------------------------------------------

    def enter_pin(self, pin: str) -> list[bytes]:
        """Return the proof of `pin` (nine digits); HubError INVALID_VALUE "pin" when its check digit is wrong."""
        if self.state != "pin":
            raise HubError("WRONG_STATE", "pin")
        pin = clean_pin(pin)
        h, hub = self.request.h, self.card.hub
        id_a, id_b = mhx.identities(hub)
        scalar = 1 + secrets.randbelow(p256.N - 1)
        spake = Spake2("A", mhx.password_scalar(pin, h), scalar, id_a, id_b)
        pa = run(spake.share())
        keys = run(spake.finish(mhx.binary(self._offer, "pb", 65), mhx.confirmation_aad(h, self._offer_token)))
        z = self.request.shared(self._offer)
        self._keys = mhx.content_keys(keys.ke, z, h, self.request.claims["mode"])
        self._confirm_theirs = keys.confirm_theirs
        self.state = "proving"
        fields = {"try": self.tried, "pa": base64url.encode(pa), "ca": base64url.encode(keys.confirm_mine)}
        self._proof = pack("proof", rid=self.request.rid, **fields)
        self._proof_due, self._proof_gap_s = 0, STALL_S
        return [self._proof]

    def cancel(self) -> list[bytes]:
        """End it from this side; return the message that tells the hub."""
        if self.settled:
            return []
        self._refuse("CANCELLED")
        return [pack("cancel", rid=self.request.rid, h=base64url.encode(self.request.h))]

    def tick(self, now: int) -> list[bytes]:
        """Let time pass: repeat what is not answered, end what has died; return what to send."""
        if self.settled:
            return []
        if self.state == "receiving":
            what = self.request.claims["what"]
            stall_s, silence_s = (STALL_BILL_S, SILENCE_BILL_S) if what == "proof" else (STALL_S, SILENCE_S)
            if now - self._heard > silence_s:
                self._refuse("NOT_RECEIVED")
            elif what in ("data", "proof") and now - self._asked_at >= stall_s:
                self._wanted = self.received  # whatever was asked for has been lost
                return self._want(now)
        elif now > self.deadline:
            self._refuse("NOT_AVAILABLE" if self.state == "requested" else "PIN_EXPIRED" if self.tried else "EXPIRED")
        elif self.state == "proving":
            return self._prove_again(now)
        return []

    # -- inside ------------------------------------------------------------------------------------------

    def _of_this(self, message: dict) -> None:
        if message.get("rid") != self.request.rid:
            raise HubError("WRONG_REQUEST", "rid")

    def _prove_again(self, now: int) -> list[bytes]:
        """Return the proof again when its time has come, more and more seldom: a broker may have lost it."""
        due = self._proof_due
        if due and now < due:
            return []
        self._proof_due = now + self._proof_gap_s
        self._proof_gap_s *= 2
        return [self._proof] if due else []

    def _want(self, now: int) -> list[bytes]:
        """Return the wants for what is still to come, a few chunks ahead of what is here."""
        self._asked_at = now
        wants = []
        while self._wanted < self.received + AHEAD and self._wanted <= self.chunks:
            mac = mhx.want_mac(self._keys[1], self._wanted)
            wants.append(pack("want", rid=self.request.rid, seq=self._wanted, mac=mac))
            self._wanted += 1
        return wants

    def _open(self, token: str) -> tuple[dict, bytes]:
        header = jose.jwe_parts(token, MAX_UP)[0]
        if not self._keys:
            raise HubError("WRONG_STATE", "t")
        try:
            plain = jwe.decrypt_compact(token, OctKey.import_key(self._keys[0]), registry=_JWE).plaintext
        except (JoseError, ValueError):
            raise HubError("NOT_AUTHENTIC", "jwe") from None
        return header, plain or b""

    def _finish(self, header: dict, plain: bytes) -> list[bytes]:
        if header.get("typ") != "mhx-receipt" or not header.get("last"):
            raise HubError("MALFORMED", "typ")
        try:
            token = plain.decode("ascii")
            about = (self.request.token, token, self._plain, self.card.key)
            if self.request.claims["what"] == "proof":
                self.made = proof.assemble_bill(*about)
            else:
                self.result = proof.assemble(*about)
        except UnicodeDecodeError:
            raise HubError("MALFORMED", "receipt") from None
        except HubError as error:  # it came under our key, so it is the hub that contradicts itself
            self._refuse(error.name, error.field)
            return []
        mac = mhx.done_mac(self._keys[1], self.chunks)
        self.outcome = "done"
        self._settle("done")
        return [pack("done", rid=self.request.rid, mac=mac)]

    def _refuse(self, name: str, part: object = "") -> None:
        self.error = HubError(name, part if isinstance(part, str) else "")
        self._settle("refused")

    def _settle(self, state: str) -> None:
        self.state = state
        self.request.forget()
        self._confirm_theirs = b""
        self._keys = ()
        self._plain = []
        self._offer = {}


def clean_pin(typed: str) -> str:
    """Return the nine digits in `typed` (spaces and hyphens are let go); HubError when it cannot be a PIN."""
    pin = "".join(c for c in typed if not c.isspace() and c != "-")
    if len(pin) != 9 or not (pin.isascii() and pin.isdigit()):
        raise HubError("MALFORMED", "pin")
    if not checkdigit.valid(pin):
        raise HubError("INVALID_VALUE", "pin")
    return pin
