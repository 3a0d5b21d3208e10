"""Letters, "MHC 1": what a hub tells the holder of a role's key, sealed to that key, until it says that it has it.

This file is the specification of what crosses the wire; the hub seals letters here, the host opens them with
letter_opener.py. Commands, the other way: trust/command.py.

Source   JWE ECDH-ES, A128CBC-HS256: RFC 7516, RFC 7518 4.6, 5.2; JWS ES256: RFC 7515, RFC 7518 3.4; HKDF: RFC 5869;
         base64url without padding: RFC 4648 5.
Units    times are Unix seconds, UTC; a kid is identity.hub_id() of a key's point
Memory   about three times the letter while it is sealed, in pieces of up to its length; 6 KB for the arithmetic before
Errors   HubError BAD_POINT for a role's key that is none, OVERSIZED "letter" for a JWS of more than MAX_SIGNED
Runs on  both

Topics   meterhub/<hub id>/up/role-<kid>    hub -> role      meterhub/<hub id>/down/received    role -> hub

letter    one compact JWE of at most MAX_LETTER characters; its header has exactly
            alg "ECDH-ES", enc "A128CBC-HS256", epk {kty "EC", crv "P-256", x, y}, typ "mhc-letter"
          epk is of a key pair made for this letter alone; the CEK is that of RFC 7518 4.6 without apu and apv.
          The plaintext is one compact JWS ES256 by the hub, at most MAX_SIGNED characters; its header has exactly
            alg "ES256", kid: hub id, typ "mhc-letter"
          and its claims are
            v 1, hub: hub id, to: kid of the role's key
            n      number of the letter, 1 .. 2^53 - 1: rises within a hub, is never used for another one
            at     0: the hub's clock was not set
            clock  the state of the hub's clock, a word of 1..16 characters
            kind   and what that kind says
              answer  re: base64url(SHA-256(the command's compact JWS)), ctr, cmd, outcome "done" "refused" "pending",
                      error: "" or a name of errors.py, field, data {..}
              alert   event: name, code: an integer, 0 for none, detail, data {..}
              report  schedule: id, seq: rises by 1 within a schedule, data {..}
              hello   data {..}
received  {"n": number, "mac": base64url(mac)}
            mac = the first 16 bytes of HMAC-SHA-256(key, "received" || n as 8 bytes, big-endian)
            key = HKDF-SHA-256(ikm = the letter's CEK, no salt, info = "mhc1 received", 32 bytes)
          It can only come from who opened the letter. A letter without it is sent again, the same one or sealed anew;
          each sealing has its own key, and the hub takes the last one's. A recipient knows a letter by (hub, n), and
          says `received` each time.
"""

from micropython import const

from ..crypto.hmac import hmac_sha256
from ..errors import HubError

TYP = "mhc-letter"
MAX_LETTER = 8192
MAX_SIGNED = 5872  # of the JWS within
MAX_NUMBER = (1 << 53) - 1
# what seal() loads besides identity.SIGNING; who is done with it may let it go
SEALING = ("codec.jose_es", "crypto.aead", "crypto.ecdh", "crypto.ecdh_es", "crypto.equal", "crypto.hkdf")
_IV_BYTES = const(16)


def seal(signed: str, public: bytes, drbg):
    """Generate slices of the letter around `signed`, the hub's JWS, to the key with the point `public` (65 bytes).

    Return (the letter in ASCII, the key of its `received`, 32 bytes).
    """
    from ..codec import jose_es  # noqa: PLC0415 - a hub at rest needs none of these
    from ..crypto import aead, ecdh_es  # noqa: PLC0415

    if len(signed) > MAX_SIGNED:
        raise HubError("OVERSIZED", "letter")
    epk, cek = yield from ecdh_es.cek_to(public, drbg)
    yield
    letter = jose_es.seal_token(TYP, epk, signed.encode(), cek, drbg.read(_IV_BYTES), aead.seal)
    return letter, received_key(cek)


def received_key(cek: bytes) -> bytes:
    """Return the key (32 bytes) under which a letter with this content key is said to be received."""
    from ..crypto.hkdf import hkdf  # noqa: PLC0415

    return hkdf(cek, b"", b"mhc1 received", 32)


def received_mac(key: bytes, n: int) -> bytes:
    """Return what says that letter `n` was received, 16 bytes; `key` is received_key()'s. Compare it by equal()."""
    return hmac_sha256(key, b"received" + n.to_bytes(8, "big"))[:16]
