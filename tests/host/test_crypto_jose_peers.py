"""The firmware's JWS, JWE and letters against joserfc, jwcrypto and pyca/cryptography, in both directions."""

import hashlib
import hmac
import json
import random
import struct

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe as joserfc_jwe
from joserfc import jws as joserfc_jws
from joserfc.errors import BadSignatureError, DecodeError
from joserfc.jwk import ECKey, OctKey
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk
from jwcrypto import jws as jwcrypto_jws

from meterhub.codec import base64url, jose, jose_es
from meterhub.crypto import aead, ecdh_es, ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.trust import identity, letter, letter_opener

CLAIMS = {"v": 1, "hub": "0123456789ABCDEF", "regs": ["1-0:1.8.0", "1-0:2.8.0"], "to": 1700000000, "t": "€"}
HEADER = {"alg": "ES256", "kid": "a key", "typ": "mhx-request"}
JWE_HEADER = {"alg": "dir", "enc": "A128CBC-HS256", "typ": "mhx-series", "rid": "AA", "seq": 3, "last": True}
PLAINTEXTS = [b"", b"x", bytes(range(256)) * 20]


class Keys:
    """One private key as each of the libraries wants it."""

    def __init__(self, seed):
        self.d = random.Random(seed).randrange(1, p256.N)
        self.pyca = ec.derive_private_key(self.d, ec.SECP256R1())
        self.point = run(ecdsa.public_point(self.d))
        x, y, d = (base64url.encode(n.to_bytes(32, "big")) for n in (*self.point, self.d))
        self.jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "d": d}
        self.joserfc = ECKey.import_key(self.jwk)
        self.jwcrypto = jwcrypto_jwk.JWK(**self.jwk)

    def jws(self):
        signing_input = jose.jws_input(HEADER, CLAIMS)
        digest = hashlib.sha256(signing_input).digest()
        return jose.jws_join(signing_input, run(ecdsa.sign(self.d, digest, Drbg(bytes(48)))))

    def verifies(self, token):
        signing_input, signature = jose.jws_parts(token)
        return run(ecdsa.verify(self.point, hashlib.sha256(signing_input).digest(), signature))


@pytest.fixture(params=range(5))
def keys(request):
    return Keys(request.param)


def tampered(token):
    """The same token with one bit of its claims changed."""
    head, claims, signature = token.split(".")
    raw = bytearray(base64url.decode(claims))
    raw[5] ^= 1
    return ".".join((head, base64url.encode(raw), signature))


def test_a_jws_of_the_firmware_is_taken_by_joserfc(keys):
    token = keys.jws()
    taken = joserfc_jws.deserialize_compact(token, keys.joserfc, algorithms=["ES256"])
    assert (taken.headers(), json.loads(taken.payload)) == (HEADER, CLAIMS)
    with pytest.raises(BadSignatureError):
        joserfc_jws.deserialize_compact(tampered(token), keys.joserfc, algorithms=["ES256"])


def test_a_jws_of_the_firmware_is_taken_by_jwcrypto(keys):
    taken = jwcrypto_jws.JWS()
    taken.allowed_algs = ["ES256"]
    taken.deserialize(keys.jws(), keys.jwcrypto)
    assert json.loads(taken.payload) == CLAIMS
    with pytest.raises(jwcrypto_jws.InvalidJWSSignature):
        jwcrypto_jws.JWS().deserialize(tampered(keys.jws()), keys.jwcrypto)


def test_a_jws_of_the_firmware_is_taken_by_pyca(keys):
    signing_input, _, signature = keys.jws().rpartition(".")
    raw = base64url.decode(signature)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    keys.pyca.public_key().verify(der, signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        keys.pyca.public_key().verify(der, signing_input.encode() + b"A", ec.ECDSA(hashes.SHA256()))


def by_joserfc(keys):
    return joserfc_jws.serialize_compact(HEADER, json.dumps(CLAIMS), keys.joserfc, algorithms=["ES256"])


def by_jwcrypto(keys):
    token = jwcrypto_jws.JWS(json.dumps(CLAIMS))
    token.add_signature(keys.jwcrypto, None, json.dumps(HEADER), None)
    return token.serialize(compact=True)


def by_pyca(keys):
    parts = (base64url.encode(json.dumps(part, indent=1).encode()) for part in (HEADER, CLAIMS))
    signing_input = ".".join(parts)
    r, s = utils.decode_dss_signature(keys.pyca.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))
    return signing_input + "." + base64url.encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize("signed", [by_joserfc, by_jwcrypto, by_pyca])
def test_a_jws_of_a_peer_is_taken_by_the_firmware(keys, signed):
    token = signed(keys)
    assert jose.jws_claims(token, 2048) == (HEADER, CLAIMS)
    assert keys.verifies(token)
    assert not keys.verifies(tampered(token))
    assert not Keys(99).verifies(token)


def sealed(plaintext, cek, iv):
    return jose.jwe_seal(JWE_HEADER, plaintext, cek, iv, aead.seal).decode()


def unsealed(token, cek):
    header, aad, iv, ciphertext, tag = jose.jwe_parts(token, 16384)
    return header, aead.unseal(cek, iv, aad, ciphertext, tag)


@pytest.fixture(params=range(3))
def cek(request):
    return random.Random(request.param).randbytes(32)


@pytest.mark.parametrize("plaintext", PLAINTEXTS, ids=len)
def test_a_jwe_of_the_firmware_is_opened_by_joserfc(cek, plaintext):
    registry = joserfc_jwe.JWERegistry(algorithms=["dir", "A128CBC-HS256"], strict_check_header=False)
    opened = joserfc_jwe.decrypt_compact(sealed(plaintext, cek, cek[:16]), OctKey.import_key(cek), registry=registry)
    assert opened.plaintext == plaintext
    assert opened.headers() == JWE_HEADER


@pytest.mark.parametrize("plaintext", PLAINTEXTS[1:], ids=len)  # jwcrypto takes an empty plaintext for a failure
def test_a_jwe_of_the_firmware_is_opened_by_jwcrypto(cek, plaintext):
    opened = jwcrypto_jwe.JWE(algs=["dir", "A128CBC-HS256"])
    opened.deserialize(sealed(plaintext, cek, cek[:16]))
    opened.decrypt(jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(cek)))
    assert opened.payload == plaintext


@pytest.mark.parametrize("plaintext", PLAINTEXTS, ids=len)
def test_a_jwe_of_the_firmware_is_opened_by_pyca(cek, plaintext):
    head, _, iv, ciphertext, tag = sealed(plaintext, cek, cek[:16]).split(".")
    iv, ciphertext, tag = (base64url.decode(part) for part in (iv, ciphertext, tag))
    length = struct.pack(">Q", 8 * len(head))
    assert hmac.digest(cek[:16], head.encode() + iv + ciphertext + length, "sha256")[:16] == tag
    cipher = Cipher(algorithms.AES(cek[16:]), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    assert unpadder.update(cipher.update(ciphertext) + cipher.finalize()) + unpadder.finalize() == plaintext


def jwe_by_joserfc(plaintext, cek):
    registry = joserfc_jwe.JWERegistry(algorithms=["dir", "A128CBC-HS256"], strict_check_header=False)
    return joserfc_jwe.encrypt_compact(JWE_HEADER, plaintext, OctKey.import_key(cek), registry=registry)


def jwe_by_jwcrypto(plaintext, cek):
    token = jwcrypto_jwe.JWE(plaintext, json.dumps(JWE_HEADER))
    token.add_recipient(jwcrypto_jwk.JWK(kty="oct", k=base64url.encode(cek)))
    return token.serialize(compact=True)


def jwe_by_pyca(plaintext, cek):
    head = base64url.encode(json.dumps(JWE_HEADER).encode())
    padder = padding.PKCS7(128).padder()
    iv = random.Random(len(plaintext)).randbytes(16)
    cipher = Cipher(algorithms.AES(cek[16:]), modes.CBC(iv)).encryptor()
    ciphertext = cipher.update(padder.update(plaintext) + padder.finalize()) + cipher.finalize()
    tag = hmac.digest(cek[:16], head.encode() + iv + ciphertext + struct.pack(">Q", 8 * len(head)), "sha256")[:16]
    return ".".join((head, "", base64url.encode(iv), base64url.encode(ciphertext), base64url.encode(tag)))


@pytest.mark.parametrize("plaintext", PLAINTEXTS, ids=len)
@pytest.mark.parametrize("made", [jwe_by_joserfc, jwe_by_jwcrypto, jwe_by_pyca])
def test_a_jwe_of_a_peer_is_opened_by_the_firmware(cek, plaintext, made):
    token = made(plaintext, cek)
    assert unsealed(token, cek) == (JWE_HEADER, plaintext)
    for at in (len(token) // 2, len(token) - 10):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(HubError):
            unsealed(token[:at] + other + token[at + 1 :], cek)
    with pytest.raises(HubError, match="NOT_AUTHENTIC"):
        unsealed(token, bytes(32))


# -- ECDH-ES, and letters, which are made of it --------------------------------------------------------------------

AGREED = ["ECDH-ES", "A128CBC-HS256"]
LETTER_HEADER = {"alg": "ECDH-ES", "enc": "A128CBC-HS256", "typ": "mhc-letter"}
DRBG = Drbg(b"\x03" * 48)


class Hub:
    """A hub's identity and a letter's claims to a role's key."""

    def __init__(self, keys):
        self.keys = Keys(77)
        self.public = p256.encode_point(keys.point)
        self.me = identity.Identity(self.keys.d, p256.encode_point(self.keys.point), DRBG)
        to = identity.hub_id(self.public)
        self.claims = {"v": 1, "hub": self.me.hub, "to": to, "n": 3, "at": 0, "clock": "unset", "kind": "hello"}
        self.claims["data"] = {"long": "€" * 500}

    def signed(self):
        return run(self.me.sign("mhc-letter", self.claims))

    def letter(self):
        token, key = run(letter.seal(self.signed(), self.public, DRBG))
        return token.decode(), key


@pytest.fixture
def hub(keys):
    return Hub(keys)


def opened_by_joserfc(token, keys):
    registry = joserfc_jwe.JWERegistry(algorithms=AGREED)
    opened = joserfc_jwe.decrypt_compact(token, keys.joserfc, registry=registry)
    return opened.headers(), opened.plaintext


def opened_by_jwcrypto(token, keys):
    opened = jwcrypto_jwe.JWE(algs=AGREED)
    opened.deserialize(token)
    opened.decrypt(keys.jwcrypto)
    return opened.jose_header, opened.payload


@pytest.mark.parametrize("by", [opened_by_joserfc, opened_by_jwcrypto])
def test_a_letter_of_the_firmware_is_opened_by_a_peer(keys, hub, by):
    token, _ = hub.letter()
    header, plaintext = by(token, keys)
    assert sorted(header.pop("epk")) == ["crv", "kty", "x", "y"]
    assert header == LETTER_HEADER
    inner = joserfc_jws.deserialize_compact(plaintext.decode(), hub.keys.joserfc, algorithms=["ES256"])
    assert inner.headers() == {"alg": "ES256", "kid": hub.me.hub, "typ": "mhc-letter"}
    assert json.loads(inner.payload) == hub.claims
    with pytest.raises((DecodeError, jwcrypto_jwe.InvalidJWEData)):
        by(token, Keys(98))


def test_a_letter_of_the_firmware_is_opened_by_pyca(keys, hub):
    token, key = hub.letter()
    head, encrypted_key, iv, ciphertext, tag = token.split(".")
    epk = json.loads(base64url.decode(head))["epk"]
    x, y = (int.from_bytes(base64url.decode(epk[name]), "big") for name in ("x", "y"))
    z = keys.pyca.exchange(ec.ECDH(), ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
    # RFC 7518 4.6.2: AlgorithmID, empty PartyUInfo and PartyVInfo, 256 bits
    other = struct.pack(">L", 13) + b"A128CBC-HS256" + bytes(8) + struct.pack(">L", 256)
    cek = ConcatKDFHash(hashes.SHA256(), 32, other).derive(z)
    iv, ciphertext, tag = (base64url.decode(part) for part in (iv, ciphertext, tag))
    signed = aead.unseal(cek, iv, head.encode(), ciphertext, tag)
    assert encrypted_key == ""
    assert jose.jws_claims(signed.decode(), 8192)[1] == hub.claims
    received = HKDF(hashes.SHA256(), 32, None, b"mhc1 received").derive(cek)
    assert received == key
    mac = hmac.digest(received, b"received" + struct.pack(">Q", 3), "sha256")[:16]
    assert letter.received_mac(key, 3) == mac


def sealed_by_joserfc(plaintext, keys, header):
    registry = joserfc_jwe.JWERegistry(algorithms=[*AGREED, "DEF"], strict_check_header=False)
    return joserfc_jwe.encrypt_compact(dict(header), plaintext, keys.joserfc, registry=registry)


def sealed_by_jwcrypto(plaintext, keys, header):
    token = jwcrypto_jwe.JWE(plaintext, json.dumps(header), algs=AGREED)
    token.add_recipient(keys.jwcrypto)
    return token.serialize(compact=True)


def opened_by_firmware(token, keys, hub):
    return run(letter_opener.opened(token, keys.d, hub.public, hub.me.public))


@pytest.mark.parametrize("by", [sealed_by_joserfc, sealed_by_jwcrypto])
def test_a_letter_of_a_peer_is_opened_by_the_firmware(keys, hub, by):
    token = by(hub.signed().encode(), keys, LETTER_HEADER)
    claims, key = opened_by_firmware(token, keys, hub)
    assert claims == hub.claims
    _, epk, *_ = jose_es.token_parts(token, 8192)
    assert letter.received_key(run(ecdh_es.cek_from(keys.d, epk))) == key
    with pytest.raises(HubError, match="NOT_AUTHENTIC: tag"):
        opened_by_firmware(by(hub.signed().encode(), Keys(98), LETTER_HEADER), keys, hub)


@pytest.mark.parametrize("more", [{"apu": "QWxpY2U"}, {"apv": "Qm9i"}, {"zip": "DEF"}, {"kid": "a"}, {"cty": "JWT"}])
def test_a_peers_letter_with_a_header_of_its_own_is_refused(keys, hub, more):
    token = sealed_by_joserfc(hub.signed().encode(), keys, LETTER_HEADER | more)
    with pytest.raises(HubError, match="MALFORMED: header"):
        opened_by_firmware(token, keys, hub)


@pytest.mark.parametrize("curve", ["P-384", "X25519"])
def test_a_peers_letter_to_a_key_of_another_curve_is_refused(keys, hub, curve):
    other = jwcrypto_jwk.JWK.generate(kty="OKP" if curve == "X25519" else "EC", crv=curve)
    token = jwcrypto_jwe.JWE(hub.signed().encode(), json.dumps(LETTER_HEADER), algs=AGREED)
    token.add_recipient(other)
    with pytest.raises(HubError, match="MALFORMED: epk"):
        opened_by_firmware(token.serialize(compact=True), keys, hub)


def test_the_longest_letter_is_opened(keys, hub):
    hub.claims["data"] = {"long": "x" * 4000}
    while len(hub.signed()) < letter.MAX_SIGNED - 1:  # base64 has no text of some lengths
        hub.claims["data"]["long"] += "x"
    token, key = hub.letter()
    assert letter.MAX_LETTER - 64 < len(token) <= letter.MAX_LETTER
    assert opened_by_firmware(token, keys, hub) == (hub.claims, key)
    hub.claims["data"]["long"] += "xxx"
    with pytest.raises(HubError, match="OVERSIZED: letter"):
        hub.letter()
