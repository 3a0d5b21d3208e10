"""MHX 1: how a recipient asks for data, and how the customer's PIN lets it out of the house.

This file is the specification of what crosses the wire; the hub (applets/export.py) and the host
(meterhub_tools.recipient) both use it, the page's exchange.js is held against it by the tests.

Source   SPAKE2: RFC 9382 (P256-SHA256-HKDF-HMAC); HKDF: RFC 5869; JWS ES256: RFC 7515, 7518 3.4;
         JWE dir A128CBC-HS256: RFC 7516, 7518 5.2; base64url without padding: RFC 4648 5;
         PIN check digit: ISO/IEC 7064 MOD 11,10.
         Deviation from RFC 9382: the password hash is HKDF, not a memory-hard function: the PIN is
         random, lives ten minutes, and a transcript gives nothing to try it against offline.
Errors   HubError; nothing else for any input from outside.
Runs on  both

Topics   meterhub/<hub id>/down/export    recipient -> hub     meterhub/<hub id>/up/export   hub -> recipient
         meterhub/<hub id>/up/card        retained, JWS {v, typ, hub, key, name, have, at}
         meterhub/<hub id>/up/availability  retained, "online" or "offline" (last will)
         meterhub/<hub id>/up/batch        hub -> recipient     meterhub/<hub id>/down/batch  recipient -> hub

Every message is one JSON object {"t": kind, ...} of at most MAX_MESSAGE bytes. `rid` is 16 random bytes,
base64url; points are SEC1 uncompressed, 65 bytes, base64url; times are Unix seconds, UTC.

  request  {t, jws}                     recipient -> hub; JWS typ "mhx-request", header {alg, kid, typ}, claims:
             v 1, rid, hub, sub, what, mode, iat, exp (at most 600 s later), and
             what = "link"   : regs, res, until     the manifest: what this recipient may ask for from now on
             what = "data"   : regs, from, to, res  the readings at the interval ends from < t <= to; the one
                                                    at `from` is the base of the first chunk
                               keys true, for who has a consent "bill" too: the keys of the days that lie within
                                                    the range come after the readings, which are those of every
                                                    meter, where one was exchanged, too. res is "half-hour", regs
                                                    has all that is in the batches; else NOT_CONSENTED
             what = "bill"   : regs, until          private billing: a signed batch (codec/billing.py) of each local
                                                    day, from the next one on, which shows no reading. regs is
                                                    "1-0:1.8.0" and, for what is fed in, "1-0:2.8.0"; no res. It
                                                    goes like a link and ends with "linked". One account at a time
                                                    has it: another one's is refused, STORE_FULL "consents"; its own,
                                                    with the same regs, prolongs it. It is a consent of its own
                                                    beside the link of the same account
             what = "proof"  : regs, from, to, res, tariff, batches, nonce   a bill that the hub makes and proves
                                                    itself: applets/billing_prover.py; needs a consent "bill"
             what = "revoke" : of "link" or "bill", which consent; "link" when it is left out; nothing else; mode is
                               "server"; needs no PIN; ends with result "revoked"
             mode = "server" : ek, the recipient's one-time ECDH point, is there as well (not for revoke)
             sub is the account at the recipient: a pseudonym of 1..32 characters [A-Za-z0-9_-]
             regs is a list of 1..8 OBIS codes, res one of "half-hour" "day" "month"
  asked    {t, jws}  typ "mhx-asked",   {v, rid, hub, h, exp}            the display shows who asks for what
  offer    {t, jws}  typ "mhx-offer",   {v, rid, hub, h, try, left, pb, exp [, ek]}   a PIN is on the display
  proof    {t, rid, try, pa, ca}        recipient -> hub
  ack      {t, rid, cb, chunks}         the PIN was right; chunks counts those of the data, else 0.
                                        It comes again while nothing is wanted: 5, 15, 35 and 75 s later
  want     {t, rid, seq, mac}           recipient -> hub; the next seq, or the last again; seq = chunks is the receipt
  chunk    {t, jwe}                     header {alg "dir", enc "A128CBC-HS256", typ, rid, seq, last}
             typ "mhx-series"  : plaintext as codec/series.py sets out
             typ "mhx-keys"    : after those, where keys were asked for: plaintext is day keys (codec/billing.py) of
                 at most KEYS_OF_CHUNK days on end of one chain: a month's are one chunk, a longer range's some, in
                 the order of the days. They are in `chunks` and `digests` like the others, and not in `entries`. Of
                 the chains that have days in the range it is the newest one; none when there is no such day
             typ "mhx-bill"    : of a proof, the one chunk: plaintext as trust/linear_proof.py hands it out
             typ "mhx-receipt" : the last one; plaintext is a JWS typ "mhx-receipt" by the hub, claims
                 {v, rid, hub, h, regs, from, to, res, entries, at,
                  digests: SHA-256 over the SHA-256 of each plaintext}
  done     {t, rid, mac}                recipient -> hub: all is here; the hub forgets the keys
  cancel   {t, rid, h}                  recipient -> hub, before the PIN is proved
  end      {t, jws}  typ "mhx-end",     {v, rid, hub, result, error, field, left, at [, have]}
             result "done" "linked" "revoked" "refused"; for "refused" error is a name of errors.py. error WRONG_PIN
             is the one that does not end the request: a new offer follows it. `have` comes with OUT_OF_RANGE.
  consent  {t, jws}  typ "mhx-consent", {v, hub, sub, result "revoked", at [, of]}  the household revoked it on the
             display; of "bill": private billing, the link is as it was

Batches, on up/batch, each the signed batch itself (codec/billing.py), at most MAX_BATCH bytes: the first day of a
chain that is not receipted, again and again, with growing pauses; then the next one. When it comes again it is the
same but for its signature: what it is known by is its digest. On down/batch the receipt, one compact JWS by the
recipient, typ "mhx-batched", claims {v 1, hub, day, digest: Batch.digest(), base64url, at}, sent for each copy, when
the batch was checked and stored. Batches are public, and the topic is: who subscribes sees them.
A new chain begins when billing is turned on again, or when the hub can no longer make a batch that it has made
before, or would have to commit to what no meter can have counted; such an end is in its journal, BILL_CHAIN.

h = SHA-256(the request's compact JWS); it goes into w, the confirmation and the keys, so that nothing shown
on the display can be changed under way. The hub's JWS carry kid = hub id, which is derived from its key.
"""

import hashlib
import json

from ..codec import base32, base64url, jose
from ..crypto import p256
from ..crypto.hkdf import hkdf
from ..crypto.hmac import hmac_sha256
from ..errors import HubError
from .consents import RESOLUTIONS

MAX_MESSAGE = 2048  # bytes of one JSON message, chunks excepted
MAX_CHUNK = 8192
MAX_BATCH = 8192
MAX_BATCHED = 1024  # bytes of a batch's receipt
KEYS_OF_CHUNK = 31
MAX_LIFE_S = 600
LATEST_UNTIL = 4102444799  # 2099: a display names the year by two digits
MODES = ("server", "private")
BILLED = ("1-0:1.8.0", "1-0:2.8.0")
KINDS_DOWN = ("request", "proof", "want", "done", "cancel")


def request_hash(token: str) -> bytes:
    """Return h (32 bytes) of a request's compact JWS."""
    return hashlib.sha256(token.encode()).digest()


def code(h: bytes) -> str:
    """Return the 4 characters that display and page both show for the request with hash `h`."""
    return base32.encode(hashlib.sha256(b"mhx1 code" + h).digest()[:5])[:4]


def password_scalar(pin: str, h: bytes) -> int:
    """Return w for the nine digits of `pin` and the request hash; 0 < w < n."""
    w = int.from_bytes(hkdf(pin.encode(), h, b"mhx1 w", 48), "big") % p256.N
    if not w:
        raise HubError("WRONG_PIN", "w")
    return w


def identities(hub: str) -> "tuple[bytes, bytes]":
    """Return the SPAKE2 identities (A: who types the PIN, B: the hub with this id)."""
    return b"mhx1 client", b"mhx1 hub " + hub.encode()


def confirmation_aad(h: bytes, offer: str) -> bytes:
    """Return the AAD that binds a confirmation to the request and to the `offer` (compact JWS) it answers."""
    return h + hashlib.sha256(offer.encode()).digest()


def content_keys(ke: bytes, z: bytes, h: bytes, mode: str) -> "tuple[bytes, bytes]":
    """Return (cek, ck) from SPAKE2's Ke (16 bytes) and, in server mode, ECDH's x coordinate `z` (32 bytes, else b'').

    cek (32 bytes) encrypts the chunks, ck (32 bytes) authenticates want and done.
    """
    out = hkdf(ke + z, h, b"mhx1 cek" + mode.encode(), 64)
    return out[:32], out[32:]


def want_mac(ck: bytes, seq: int) -> str:
    """Return the `mac` of a want for chunk `seq`."""
    return base64url.encode(hmac_sha256(ck, b"want" + seq.to_bytes(4, "big"))[:16])


def done_mac(ck: bytes, chunks: int) -> str:
    """Return the `mac` of the done that follows `chunks` chunks of data."""
    return base64url.encode(hmac_sha256(ck, b"done" + chunks.to_bytes(4, "big"))[:16])


def digest_of(digests: bytes) -> str:
    """Return the receipt's `digests` for the concatenated SHA-256 of the chunks' plaintexts."""
    return base64url.encode(hashlib.sha256(digests).digest())


# -- what a receiver checks before it believes anything: bounds, structure, types ----------------------------


def parse(message: bytes, kinds: "tuple", limit: int) -> dict:
    """Return the JSON object in `message` if it is at most `limit` bytes and of one of `kinds`; else HubError."""
    if len(message) > limit:
        raise HubError("OVERSIZED", "message")
    try:
        # MicroPython's json nests recursively: a bound on brackets is a bound on its stack
        if message.count(b"{") + message.count(b"[") > 8:
            raise ValueError
        found = json.loads(message)
    except (ValueError, UnicodeError):
        raise HubError("MALFORMED", "message")
    if not isinstance(found, dict) or found.get("t") not in kinds:
        raise HubError("MALFORMED", "t")
    return found


def text(message: dict, field: str, longest: int) -> str:
    """Return message[field] if it is a string of 1..longest characters, else raise HubError MALFORMED."""
    value = message.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise HubError("MALFORMED", field)
    return value


def whole(message: dict, field: str, low: int, high: int) -> int:
    """Return message[field] if it is an integer in low..high, else raise HubError MALFORMED or INVALID_VALUE."""
    value = message.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise HubError("MALFORMED", field)
    if not low <= value <= high:
        raise HubError("INVALID_VALUE", field)
    return value


def binary(message: dict, field: str, length: int) -> bytes:
    """Return the base64url in message[field] if it is `length` bytes, else raise HubError MALFORMED."""
    value = base64url.decode(text(message, field, 4 * (length + 2) // 3))
    if len(value) != length:
        raise HubError("MALFORMED", field)
    return value


def request_claims(token: str) -> "tuple[str, dict]":
    """Return (kid, claims) of a request whose structure is right; its signature is the caller's to verify next.

    Raises HubError naming the field. Whether the hub, the time and the consent fit is the caller's to judge too.
    """
    header, claims = jose.jws_claims(token, MAX_MESSAGE)
    if header.get("typ") != "mhx-request":
        raise HubError("MALFORMED", "typ")
    kid = text(header, "kid", 64)
    whole(claims, "v", 1, 1)
    binary(claims, "rid", 16)
    text(claims, "hub", 16)
    sub = text(claims, "sub", 32)
    if not all(c.isalpha() or c.isdigit() or c in "-_" for c in sub):
        raise HubError("INVALID_VALUE", "sub")
    iat = whole(claims, "iat", 0, 1 << 33)
    whole(claims, "exp", iat, iat + MAX_LIFE_S)
    if claims.get("mode") not in MODES:
        raise HubError("INVALID_VALUE", "mode")
    what = claims.get("what")
    if what == "revoke":
        if claims.get("of", "link") not in ("link", "bill"):
            raise HubError("INVALID_VALUE", "of")
        return kid, claims
    if claims["mode"] == "server":
        binary(claims, "ek", 65)
    _check_wish(what, claims)
    return kid, claims


def _check_wish(what, claims):
    regs = claims.get("regs")
    if not isinstance(regs, list) or not 0 < len(regs) <= 8:
        raise HubError("MALFORMED", "regs")
    if not all(isinstance(reg, str) and len(reg) <= 20 for reg in regs) or len(set(regs)) != len(regs):
        raise HubError("INVALID_VALUE", "regs")
    if what == "bill":
        if "res" in claims or tuple(regs) not in (BILLED[:1], BILLED):
            raise HubError("INVALID_VALUE", "res" if "res" in claims else "regs")
    elif claims.get("res") not in RESOLUTIONS:
        raise HubError("INVALID_VALUE", "res")
    if what in ("data", "proof"):
        start = whole(claims, "from", 0, 1 << 33)
        whole(claims, "to", start + 1, 1 << 33)
        if claims.get("keys", True) is not True:
            raise HubError("INVALID_VALUE", "keys")
    elif what in ("link", "bill"):
        whole(claims, "until", 0, LATEST_UNTIL)
    else:
        raise HubError("INVALID_VALUE", "what")


def batched_claims(token: str) -> "tuple[str, dict]":
    """Return (kid, claims) of a batch's receipt whose structure is right; its signature is the caller's to verify."""
    header, claims = jose.jws_claims(token, MAX_BATCHED)
    if header.get("typ") != "mhx-batched":
        raise HubError("MALFORMED", "typ")
    kid = text(header, "kid", 64)
    whole(claims, "v", 1, 1)
    text(claims, "hub", 16)
    whole(claims, "day", 1, 84005)
    binary(claims, "digest", 32)
    whole(claims, "at", 0, 1 << 33)
    return kid, claims
