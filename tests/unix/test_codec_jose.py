"""Compact JWS and JWE: what is taken apart, what is refused and under which name, and that nothing else escapes."""

import random
import unittest

from crypto_vectors import error_of

from meterhub.codec import base64url, jose
from meterhub.crypto import aead
from meterhub.errors import HubError

SIGNATURE = base64url.encode(bytes(range(64)))
CEK = bytes(range(32))
IV = bytes(16)


def part(text):
    return base64url.encode(text.encode())


def jws(header='{"alg":"ES256"}', claims='{"a":1}', signature=SIGNATURE):
    return part(header) + "." + part(claims) + "." + signature


def jwe(header='{"alg":"dir","enc":"A128CBC-HS256"}', key="", iv=IV, ciphertext=bytes(32), tag=bytes(16)):
    return ".".join((part(header), key, base64url.encode(iv), base64url.encode(ciphertext), base64url.encode(tag)))


def jws_error(token, limit=2048):
    return error_of(jose.jws_claims, token, limit)


def jwe_error(token, limit=2048):
    return error_of(jose.jwe_parts, token, limit)


class JWSTest(unittest.TestCase):
    def test_what_is_joined_is_taken_apart_again(self):
        header, claims = {"alg": "ES256", "kid": "k\u00e9y"}, {"n": 1, "list": ["a", True, None], "t": "\u20ac"}
        signing_input = jose.jws_input(header, claims)
        token = jose.jws_join(signing_input, bytes(range(64)))
        self.assertEqual(jose.jws_claims(token, len(token)), (header, claims))
        self.assertEqual(jose.jws_parts(token), (signing_input, bytes(range(64))))
        self.assertFalse(b" " in base64url.decode(token.split(".")[1]))

    def test_one_character_too_many_is_oversized(self):
        token = jws()
        self.assertIsNone(jws_error(token, len(token)))
        self.assertEqual(jws_error(token, len(token) - 1), ("OVERSIZED", "jws"))

    def test_another_algorithm_is_refused(self):
        for alg in ('"none"', '"None"', '"HS256"', '"ES384"', '"es256"', '""', '"ES256 "'):
            self.assertEqual(jws_error(jws('{"alg":%s}' % alg)), ("MALFORMED", "alg"))
        self.assertEqual(jws_error(jws('{"kid":"a"}')), ("MALFORMED", "alg"))

    def test_headers_that_bring_keys_or_meanings_along_are_refused(self):
        for name in ("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip"):
            self.assertEqual(jws_error(jws('{"alg":"ES256","%s":"a"}' % name)), ("MALFORMED", "header"))
        for value in ("1", "null", "true", '["ES256"]', '{"a":"b"}'):
            self.assertEqual(jws_error(jws('{"alg":"ES256","kid":%s}' % value)), ("MALFORMED", "header"))
        self.assertEqual(jws_error(jws('{"alg":["ES256"]}')), ("MALFORMED", "header"))

    def test_parts_that_are_no_objects_are_refused(self):
        for text in ("", "[]", '"ES256"', "1", "{", "}", "null", '{"alg":"ES256"}}', '{"alg":"ES256"} x', "\x00"):
            # MicroPython's parser takes some unbalanced brackets for an empty object
            self.assertIn(jws_error(jws(text)), (("MALFORMED", "header"), ("MALFORMED", "alg")))
        for text in ("", "[1]", "7", '"a"', "true"):
            self.assertEqual(jws_error(jws(claims=text)), ("MALFORMED", "claims"))
        for raw in (b'{"\xff":1}', b'{"a":"\xe2\x82"}'):
            token = part('{"alg":"ES256"}') + "." + base64url.encode(raw) + "." + SIGNATURE
            self.assertEqual(jws_error(token), ("MALFORMED", "claims"))

    def test_deep_nesting_is_refused_before_it_is_parsed(self):
        self.assertEqual(jws_error(jws(claims='{"a":' + "[" * 600 + "]" * 600 + "}")), ("MALFORMED", "claims"))
        self.assertEqual(jws_error(jws(claims='{"a":' * 600 + "1" + "}" * 600), 9999), ("MALFORMED", "claims"))

    def test_the_wrong_number_of_parts_is_refused(self):
        for token in (
            "",
            ".",
            "..",
            "...",
            jws()[:-1],
            jws() + ".",
            jws() + ".a",
            "." + jws(),
            jws().replace(".", ""),
        ):
            self.assertTrue(jws_error(token)[0] == "MALFORMED")
        for token in (None, 7, b"a.b.c", ["a", "b", "c"]):
            self.assertEqual(jws_error(token), ("MALFORMED", "jws"))

    def test_a_signature_of_another_length_is_refused(self):
        for n in (0, 63, 65, 128):
            token = jws(signature=base64url.encode(bytes(n)))
            self.assertEqual(jws_error(token), ("MALFORMED", "signature"))
            self.assertEqual(error_of(jose.jws_parts, token), ("MALFORMED", "signature"))
        self.assertEqual(jws_error(jws(signature=SIGNATURE + "=")), ("MALFORMED", "base64url"))


class JWETest(unittest.TestCase):
    def test_what_is_sealed_is_unsealed_again(self):
        token = str(jose.jwe_seal({"rid": "a", "seq": 7, "last": False}, b"plaintext", CEK, IV, aead.seal), "utf-8")
        header, aad, iv, ciphertext, tag = jose.jwe_parts(token, len(token))
        self.assertEqual(header, {"alg": "dir", "enc": "A128CBC-HS256", "rid": "a", "seq": 7, "last": False})
        self.assertEqual(aad, token.partition(".")[0].encode())
        self.assertEqual(aead.unseal(CEK, iv, aad, ciphertext, tag), b"plaintext")

    def test_no_header_can_change_the_algorithm(self):
        token = str(jose.jwe_seal({"alg": "none", "enc": "A256GCM"}, b"", CEK, IV, aead.seal), "utf-8")
        self.assertIsNone(jwe_error(token))

    def test_another_algorithm_is_refused(self):
        for header, field in (
            ('{"alg":"ECDH-ES","enc":"A128CBC-HS256"}', "alg"),
            ('{"enc":"A128CBC-HS256"}', "alg"),
            ('{"alg":"dir","enc":"A128GCM"}', "enc"),
            ('{"alg":"dir"}', "enc"),
            ('{"alg":"dir","enc":"A128CBC-HS256","zip":"DEF"}', "header"),
            ('{"alg":"dir","enc":"A128CBC-HS256","epk":{}}', "header"),
            ('{"alg":"dir","enc":"A128CBC-HS256","seq":null}', "header"),
        ):
            self.assertEqual(jwe_error(jwe(header)), ("MALFORMED", field))

    def test_parts_of_another_length_are_refused(self):
        self.assertIsNone(jwe_error(jwe()))
        self.assertEqual(jwe_error(jwe(key="QQ")), ("MALFORMED", "encrypted key"))
        for n in (0, 12, 15, 17, 32):
            self.assertEqual(jwe_error(jwe(iv=bytes(n))), ("MALFORMED", "iv"))
            self.assertEqual(jwe_error(jwe(tag=bytes(n))), ("MALFORMED", "tag"))
        for n in (0, 1, 15, 17):
            self.assertEqual(jwe_error(jwe(ciphertext=bytes(n))), ("MALFORMED", "ciphertext"))
        self.assertEqual(jwe_error(jwe(), len(jwe()) - 1), ("OVERSIZED", "jwe"))
        self.assertEqual(jwe_error(jws()), ("MALFORMED", "jwe"))


class FuzzTest(unittest.TestCase):
    def test_nothing_but_hub_errors_comes_out_of_damaged_tokens(self):
        random.seed(3)
        good = (jws('{"alg":"ES256","kid":"a"}', '{"a":[1,{"b":null}],"c":-1.5e3}'), jwe())
        for i in range(2000):
            token = list(good[i & 1])
            for _ in range(1 + random.getrandbits(2)):
                token[random.randrange(len(token))] = random.choice("AQgw159_-. {\u20ac")
            text = "".join(token)[: random.randrange(len(token)) if i % 5 == 0 else None]
            for take in (jose.jws_claims, jose.jwe_parts):
                try:
                    take(text, 1000)
                except HubError as exc:
                    self.assertEqual(exc.name, "MALFORMED")

    def test_nothing_but_hub_errors_comes_out_of_damaged_json(self):
        random.seed(4)
        text = '{"alg":"ES256","n":[1,-2.5e1,true,null],"t":"\\u20ac\\n"}'
        for _ in range(2000):
            damaged = list(text)
            for _ in range(1 + random.getrandbits(2)):
                damaged[random.randrange(len(damaged))] = random.choice('"{}[]:,\\ue-+.0nN\x00\x7f')
            try:
                jose.jws_claims(jws(claims="".join(damaged)), 1000)
            except HubError as exc:
                self.assertEqual(exc.name, "MALFORMED")


if __name__ == "__main__":
    unittest.main()
