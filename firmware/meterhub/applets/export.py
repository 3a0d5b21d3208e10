"""The data-export applet: who asks is shown, the customer agrees, the PIN is proved, and only then data leaves.

Source   trust/mhx.py (the protocol), THREAT_MODEL.md (why in this order; requirements EX-01 .. EX-08).
Memory   one request at a time; one chunk at a time.
Errors   Every refusal has a name of errors.py. What is not authentic is journalled and not answered; what is, is
         answered with a signed `end`, and written to the consent log.
Runs on  both

One task does everything, in the order of its inbox: messages from the WAN, and what the household presses. So no two
of them meet half-way, and a state can be read off `_Request.state`:

    asked    the display shows the wish          accept -> offered, decline / time -> end
    offered  the display shows the PIN           proof -> sending or again offered, three wrong / time / cancel -> end
    sending  the PIN was right, keys exist       want -> chunk, done / time -> end
"""

import json
import time
from binascii import hexlify

from micropython import const

from ..codec import base64url, checkdigit, jose
from ..crypto import aead, ecdh, ecdsa, p256
from ..crypto.equal import equal
from ..crypto.spake2 import Spake2
from ..crypto.steps import slowly
from ..errors import HubError
from ..trust import identity, mhx
from ..trust.agreements import Agreements
from ..trust.attempts import TRIES
from ..trust.consents import what
from . import words
from .bucket import Bucket
from .mailbox import Mailbox
from .stream import Stream, check_range

_PIN_LIFE_S = const(600)
_SILENCE_S = const(120)  # without a want
_AHEAD_S = const(300)  # how far the recipient's clock may be ahead
_PIN_RANGE = const(100000000)


class _Request:
    """The one open request: what was asked, and the secrets of its exchange, which `wipe` takes away."""

    def __init__(self, kid: str, claims: dict, h: bytes) -> None:
        self.kid = kid
        self.claims = claims
        self.rid = claims["rid"]
        self.h = h
        self.state = "asked"
        self.deadline = _in_s(mhx.MAX_LIFE_S)
        self.attempt = 0
        self.left = TRIES
        self.wipe()

    def wipe(self) -> None:
        self.pin = ""
        self.spake = self.offer = self.ek = self.stream = None
        self.ack = b""
        self.cek = self.ck = b""

    def is_due(self) -> bool:
        return time.ticks_diff(self.deadline, time.ticks_ms()) <= 0


def _in_s(seconds):
    return time.ticks_add(time.ticks_ms(), seconds * 1000)


class Export:
    """The applet. `hub` is what app.py hands out: identity, drbg, clock, journal, consents, attempts, profile,
    intervals, zone, settings, recipients {kid: (name, public point)}, ihd, and send(message: bytes)."""

    idle_s = 60

    def __init__(self, hub) -> None:
        self._hub = hub
        self._agreements = Agreements(hub.consents, hub.journal)
        self._inbox = Mailbox(8)
        self._bucket = Bucket(10, 10000)
        self._open = None
        self._ended = ("", b"", "")  # rid, its end and its error, for who asks after it was over
        self._handlers = {
            "request": self._on_request,
            "proof": self._on_proof,
            "want": self._on_want,
            "done": self._on_done,
            "cancel": self._on_cancel,
        }

    # -- the inbox ---------------------------------------------------------------------------------

    def post(self, item: "bytes | str | dict") -> None:
        """Take a message (bytes), a button's word ("accept", "decline", "cancel") or a consent (dict) to revoke."""
        # a button's word means the request that is on the display now
        meant = (item, self._open) if isinstance(item, str) else item
        if not self._inbox.put(meant, not isinstance(item, bytes)):
            self._foreign(HubError("RATE_LIMITED", "message"))

    async def run(self) -> None:
        """Serve the inbox; return when no request is open and nothing has been asked for `idle_s` seconds."""
        quiet_s = 0
        while self._open is not None or quiet_s < self.idle_s:
            item = await self._inbox.take(1000)
            quiet_s = quiet_s + 1 if item is None else 0
            await self.turn(item)

    async def turn(self, item: "bytes | str | dict | None") -> None:
        """Deal with one item of the inbox (None: nothing came), and with a deadline that has passed."""
        try:
            if isinstance(item, bytes):
                message = mhx.parse(item, mhx.KINDS_DOWN, mhx.MAX_MESSAGE)
                await self._handlers[message["t"]](message)
            elif isinstance(item, dict):
                await self._revoke_here(item)
            elif isinstance(item, tuple):
                if item[1] is self._open:
                    await self._on_button(item[0])
            elif item is not None:
                await self._on_button(item)
            if self._open is not None and self._open.is_due():
                await self._on_deadline(self._open)
        except HubError as err:
            self._foreign(err)

    def _foreign(self, err):
        """Journal what came from who knows whom."""
        self._hub.journal.foreign(err.name, "export " + err.field)

    # -- a request ---------------------------------------------------------------------------------

    async def _on_request(self, message):
        token = mhx.text(message, "jws", mhx.MAX_MESSAGE)
        h = mhx.request_hash(token)
        if self._open is not None and self._open.h == h:
            return  # the broker delivered it twice
        kid, claims = mhx.request_claims(token)
        hub = self._hub
        if kid not in hub.recipients:
            raise HubError("UNKNOWN_RECIPIENT", "kid")
        if claims["hub"] != hub.identity.hub:
            raise HubError("WRONG_HUB", "hub")
        hub.attempts.check_new(claims["rid"])
        if not self._bucket.take():
            raise HubError("RATE_LIMITED", "request")
        if not await slowly(identity.verify(hub.recipients[kid][1], token)):
            raise HubError("NOT_AUTHENTIC", "jws")
        hub.attempts.note(claims["rid"])
        request = _Request(kid, claims, h)
        try:
            self._admit(request)
        except HubError as err:
            await self._end(request, "refused", err)
            return
        if claims["what"] == "revoke":
            await self._revoke_there(request)
        else:
            await self._ask(request)

    def _admit(self, request):
        """Raise the HubError that stands against an authentic request, if one does."""
        hub, claims = self._hub, request.claims
        now = hub.clock.now()
        if hub.clock.state != "unset":
            if claims["exp"] < now:
                raise HubError("EXPIRED", "exp")
            if claims["iat"] > now + _AHEAD_S:
                raise HubError("CLOCK_INVALID", "iat")
        if claims["what"] == "revoke":
            if hub.consents.find(request.kid, claims["sub"], claims.get("of", "link")) is None:
                raise HubError("NOT_LINKED", "sub")
            return
        if self._open is not None:
            raise HubError("BUSY", "rid")
        hub.attempts.check_lock(now)
        if claims["mode"] == "server":
            p256.decode_point(mhx.binary(claims, "ek", 65))
        checks = {"data": self._check_data, "bill": self._check_bill, "proof": self._check_proof}
        if claims["what"] in checks:
            checks[claims["what"]](request, now)
        if not hub.ihd.works:
            raise HubError("DISPLAY_FAILED", "ihd")

    def _check_data(self, request, now):
        """Raise HubError unless there is consent to what is asked for, and the hub has it."""
        hub, claims = self._hub, request.claims
        wanted = (request.kid, claims["sub"], claims["regs"], claims["res"], now)
        hub.consents.check(*wanted)
        if claims.get("keys"):
            hub.consents.check_keys(*wanted)
        check_range(hub.intervals.have(self._since(request.kid)), claims["from"], claims["to"])
        self._stream(request)

    def _check_proof(self, request, now):
        """Raise HubError unless the hub can make a bill, and may."""
        claims = request.claims
        self._hub.consents.check_keys(request.kid, claims["sub"], claims["regs"], claims["res"], now)
        self._stream(request)

    def _stream(self, request):
        hub, claims = self._hub, request.claims
        if claims["what"] == "proof":
            from .billing_prover import BillStream  # noqa: PLC0415 - only who has private billing

            return BillStream(hub, request.kid, claims)
        wanted = (claims["regs"], claims["from"], claims["to"], claims["res"], self._since(request.kid))
        stream = Stream(hub.profile, hub.intervals.open_entry(), hub.zone, *wanted)
        if claims.get("keys"):
            from .keyed import days_of  # noqa: PLC0415 - only who has private billing

            stream.with_keys(days_of(hub, claims["from"], claims["to"]))
        return stream

    def _check_bill(self, request, now):
        """Raise HubError unless the hub can make batches, and makes none for another account."""
        from .billed_day import columns_of  # noqa: PLC0415 - only who wants private billing

        hub, claims = self._hub, request.claims
        newest = hub.profile.value_at(hub.profile.last) if hub.profile.last else None
        for column in columns_of(hub.profile, hub.zone, claims["regs"]):
            if newest is None or newest.values[column] is None:
                raise HubError("NOT_AVAILABLE", "regs")
        other = hub.consents.bill()
        is_other = other is not None and (other["kid"], other["sub"]) != (request.kid, claims["sub"])
        if is_other and other["until"] >= now:  # pyright: ignore[reportOptionalSubscript]
            raise HubError("STORE_FULL", "consents")

    def _since(self, kid):
        """Return from when on a recipient may ask: 0 for the one that may see what was before the tenancy."""
        return 0 if kid == self._hub.settings.get("may.history") else None

    async def _ask(self, request):
        hub, claims = self._hub, request.claims
        self._open = request
        hub.attempts.open(request.rid)
        name = hub.recipients[request.kid][0]
        hub.ihd.ask(name, words.wish(claims, hub.zone), words.readers(claims))
        exp = hub.clock.now() + mhx.MAX_LIFE_S
        await self._say("asked", "mhx-asked", {"rid": request.rid, "h": base64url.encode(request.h), "exp": exp})

    # -- what the household presses ------------------------------------------------------------------

    async def _on_button(self, word):
        request = self._open
        if request is None:
            return
        if word == "accept" and request.state == "asked":
            request.pin = checkdigit.append("%08d" % _pin_number(self._hub.drbg))
            request.state = "offered"
            request.deadline = _in_s(_PIN_LIFE_S)
            await self._offer(request)
        elif word == "decline" and request.state == "asked":
            await self._end(request, "refused", HubError("CONSUMER_DECLINED"))
        elif word == "cancel" and request.state == "offered":
            await self._end(request, "refused", HubError("CANCELLED"))

    async def _offer(self, request):
        """Show the PIN and send a fresh share; neither y nor the share is ever used for a second attempt."""
        hub = self._hub
        request.attempt += 1
        hub.ihd.show_pin(request.pin, mhx.code(request.h), request.deadline, request.left)
        w = mhx.password_scalar(request.pin, request.h)
        mine, theirs = mhx.identities(hub.identity.hub)
        request.spake = Spake2("B", w, hub.drbg.scalar(), mine, theirs)
        share = await slowly(request.spake.share())
        claims = {"rid": request.rid, "h": base64url.encode(request.h), "try": request.attempt, "left": request.left}
        claims["pb"] = base64url.encode(share)
        claims["exp"] = hub.clock.now() + _PIN_LIFE_S
        if request.claims["mode"] == "server":
            request.ek = hub.drbg.scalar()
            claims["ek"] = base64url.encode(p256.encode_point(await slowly(ecdsa.public_point(request.ek))))
        request.offer = await self._say("offer", "mhx-offer", claims)
        await slowly(request.spake.precompute())

    # -- the proof -----------------------------------------------------------------------------------

    async def _on_proof(self, message):
        request = await self._request_for(message, "offered", "sending")
        turn = mhx.whole(message, "try", 1, TRIES)
        if turn > request.attempt:
            raise HubError("OUT_OF_ORDER", "try")
        if request.state == "sending" or turn < request.attempt:
            if request.ack:
                self._hub.send(request.ack)  # a copy: a broker that broke down has lost the proof or its ack
            return
        share = mhx.binary(message, "pa", 65)
        proof = mhx.binary(message, "ca", 32)
        p256.decode_point(share)
        request.left = self._hub.attempts.spend(self._hub.clock.now())
        keys = await self._keys(request, share)
        if keys is not None and equal(proof, keys.confirm_theirs):
            await self._proved(request, keys)
            return
        if request.left:
            await self._say("end", "mhx-end", self._end_claims(request, "refused", HubError("WRONG_PIN", "ca")))
            self._log(request, "WRONG_PIN")
            self._hub.ihd.notice(["wrong PIN", "%d left" % request.left], 4)
            await self._offer(request)
        else:
            await self._end(request, "refused", HubError("PIN_DEAD", "ca"))

    async def _keys(self, request, share):
        aad = mhx.confirmation_aad(request.h, request.offer)
        try:
            return await slowly(request.spake.finish(share, aad))
        except HubError:  # the share that would make K the point at infinity: as good as a wrong PIN
            return None

    async def _proved(self, request, keys):
        hub, claims = self._hub, request.claims
        z = b""
        if claims["mode"] == "server":
            z = await slowly(ecdh.shared_x(request.ek, p256.decode_point(mhx.binary(claims, "ek", 65))))
        stream = None
        request.state = "sending"
        try:
            hub.attempts.close(False, hub.clock.now())  # first: the PIN was right, wherever the power is cut
            if claims["what"] in ("data", "proof"):
                stream = self._stream(request)
            elif claims["what"] == "bill":
                self._check_bill(request, hub.clock.now())
                mark = hexlify(hub.drbg.read(8)).decode()
                self._agreements.grant(request.kid, claims, hub.clock.now(), words.detail(request), mark)
            else:
                self._agreements.grant(request.kid, claims, hub.clock.now(), words.detail(request))
        except HubError as err:
            await self._end(request, "refused", err)
            return
        except OSError:  # it may count yet, at the next start: nobody is told that it does, or does not
            self._open = None
            request.wipe()
            hub.ihd.idle()
            raise
        request.wipe()
        request.deadline = _in_s(_SILENCE_S)
        request.stream = stream
        request.cek, request.ck = mhx.content_keys(keys.ke, z, request.h, claims["mode"])
        ack = {"t": "ack", "rid": request.rid, "cb": base64url.encode(keys.confirm_mine)}
        ack["chunks"] = stream.chunks if stream else 0
        message = json.dumps(ack).encode()
        hub.send(message)
        if stream is None:
            await self._end(request, "linked")
        else:
            request.ack = message
            hub.ihd.idle()
            hub.ihd.notice(["PIN is right", "sending ..."], _SILENCE_S)

    # -- the data ------------------------------------------------------------------------------------

    async def _on_want(self, message):
        request = await self._request_for(message, "sending")
        stream = request.stream
        seq = mhx.whole(message, "seq", 0, stream.chunks)
        if not equal(mhx.text(message, "mac", 22).encode(), mhx.want_mac(request.ck, seq).encode()):
            raise HubError("NOT_AUTHENTIC", "mac")
        if not stream.packed - 1 <= seq <= stream.packed:  # the next one, or the last one again
            raise HubError("OUT_OF_ORDER", "seq")
        request.deadline = _in_s(_SILENCE_S)
        request.ack = b""
        header = {"alg": "dir", "enc": "A128CBC-HS256", "typ": stream.typ(seq), "rid": request.rid, "seq": seq}
        header["last"] = seq == stream.chunks
        if seq < stream.chunks:
            try:
                plaintext = await stream.pack(seq)
            except HubError as err:
                await self._end(request, "refused", err)
                return
            request.deadline = _in_s(_SILENCE_S)  # a bill may have taken longer to make
        else:
            header["typ"] = "mhx-receipt"
            plaintext = (await self._receipt(request)).encode()
        iv = self._hub.drbg.read(16)
        message = jose.jwe_seal(header, plaintext, request.cek, iv, aead.seal, b'{"t":"chunk","jwe":"', b'"}')
        self._hub.send(message)

    async def _receipt(self, request):
        claims = {"rid": request.rid, "h": base64url.encode(request.h), "entries": request.stream.entries}
        for name in ("regs", "from", "to", "res"):
            claims[name] = request.claims[name]
        claims["digests"] = base64url.encode(request.stream.digest)
        return await slowly(self._hub.identity.sign("mhx-receipt", self._common(claims)))

    async def _on_done(self, message):
        request = await self._request_for(message, "sending")
        mac = mhx.text(message, "mac", 22).encode()
        if not equal(mac, mhx.done_mac(request.ck, request.stream.chunks).encode()):
            raise HubError("NOT_AUTHENTIC", "mac")
        of = "bill" if request.claims["what"] == "proof" else "link"
        consent = self._hub.consents.find(request.kid, request.claims["sub"], of)
        self._agreements.mark_used(consent, self._hub.clock.now(), words.detail(request))
        await self._end(request, "done")

    # -- the end -------------------------------------------------------------------------------------

    async def _on_cancel(self, message):
        request = await self._request_for(message, "asked", "offered")
        if mhx.binary(message, "h", 32) != request.h:
            raise HubError("WRONG_REQUEST", "h")
        await self._end(request, "refused", HubError("CANCELLED", "recipient"))

    async def _on_deadline(self, request):
        names = {"asked": "CONSUMER_TIMEOUT", "offered": "PIN_EXPIRED", "sending": "NOT_RECEIVED"}
        await self._end(request, "refused", HubError(names[request.state]))

    async def _request_for(self, message, *states):
        """Return the open request if the message is for it and comes in one of `states`; else raise HubError."""
        rid = mhx.text(message, "rid", 22)
        request = self._open
        if request is None or request.rid != rid:
            if rid == self._ended[0]:
                self._hub.send(self._ended[1])  # who missed the end hears it again
                raise HubError(self._ended[2] or "WRONG_STATE", "rid")
            raise HubError("WRONG_REQUEST", "rid")
        if request.state not in states:
            raise HubError("OUT_OF_ORDER", "t")
        return request

    async def _end(self, request, result, err=None):
        """The request is over: secrets wiped, attempt closed, household told, logged, answered.

        What has changed a consent was logged together with that (trust/agreements.py).
        """
        hub = self._hub
        name = err.name if err else ""
        lines = words.notice(request, result, name)
        if request is self._open:
            self._open = None
            if request.state == "offered":
                hub.attempts.close(name == "PIN_DEAD", hub.clock.now())
            elif request.state == "asked":
                hub.attempts.close(False, hub.clock.now())
            hub.ihd.idle()
            hub.ihd.notice(lines, 8)
        request.wipe()
        if err:
            self._log(request, name)
        token = await slowly(hub.identity.sign("mhx-end", self._common(self._end_claims(request, result, err))))
        message = json.dumps({"t": "end", "jws": token}).encode()
        if err is None or err.name != "BUSY":
            self._ended = (request.rid, message, name)
        hub.send(message)

    def _end_claims(self, request, result, err):
        claims = {"rid": request.rid, "result": result, "error": err.name if err else "", "left": request.left}
        claims["field"] = err.field if err else ""
        if err and err.name == "OUT_OF_RANGE":
            claims["have"] = self._hub.intervals.have(self._since(request.kid))
        return claims

    def _log(self, request, name):
        self._agreements.log(name, words.detail(request))

    def _common(self, claims):
        claims["v"] = 1
        claims["hub"] = self._hub.identity.hub
        claims["at"] = self._hub.clock.now()
        return claims

    async def _say(self, kind, typ, claims):
        token = await slowly(self._hub.identity.sign(typ, self._common(claims)))
        self._hub.send(json.dumps({"t": kind, "jws": token}).encode())
        return token

    # -- consents ------------------------------------------------------------------------------------

    async def _revoke_there(self, request):
        hub = self._hub
        consent = hub.consents.find(request.kid, request.claims["sub"], request.claims.get("of", "link"))
        self._agreements.revoke(consent, hub.clock.now(), words.detail(request))
        await self._end_open(consent)
        await self._end(request, "revoked")

    async def _revoke_here(self, consent):
        hub = self._hub
        of = what(consent)
        detail = [consent["kid"], consent["sub"], "display"] + (["bill"] if of == "bill" else [])
        try:
            self._agreements.revoke(consent, hub.clock.now(), "|".join(detail))
        finally:  # it has ended, also when that cannot be written
            await self._end_open(consent)
        claims = {"sub": consent["sub"], "result": "revoked"}
        if of == "bill":
            claims["of"] = of
        await self._say("consent", "mhx-consent", claims)

    async def _end_open(self, consent):
        """End the open request if it cannot go on without a consent that has ended."""
        request = self._open
        if request is not None and words.needs(request, consent, what(consent)):
            await self._end(request, "refused", HubError("REVOKED", "sub"))


def _pin_number(drbg):
    """Return a number 0 <= n < 10^8, all equally likely."""
    while True:
        number = int.from_bytes(drbg.read(4), "big")
        if number < 42 * _PIN_RANGE:  # the largest multiple below 2^32
            return number % _PIN_RANGE
