"""Letters of a hub to the holder of a role's key: what is opened, what is refused, and what says that it is there."""

import unittest

from crypto_vectors import error_of

from meterhub.codec import base64url, jose, jose_es
from meterhub.crypto import aead, ecdh_es, ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.trust import identity, letter, letter_opener

DRBG = Drbg(bytes(48))
D = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
PUBLIC = p256.encode_point(run(ecdsa.public_point(D)))
HUB = identity.Identity(D + 5, p256.encode_point(run(ecdsa.public_point(D + 5))), DRBG)
OTHER = identity.Identity(D + 6, p256.encode_point(run(ecdsa.public_point(D + 6))), DRBG)
RE = "A" * 43
COMMON = {"v": 1, "hub": HUB.hub, "to": identity.hub_id(PUBLIC), "n": 7, "at": 1790000000, "clock": "set", "data": {}}
ANSWER = {"kind": "answer", "re": RE, "ctr": 1, "cmd": "info.read", "outcome": "done", "error": "", "field": ""}
ALERT = {"kind": "alert", "event": "TAMPER", "code": 0x81A0, "detail": ""}
REPORT = {"kind": "report", "schedule": "daily", "seq": 3}
HELLO = {"kind": "hello"}


def claims(*more):
    found = dict(COMMON)
    for each in more:
        found.update(each)
    return found


def sealed(found, me=HUB, typ="mhc-letter"):
    token, key = run(letter.seal(run(me.sign(typ, found)), PUBLIC, DRBG))
    return str(token, "utf-8"), key


def opened(token, d=D, public=PUBLIC, hub_public=HUB.public):
    return run(letter_opener.opened(token, d, public, hub_public))


def refusal(token, d=D, public=PUBLIC, hub_public=HUB.public):
    return error_of(opened, token, d, public, hub_public)


class OpenTest(unittest.TestCase):
    def test_all_kinds_are_opened(self):
        for kind in (ANSWER, ALERT, REPORT, HELLO):
            token, key = sealed(claims(kind, {"data": {"a": [1, "\u20ac"]}}))
            self.assertEqual(opened(token), (claims(kind, {"data": {"a": [1, "\u20ac"]}}), key))

    def test_a_long_letter(self):
        token, _ = sealed(claims(ANSWER, {"data": {"readings": "0123456789" * 150}}))
        self.assertTrue(3000 < len(token) < letter.MAX_LETTER)
        self.assertTrue(opened(token)[0]["data"]["readings"] == "0123456789" * 150)

    def test_a_letter_that_is_too_long_is_not_sealed(self):
        steps = letter.seal("A" * (letter.MAX_SIGNED + 1), PUBLIC, DRBG)
        self.assertEqual(error_of(next, steps), ("OVERSIZED", "letter"))  # before any work

    def test_a_letter_sealed_again_has_another_key(self):
        signed = run(HUB.sign("mhc-letter", claims(HELLO)))
        (first, key), (second, other) = (run(letter.seal(signed, PUBLIC, DRBG)) for _ in range(2))
        self.assertNotEqual(first, second)
        self.assertNotEqual(key, other)
        self.assertEqual(opened(str(second, "utf-8"))[1], other)

    def test_the_key_of_a_role_must_be_a_point(self):
        signed = run(HUB.sign("mhc-letter", claims(HELLO)))
        self.assertEqual(error_of(lambda: run(letter.seal(signed, bytes(65), DRBG))), ("BAD_POINT", ""))

    def test_the_header_is_exactly_what_it_is_said_to_be(self):
        token, _ = sealed(claims(HELLO))
        header = jose.json_object(token.partition(".")[0], "header")
        self.assertEqual(sorted(header), ["alg", "enc", "epk", "typ"])
        self.assertEqual(sorted(header["epk"]), ["crv", "kty", "x", "y"])
        self.assertEqual((header["alg"], header["enc"], header["typ"]), ("ECDH-ES", "A128CBC-HS256", "mhc-letter"))
        self.assertEqual((header["epk"]["kty"], header["epk"]["crv"]), ("EC", "P-256"))


class RefusalTest(unittest.TestCase):
    def test_who_has_another_key_cannot_open_it(self):
        token, _ = sealed(claims(HELLO))
        self.assertEqual(refusal(token, D + 1), ("NOT_AUTHENTIC", "tag"))

    def test_any_part_that_was_changed(self):
        token, _ = sealed(claims(HELLO))
        for at in (5, len(token) // 2, len(token) - 30, len(token) - 2):
            other = "A" if token[at] != "A" else "B"
            self.assertTrue(refusal(token[:at] + other + token[at + 1 :])[0] in ("MALFORMED", "NOT_AUTHENTIC"))
        self.assertEqual(refusal(token[:-1]), ("MALFORMED", "base64url"))
        self.assertEqual(refusal(token + "A" * letter.MAX_LETTER), ("OVERSIZED", "jwe"))

    def test_a_point_beside_the_curve(self):
        cek = bytes(32)
        epk = PUBLIC[:64] + bytes((PUBLIC[64] ^ 1,))
        token = jose_es.seal_token("mhc-letter", epk, b"x", cek, bytes(16), aead.seal)
        self.assertEqual(refusal(str(token, "utf-8")), ("BAD_POINT", ""))

    def test_what_is_not_signed_by_this_hub(self):
        self.assertEqual(refusal(sealed(claims(HELLO), OTHER)[0]), ("WRONG_HUB", "kid"))
        liar = identity.Identity(D + 6, HUB.public, DRBG)  # names the hub, and has another key
        self.assertEqual(refusal(sealed(claims(HELLO), liar)[0]), ("NOT_AUTHENTIC", "jws"))
        self.assertEqual(refusal(sealed(claims(HELLO, {"hub": OTHER.hub}))[0]), ("WRONG_HUB", "hub"))

    def test_a_letter_that_was_sealed_for_another_and_sent_on(self):
        token, _ = sealed(claims(HELLO, {"to": OTHER.hub}))
        self.assertEqual(refusal(token), ("UNKNOWN_RECIPIENT", "to"))

    def test_what_is_no_letter(self):
        def around(plaintext, typ="mhc-letter"):
            epk, cek = run(ecdh_es.cek_to(PUBLIC, DRBG))
            return str(jose_es.seal_token(typ, epk, plaintext, cek, bytes(16), aead.seal), "utf-8")

        signed = run(HUB.sign("mhc-letter", claims(HELLO))).encode()
        self.assertEqual(refusal(around(signed, "mhc-other")), ("MALFORMED", "typ"))
        for plaintext in (b"", b"x", b"\xff\xfe", signed + b"."):
            self.assertEqual(refusal(around(plaintext)), ("MALFORMED", "jws"))
        self.assertEqual(refusal(sealed(claims(HELLO), HUB, "mh-items")[0]), ("MALFORMED", "header"))
        head = {"alg": "ES256", "kid": HUB.hub, "typ": "mhc-letter", "cty": "a"}
        more = jose.jws_join(jose.jws_input(head, claims(HELLO)), bytes(64)).encode()
        self.assertEqual(refusal(around(more)), ("MALFORMED", "header"))

    def test_claims_of_another_form(self):
        for kind, name, value, error in (
            (HELLO, "v", 2, "INVALID_VALUE"),
            (HELLO, "n", 0, "INVALID_VALUE"),
            (HELLO, "n", 1 << 53, "INVALID_VALUE"),
            (HELLO, "n", True, "MALFORMED"),
            (HELLO, "at", -1, "INVALID_VALUE"),
            (HELLO, "clock", "", "MALFORMED"),
            (HELLO, "kind", "other", "INVALID_VALUE"),
            (HELLO, "kind", ["hello"], "INVALID_VALUE"),
            (HELLO, "data", [], "MALFORMED"),
            (ANSWER, "re", "AAAA", "MALFORMED"),
            (ANSWER, "outcome", "maybe", "INVALID_VALUE"),
            (ANSWER, "ctr", "1", "MALFORMED"),
            (ANSWER, "cmd", 1, "MALFORMED"),
            (ANSWER, "error", None, "MALFORMED"),
            (ANSWER, "field", 0, "MALFORMED"),
            (ALERT, "code", -1, "INVALID_VALUE"),
            (ALERT, "event", 1, "MALFORMED"),
            (ALERT, "detail", 1, "MALFORMED"),
            (REPORT, "schedule", 1, "MALFORMED"),
            (REPORT, "seq", -1, "INVALID_VALUE"),
        ):
            self.assertEqual(refusal(sealed(claims(kind, {name: value}))[0]), (error, name))


class ReceivedTest(unittest.TestCase):
    def test_the_mac_that_was_worked_out_by_other_means(self):
        # cryptography 50: HKDF(SHA256(), 32, None, b"mhc1 received"), then HMAC
        key = letter.received_key(bytes(range(32)))
        self.assertEqual(key.hex(), "2ead0fbae2f8d5cb0a231e0ed834c7e4ba13825d7d050b2e85be2e93698bf9e5")
        self.assertEqual(letter.received_mac(key, 258).hex(), "5a958608696165eec98d05208ebb5bb3")

    def test_it_is_for_one_letter_and_one_number(self):
        first, second = sealed(claims(HELLO)), sealed(claims(HELLO))
        macs = {letter.received_mac(opened(token)[1], n) for token, _ in (first, second) for n in (7, 8)}
        self.assertEqual(len(macs), 4)
        self.assertTrue(letter.received_mac(first[1], 7) in macs)

    def test_the_answer_names_the_command(self):
        self.assertEqual(letter_opener.command_hash("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
        self.assertEqual(len(base64url.decode(letter_opener.command_hash("abc"))), 32)


if __name__ == "__main__":
    unittest.main()
