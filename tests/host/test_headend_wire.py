"""MHC 1 on the role's side: what a letter must be to be believed, held against other people's JOSE libraries."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jws
from joserfc.jwk import ECKey
from jwcrypto import jwe, jwk
from simulated_hub import SimulatedHub, sealed

from meterhub.codec import base64url
from meterhub.errors import HubError
from meterhub_tools.headend import Role, wire

ROLE, OTHER = Role.generate("acme", "SUP"), Role.generate("grid", "DNO")
CLAIMS = {"hub": "0" * 16, "ctr": 7, "iat": 1_800_000_000, "exp": 1_800_000_060, "cmd": "read.power_now", "arg": {}}


def private_pem(role):
    return role._private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def opened(hub, raw, role=ROLE, by="", key=None):
    return wire.read(wire.unseal(raw, role), by or hub.id, role.kid, key or wire.public_key(hub.point))


def refusal(hub, raw, **more):
    with pytest.raises(HubError) as caught:
        opened(hub, raw, **more)
    return caught.value.name, caught.value.field


@pytest.fixture
def hub():
    return SimulatedHub([ROLE, OTHER])


# -- commands ----------------------------------------------------------------------------------------------------


def test_command_is_a_jws_that_joserfc_verifies():
    token = wire.command(ROLE, CLAIMS)
    key = ECKey.import_key(private_pem(ROLE))
    found = jws.deserialize_compact(token, key, algorithms=["ES256"])
    assert found.headers() == {"alg": "ES256", "kid": ROLE.kid, "typ": "cmd+jws"}
    assert json.loads(found.payload) == {"v": 1, **CLAIMS}
    assert wire.reference(token) == base64url.encode(hashlib.sha256(token.encode()).digest())


def test_command_too_long_for_a_hub_is_refused():
    fits = CLAIMS | {"arg": {"text": "x" * 2800}}
    assert len(wire.command(ROLE, fits)) <= wire.MAX_COMMAND
    with pytest.raises(HubError, match="OVERSIZED: command"):
        wire.command(ROLE, CLAIMS | {"arg": {"text": "x" * 2900}})


# -- letters -----------------------------------------------------------------------------------------------------


def test_letter_is_a_jwe_that_jwcrypto_opens_and_so_do_we(hub):
    raw = hub.report(ROLE.kid, 3, wh=12345)
    theirs = jwe.JWE()
    theirs.allowed_algs = ["ECDH-ES", "A128CBC-HS256"]
    theirs.deserialize(raw.decode(), jwk.JWK.from_pem(private_pem(ROLE)))
    letter = opened(hub, raw)
    assert wire.unseal(raw, ROLE).token == theirs.payload.decode()
    assert (letter.hub, letter.to, letter.n, letter.kind) == (hub.id, ROLE.kid, 1, "report")
    assert letter.body == {"schedule": 1, "seq": 3, "data": {"wh": 12345}}


def test_jwe_of_jwcrypto_is_opened(hub):
    public = jwk.JWK.from_pem(private_pem(ROLE)).export_public()
    signed = hub.sign(
        {"v": 1, "hub": hub.id, "to": ROLE.kid, "n": 9, "at": 1, "clock": "synced", "kind": "hello", "data": {}}
        | {"data": {"key": base64url.encode(hub.point)}}
    )
    head = {"alg": "ECDH-ES", "enc": "A128CBC-HS256", "typ": "mhc-letter"}
    made = jwe.JWE(signed.encode(), json.dumps(head), algs=["ECDH-ES", "A128CBC-HS256"])
    made.add_recipient(jwk.JWK.from_json(public))
    token = made.serialize(compact=True)
    assert opened(hub, token.encode()).n == 9


def test_receipt_is_the_mac_that_the_contract_says(hub):
    letter = opened(hub, hub.report(ROLE.kid, 1))
    ck = HKDF(hashes.SHA256(), 32, None, b"mhc1 received").derive(letter.cek)
    mac = hmac.new(ck, b"received" + (1).to_bytes(8, "big"), "sha256").digest()[:16]
    assert json.loads(wire.receipt(letter)) == {"n": 1, "mac": base64url.encode(mac)}
    assert hub.received(wire.receipt(letter))


def test_many_lists_in_an_answer_are_no_attack(hub):
    rows = [[1_800_000_000 + i, i] for i in range(100)]
    assert opened(hub, hub.report(ROLE.kid, 1, rows=rows)).body["data"]["rows"] == rows


def test_one_altered_bit_anywhere_is_found(hub):
    raw = hub.report(ROLE.kid, 1, wh=1)
    for i in range(0, len(raw), 7):
        spoiled = bytearray(raw)
        spoiled[i] ^= 1
        with pytest.raises(HubError):
            opened(hub, bytes(spoiled))
        with pytest.raises(HubError):
            opened(hub, raw[:i])


def test_letter_sealed_by_somebody_else_is_not_the_hubs(hub):
    thief = SimulatedHub([ROLE])
    forged = {"v": 1, "hub": hub.id, "to": ROLE.kid, "n": 1, "at": 1, "clock": "synced", "kind": "report"}
    token = thief.sign(forged | {"schedule": 1, "seq": 1, "data": {}}, {"kid": hub.id})
    raw, _ = sealed(token.encode(), wire.public_key(ROLE.point))
    assert refusal(hub, raw) == ("NOT_AUTHENTIC", "signature")


def test_letter_of_another_hub_or_for_another_role_is_refused(hub):
    other = SimulatedHub([ROLE, OTHER])
    assert refusal(hub, other.report(ROLE.kid, 1)) == ("NOT_AUTHENTIC", "signature")
    assert refusal(other, other.report(ROLE.kid, 1), by=hub.id) == ("WRONG_HUB", "hub")
    assert refusal(hub, hub.report(OTHER.kid, 1)) == ("NOT_AUTHENTIC", "tag")
    assert refusal(hub, hub.letter(ROLE.kid, "report", to=OTHER.kid, schedule=1, seq=1, data={})) == (
        "UNKNOWN_RECIPIENT",
        "to",
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"v": 2}, ("INVALID_VALUE", "v")),
        ({"n": 0}, ("INVALID_VALUE", "n")),
        ({"n": 1 << 53}, ("INVALID_VALUE", "n")),
        ({"at": -1}, ("INVALID_VALUE", "at")),
        ({"clock": "x" * 17}, ("MALFORMED", "clock")),
        ({"clock": "a\x00"}, ("MALFORMED", "clock")),
        ({"kind": "gossip"}, ("INVALID_VALUE", "kind")),
        ({"data": []}, ("MALFORMED", "data")),
        ({"seq": -1}, ("INVALID_VALUE", "seq")),
        ({"schedule": ""}, ("MALFORMED", "schedule")),
        ({"schedule": "\ud800"}, ("MALFORMED", "schedule")),
        ({"kind": "alert"}, ("MALFORMED", "event")),
        ({"kind": "alert", "event": "a\x00", "code": 1}, ("MALFORMED", "event")),
        ({"kind": "alert", "event": "a", "code": 1 << 16}, ("INVALID_VALUE", "code")),
        ({"kind": "alert", "event": "a", "code": 1, "detail": "x" * 257}, ("MALFORMED", "detail")),
        ({"kind": "answer", "re": "AAAA"}, ("MALFORMED", "re")),
        ({"kind": "answer", "re": "A" * 43, "ctr": True}, ("MALFORMED", "ctr")),
        ({"kind": "answer", "re": "A" * 43, "ctr": 1, "cmd": "a", "outcome": "maybe"}, ("INVALID_VALUE", "outcome")),
        (
            {"kind": "answer", "re": "A" * 43, "ctr": 1, "cmd": "a", "outcome": "refused", "error": "x" * 65},
            ("MALFORMED", "error"),
        ),
        ({"data": {"x": float("nan")}}, ("MALFORMED", "claims")),
    ],
)
def test_what_even_a_hub_may_not_say(hub, spoil, said):
    assert refusal(hub, hub.letter(ROLE.kid, "report", **({"schedule": 1, "seq": 1, "data": {}} | spoil))) == said


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"x" * (wire.MAX_LETTER + 1), ("OVERSIZED", "letter")),
        ("\u00e4".encode(), ("MALFORMED", "letter")),
        (b"", ("MALFORMED", "jwe")),
        (b"a.b.c.d.e", ("MALFORMED", "base64url")),
    ],
)
def test_junk_is_named(hub, raw, said):
    assert refusal(hub, raw) == said


def test_point_that_is_none_of_the_curve_is_refused(hub):
    head, *rest = hub.report(ROLE.kid, 1).split(b".")
    header = json.loads(base64url.decode(head.decode()))
    header["epk"]["y"] = header["epk"]["x"]
    spoiled = b".".join([base64url.encode(json.dumps(header).encode()).encode(), *rest])
    assert refusal(hub, spoiled) == ("BAD_POINT", "key")


@pytest.mark.parametrize("text", [b"[" * 2500, b"[1]", b"\xff", b"{", b'{"hub": 1e999'])
def test_claims_that_are_no_object_are_refused(hub, text):
    head = base64url.encode(json.dumps({"alg": "ES256", "kid": hub.id, "typ": "mhc-letter"}).encode())
    signed = f"{head}.{base64url.encode(text)}".encode()
    token = signed + b"." + base64url.encode(sign_with(hub, signed)).encode()
    raw, _ = sealed(token, wire.public_key(ROLE.point))
    assert refusal(hub, raw) == ("MALFORMED", "claims")


def sign_with(hub, signed):
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(hub._key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_wrong_type_of_seal_or_letter_is_refused(hub):
    token = hub.sign({"hub": hub.id}, {"typ": "mh-proof"})
    raw, _ = sealed(token.encode(), wire.public_key(ROLE.point))
    assert refusal(hub, raw) == ("WRONG_HUB", "hub")
    head, *rest = raw.split(b".")
    header = json.loads(base64url.decode(head.decode())) | {"typ": "other"}
    assert refusal(hub, b".".join([base64url.encode(json.dumps(header).encode()).encode(), *rest])) == (
        "MALFORMED",
        "typ",
    )


# -- a hub that nobody knows -----------------------------------------------------------------------------------------


def test_stranger_is_believed_by_the_key_that_gives_its_id(hub):
    letter = wire.read(wire.unseal(hub.hello(ROLE.kid, model="x"), ROLE), hub.id, ROLE.kid, None)
    assert letter.key == hub.point


def test_stranger_is_not_believed_otherwise(hub):
    thief = SimulatedHub([ROLE])

    def said(raw, by=hub.id):
        with pytest.raises(HubError) as caught:
            wire.read(wire.unseal(raw, ROLE), by, ROLE.kid, None)
        return caught.value.name, caught.value.field

    assert said(hub.report(ROLE.kid, 1)) == ("WRONG_HUB", "key")
    assert said(thief.hello(ROLE.kid)) == ("WRONG_HUB", "hub")
    own_key = {"data": {"key": base64url.encode(thief.point)}, "hub": hub.id}
    assert said(thief.letter(ROLE.kid, "hello", {"kid": hub.id}, **own_key)) == ("WRONG_HUB", "key")
    its_key = {"data": {"key": base64url.encode(hub.point)}, "hub": hub.id}
    assert said(thief.letter(ROLE.kid, "hello", {"kid": hub.id}, **its_key)) == ("NOT_AUTHENTIC", "signature")


def test_nothing_secret_is_shown(hub):
    letter = opened(hub, hub.report(ROLE.kid, 1))
    unsealed = wire.unseal(hub.report(ROLE.kid, 2), ROLE)
    assert letter.cek.hex() not in repr(letter) and repr(letter.cek) not in repr(letter)
    assert repr(unsealed.cek) not in repr(unsealed)
    assert repr(ROLE) == f"<Role {ROLE.kid}>"
