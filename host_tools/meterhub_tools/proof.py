"""Where the numbers came from: a hub's receipt, and the file by which a recipient can show it to others.

Source   firmware/meterhub/trust/mhx.py (receipt, digests), codec/series.py (chunks), RFC 7515 (ES256 through joserfc).
Errors   HubError: NOT_AUTHENTIC for a signature, WRONG_REQUEST for a receipt of something else, INTEGRITY_FAILED
         for readings that are not those of the receipt.

Format   a proof is JSON {v: 1, hub, key, request: JWS, receipt: JWS, chunks: [base64url of each plaintext]}. key, the
         hub's point in base64url, gives the id `hub`; it signed the receipt; the receipt holds the digests of the
         chunks and the hash of the request. Where day keys of private billing came after the readings, these are not
         in it: it is there to be passed on. `keys` has the SHA-256 of each of their chunks then, base64url, so that
         the receipt can be checked all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from . import firmware  # noqa: F401  (puts the firmware's package on the path)

from meterhub.codec import base64url, billing, jose, series  # isort: skip
from meterhub.codec import bill as forms  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip
from meterhub.trust.linear_proof import both_of  # isort: skip

if TYPE_CHECKING:
    from .recipient import HubBill, Result

MAX_CHUNKS = 1024


def encode_public(public: Any) -> bytes:
    """Return the point (65 bytes, SEC1) of a `cryptography` public key."""
    numbers = public.public_numbers()
    point: bytes = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    return point


def point_of(key: ECKey) -> bytes:
    """Return the point (65 bytes, SEC1) of a joserfc key."""
    return encode_public(key.public_key)


def check_signature(token: str, point: bytes) -> None:
    """Raise HubError NOT_AUTHENTIC unless `token` (compact JWS) is signed ES256 by the key with this point."""
    jwk: dict[str, str | list[str]] = {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url.encode(point[1:33]),
        "y": base64url.encode(point[33:]),
    }
    try:
        jws.deserialize_compact(token, ECKey.import_key(jwk), algorithms=["ES256"])
    except (JoseError, ValueError):
        raise HubError("NOT_AUTHENTIC", "signature") from None


def assemble(
    request: str, receipt: str, chunks: list[bytes], hub_key: bytes, left_out: Iterable[bytes] = ()
) -> Result:
    """Return the Result that `chunks` (plaintexts) hold, after everything the `receipt` says of them was checked.

    left_out: the SHA-256 of chunks of day keys that came after these and are not here.
    """
    from .recipient import Result

    digests = [hashlib.sha256(chunk).digest() for chunk in chunks]
    claims, wish = _receipted(request, receipt, [*digests, *left_out], hub_key)
    if wish["what"] != "data":
        raise HubError("WRONG_REQUEST", "what")
    keys = keys_of(chunks) if wish.get("keys") else b""
    columns, start, base, entries = _join([chunk for chunk in chunks if not is_keys(chunk)] if keys else chunks, wish)
    if claims.get("entries") != len(entries):
        raise HubError("INTEGRITY_FAILED", "entries")
    if keys and billing.keys_of(keys)[0] != hashlib.sha256(hub_key).digest()[:10]:
        raise HubError("WRONG_HUB", "keys")
    return Result(columns, start, base, entries, receipt, list(chunks), request, hub_key, keys)


def assemble_bill(request: str, receipt: str, chunks: list[bytes], hub_key: bytes) -> HubBill:
    """Return the bill in the one chunk of a request "proof", when it is the one that was asked for.

    That the bill is right is not looked at: billing/verifier.py does that.
    """
    from .recipient import HubBill

    _, wish = _receipted(request, receipt, [hashlib.sha256(chunk).digest() for chunk in chunks], hub_key)
    if wish["what"] != "proof" or len(chunks) != 1:
        raise HubError("WRONG_REQUEST", "what")
    bill, proved = bill_in(chunks[0])
    said = forms.bill_of(bill)
    asked = {"hub": hashlib.sha256(hub_key).digest()[:10], "start": wish["from"], "stop": wish["to"]}
    asked["tariff"] = hashlib.sha256(forms.tariff_of(base64url.decode(wish["tariff"])).raw).digest()
    asked |= {"digest": base64url.decode(wish["batches"]), "nonce": base64url.decode(wish["nonce"])}
    for name, value in asked.items():
        if getattr(said, name) != value:
            raise HubError("WRONG_REQUEST", "bill." + name)
    return HubBill(bill, proved, receipt, request, hub_key)


def bill_in(chunk: bytes) -> tuple[bytes, bytes]:
    """Return (bill, proof) in the plaintext of a chunk "mhx-bill"; HubError when it holds none."""
    bill, proved = both_of(chunk)
    forms.bill_of(bill)
    return bill, proved


def _receipted(request: str, receipt: str, digests: list[bytes], hub_key: bytes) -> tuple[dict, dict]:
    """Return the claims of receipt and request, when the hub signed it for this request and chunks with `digests`."""
    header, claims = jose.jws_claims(receipt, mhx.MAX_MESSAGE)
    if header.get("typ") != "mhx-receipt":
        raise HubError("MALFORMED", "typ")
    check_signature(receipt, hub_key)
    _, wish = mhx.request_claims(request)
    if claims.get("h") != base64url.encode(mhx.request_hash(request)) or claims.get("hub") != hub_id(hub_key):
        raise HubError("WRONG_REQUEST", "h")
    for name in ("rid", "regs", "from", "to", "res"):
        if claims.get(name) != wish.get(name):
            raise HubError("WRONG_REQUEST", name)
    if claims.get("digests") != mhx.digest_of(b"".join(digests)):
        raise HubError("INTEGRITY_FAILED", "digests")
    return claims, wish


def is_keys(chunk: bytes) -> bool:
    """Return whether a chunk's plaintext is day keys of private billing, and no series."""
    return chunk[:4] == b"mhk1"


def keys_of(chunks: list[bytes]) -> bytes:
    """Return all day keys among `chunks` as one file (firmware/meterhub/codec/billing.py), b"" when there are none."""
    found = [billing.keys_of(chunk) for chunk in chunks if is_keys(chunk)]
    if not found:
        return b""
    hub, chain, _ = found[0]
    keys = {day: key for _, _, some in found for day, key in some.items()}
    first = min(keys)
    on_end = list(keys) == list(range(first, first + len(keys)))
    if not on_end or any((one[0], one[1]) != (hub, chain) for one in found):
        raise HubError("INTEGRITY_FAILED", "keys")
    return billing.pack_keys(hub, chain, first, list(keys.values()))


def _join(chunks: list[bytes], wish: dict) -> tuple[list, int, tuple, list]:
    """Return (columns, start, base, entries) of all chunks; every chunk begins where the one before it ended."""
    columns: list = []
    start, base = wish["from"], ()
    entries: list = []
    for chunk in chunks:
        found, _, at, first, more = series.unpack(chunk)
        if [column.obis for column in found] != wish["regs"] or (columns and found != columns):
            raise HubError("INTEGRITY_FAILED", "regs")
        if not columns:
            columns, start, base = found, at, first
        elif at != entries[-1].at:
            raise HubError("INTEGRITY_FAILED", "start")
        entries += more
    times = [start] + [entry.at for entry in entries]
    rising = all(a < b for a, b in pairwise(times))
    if not entries or not rising or times[0] < wish["from"] or times[-1] > wish["to"]:
        raise HubError("INTEGRITY_FAILED", "at")
    return columns, start, base, entries


def make_proof(result: Result) -> dict:
    """Return the proof of `result`, ready to be written as JSON: readings, and never the keys of private billing."""
    keys = [base64url.encode(hashlib.sha256(chunk).digest()) for chunk in result.chunks if is_keys(chunk)]
    made = {
        "v": 1,
        "hub": hub_id(result.hub_key),
        "key": base64url.encode(result.hub_key),
        "request": result.request,
        "receipt": result.receipt,
        "chunks": [base64url.encode(chunk) for chunk in result.chunks if not is_keys(chunk)],
    }
    return made | {"keys": keys} if keys else made


def verify_proof(proof: dict) -> Result:
    """Return the Result a saved `proof` stands for; HubError unless the hub whose id it names signed just that.

    The id is the caller's to compare with the one on the household's display.
    """
    hub_key = mhx.binary(proof, "key", 65)
    chunks = proof.get("chunks")
    if not isinstance(chunks, list) or not len(chunks) <= MAX_CHUNKS:
        raise HubError("MALFORMED", "chunks")
    keys = proof.get("keys", [])
    if not isinstance(keys, list) or not len(keys) <= MAX_CHUNKS:
        raise HubError("MALFORMED", "keys")
    if proof.get("hub") != hub_id(hub_key):
        raise HubError("WRONG_HUB", "hub")
    request = mhx.text(proof, "request", mhx.MAX_MESSAGE)
    receipt = mhx.text(proof, "receipt", mhx.MAX_MESSAGE)
    left_out = [mhx.binary({"keys": digest}, "keys", 32) for digest in keys]
    return assemble(request, receipt, [base64url.decode(chunk) for chunk in chunks], hub_key, left_out)
