"""Where the numbers came from: a hub's receipt, and the file by which a recipient can show it to others.

Source   firmware/meterhub/trust/mhx.py (receipt, digests), codec/series.py (chunks), RFC 7515 (ES256 through joserfc).
Errors   HubError: NOT_AUTHENTIC for a signature, WRONG_REQUEST for a receipt of something else, INTEGRITY_FAILED
         for readings that are not those of the receipt.

Format   a proof is JSON {v: 1, hub, key, request: JWS, receipt: JWS, chunks: [base64url of each plaintext]}. key, the
         hub's point in base64url, gives the id `hub`; it signed the receipt; the receipt holds the digests of the
         chunks and the hash of the request.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from . import firmware  # noqa: F401  (puts the firmware's package on the path)

from meterhub.codec import base64url, jose, series  # isort: skip
from meterhub.errors import HubError  # isort: skip
from meterhub.trust import mhx  # isort: skip
from meterhub.trust.identity import hub_id  # isort: skip

if TYPE_CHECKING:
    from .recipient import Result

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


def assemble(request: str, receipt: str, chunks: list[bytes], hub_key: bytes) -> Result:
    """Return the Result that `chunks` (plaintexts) hold, after everything the `receipt` says of them was checked."""
    from .recipient import Result

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
    digests = b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)
    if claims.get("digests") != mhx.digest_of(digests):
        raise HubError("INTEGRITY_FAILED", "digests")
    columns, start, base, entries = _join(chunks, wish)
    if claims.get("entries") != len(entries):
        raise HubError("INTEGRITY_FAILED", "entries")
    return Result(columns, start, base, entries, receipt, list(chunks), request, hub_key)


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
    """Return the proof of `result`, ready to be written as JSON."""
    return {
        "v": 1,
        "hub": hub_id(result.hub_key),
        "key": base64url.encode(result.hub_key),
        "request": result.request,
        "receipt": result.receipt,
        "chunks": [base64url.encode(chunk) for chunk in result.chunks],
    }


def verify_proof(proof: dict) -> Result:
    """Return the Result a saved `proof` stands for; HubError unless the hub whose id it names signed just that.

    The id is the caller's to compare with the one on the household's display.
    """
    hub_key = mhx.binary(proof, "key", 65)
    chunks = proof.get("chunks")
    if not isinstance(chunks, list) or not len(chunks) <= MAX_CHUNKS:
        raise HubError("MALFORMED", "chunks")
    if proof.get("hub") != hub_id(hub_key):
        raise HubError("WRONG_HUB", "hub")
    request = mhx.text(proof, "request", mhx.MAX_MESSAGE)
    receipt = mhx.text(proof, "receipt", mhx.MAX_MESSAGE)
    return assemble(request, receipt, [base64url.decode(chunk) for chunk in chunks], hub_key)
