"""A known-answer test for each primitive: is this board's arithmetic what the standards say?

Source   SHA-256: FIPS 180-4 ("abc"); HMAC: RFC 4231 4.3; HKDF: RFC 5869 A.3; A128CBC-HS256: RFC 7518 B.1 (its tag
         depends on the whole ciphertext); ECDSA: RFC 6979 A.2.5 "sample"; ECDH: RFC 5903 8.1; SPAKE2: RFC 9382 B.
Memory   what it tests, loaded when it is tested
Runs on  both
"""

# ruff: noqa: PLC0415 - a board that tests one of them need not hold them all

import hashlib


def sha256():
    """Generate slices of the test; return whether it went well. So do all the others."""
    yield
    return hashlib.sha256(b"abc").digest()[:8] == b"\xba\x78\x16\xbf\x8f\x01\xcf\xea"


def hmac():
    from .hmac import hmac_sha256

    yield
    return hmac_sha256(b"Jefe", b"what do ya want for nothing?")[:8] == b"\x5b\xdc\xc1\x46\xbf\x60\x75\x4e"


def hkdf():
    from .hkdf import hkdf as derive

    yield
    return derive(b"\x0b" * 22, b"", b"", 42)[-8:] == b"\x13\x95\xfa\xa4\xb6\x1a\x96\xc8"


def aes_cbc_hs256():
    from .aead import seal, unseal

    aad = b"The second principle of Auguste Kerckhoffs"
    text = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of "
    text += b"the enemy without inconvenience"
    iv = b"\x1a\xf3\x8c\x2d\xc2\xb9\x6f\xfd\xd8\x66\x94\x09\x23\x41\xbc\x04"
    ciphertext, tag = seal(bytes(range(32)), iv, aad, text)
    yield
    known = tag == b"\x65\x2c\x3f\xa3\x6b\x0a\x7c\x5b\x32\x19\xfa\xb3\xa3\x0b\xc1\xc4"
    return known and unseal(bytes(range(32)), iv, aad, ciphertext, tag) == text


_SIGNER = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def ecdsa():
    from . import ecdsa as signing

    digest = hashlib.sha256(b"sample").digest()
    known = _R.to_bytes(32, "big") + _S.to_bytes(32, "big")
    if (yield from signing.sign(_SIGNER, digest, None)) != known:
        return False
    public = yield from signing.public_point(_SIGNER)
    if not (yield from signing.verify(public, digest, known)):
        return False
    return not (yield from signing.verify(public, bytes(32), known))


def ecdh():
    from .ecdh import shared_x

    initiator = 0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433
    responder = (
        0xD12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63,
        0x56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB,
    )
    shared = yield from shared_x(initiator, responder)
    return shared[:8] == b"\xd6\x84\x0f\x6b\x42\xf6\xed\xaf"


def spake2():
    from .p256 import encode_point
    from .spake2 import Spake2

    w = 0x2EE57912099D31560B3A44B1184B9B4866E904C49D12AC5042C97DCA461B1A5F
    x = 0x43DD0FD7215BDCB482879FCA3220C6A968E66D70B1356CAC18BB26C84A78D729
    server_share = (
        0x06557E482BD03097AD0CBAA5DF82115460D951E3451962F1EAF4367A420676D0,
        0x9857CCBC522686C83D1852ABFA8ED6E4A1155CF8F1543CECA528AFB591A1E0B7,
    )
    keys = yield from Spake2("A", w, x, b"server", b"client").finish(encode_point(server_share), b"")
    return keys.ke == b"\x0e\x06\x72\xdc\x86\xf8\xe4\x55\x65\xd3\x38\xb0\x54\x0a\xbe\x69"


ALL = (
    ("sha256", sha256),
    ("HMAC", hmac),
    ("HKDF", hkdf),
    ("AES-CBC-HS256", aes_cbc_hs256),
    ("ECDSA", ecdsa),
    ("ECDH", ecdh),
    ("SPAKE2", spake2),
)
