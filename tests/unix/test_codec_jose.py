"""Compact JWS and JWE: what is taken apart, what is refused and under which name, and that nothing else escapes."""

import random
import unittest

from crypto_vectors import error_of

from meterhub.codec import base64url, jose, jose_es
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


EPK = b"\x04" + bytes(range(64))
X, Y = base64url.encode(EPK[1:33]), base64url.encode(EPK[33:])
KEY = '{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}' % (X, Y)
AGREED = '{"alg":"ECDH-ES","enc":"A128CBC-HS256","epk":' + KEY + ',"typ":"t"}'


def agreed_error(token, limit=2048):
    return error_of(jose_es.token_parts, token, limit)


class AgreedJWETest(unittest.TestCase):
    def test_what_is_sealed_is_unsealed_again(self):
        token = str(jose_es.seal_token("a-letter", EPK, b"plaintext", CEK, IV, aead.seal), "utf-8")
        typ, epk, aad, iv, ciphertext, tag = jose_es.token_parts(token, len(token))
        self.assertEqual((typ, epk), ("a-letter", EPK))
        self.assertEqual(aad, token.partition(".")[0].encode())
        self.assertEqual(aead.unseal(CEK, iv, aad, ciphertext, tag), b"plaintext")
        self.assertEqual(agreed_error(token, len(token) - 1), ("OVERSIZED", "jwe"))

    def test_one_kind_is_not_taken_for_the_other(self):
        self.assertIsNone(agreed_error(jwe(AGREED)))
        self.assertEqual(agreed_error(jwe()), ("MALFORMED", "alg"))
        self.assertEqual(jwe_error(jwe(AGREED)), ("MALFORMED", "header"))

    def test_another_algorithm_is_refused(self):
        for alg in ("dir", "none", "ECDH-ES+A128KW", "RSA-OAEP", "ecdh-es", ""):
            self.assertEqual(agreed_error(jwe(AGREED.replace("ECDH-ES", alg))), ("MALFORMED", "alg"))
        for enc in ("A128GCM", "A256CBC-HS512", ""):
            self.assertEqual(agreed_error(jwe(AGREED.replace("A128CBC-HS256", enc))), ("MALFORMED", "enc"))

    def test_a_header_has_four_members_and_no_other(self):
        for more in ('"zip":"DEF"', '"crit":["exp"]', '"apu":"QQ"', '"apv":"QQ"', '"kid":"a"', '"jwk":{}'):
            self.assertEqual(agreed_error(jwe("{" + more + "," + AGREED[1:])), ("MALFORMED", "header"))
            without = AGREED.replace('"typ":"t"', more)
            self.assertEqual(agreed_error(jwe(without)), ("MALFORMED", "header"))
        for typ in ("1", "null", "{}", '["t"]'):
            self.assertEqual(agreed_error(jwe(AGREED.replace('"t"}', typ + "}"))), ("MALFORMED", "header"))

    def test_a_key_of_another_kind_is_refused(self):
        for old, new in (
            ('"EC"', '"OKP"'),
            ('"P-256"', '"P-384"'),
            ('"P-256"', '"secp256k1"'),
            ('"P-256"', '"X25519"'),
            ('"P-256"', "null"),
            ('"kty":"EC",', '"kty":"EC","d":"AA",'),
            ('"kty":"EC",', ""),
            (',"y":"%s"' % Y, ""),
            ('"%s"' % X, "7"),
            ('"%s"' % X, '["%s"]' % X),
            (X, base64url.encode(EPK[1:32])),
            (Y, base64url.encode(b"\x00" + EPK[33:])),
            (Y, ""),
        ):
            self.assertTrue(old in AGREED)
            self.assertEqual(agreed_error(jwe(AGREED.replace(old, new))), ("MALFORMED", "epk"))
        for epk in ("null", "7", '"EC"', "[]", "{}"):
            header = '{"alg":"ECDH-ES","enc":"A128CBC-HS256","epk":%s,"typ":"t"}' % epk
            self.assertEqual(agreed_error(jwe(header)), ("MALFORMED", "epk"))

    def test_a_point_has_one_form(self):
        for bad in (X + "=", X[:-1] + "9", X[:-1] + " "):
            self.assertEqual(agreed_error(jwe(AGREED.replace(X, bad))), ("MALFORMED", "base64url"))

    def test_parts_of_another_length_are_refused(self):
        self.assertEqual(agreed_error(jwe(AGREED, key="QQ")), ("MALFORMED", "encrypted key"))
        self.assertEqual(agreed_error(jwe(AGREED, iv=bytes(12))), ("MALFORMED", "iv"))
        self.assertEqual(agreed_error(jwe(AGREED, tag=bytes(15))), ("MALFORMED", "tag"))
        self.assertEqual(agreed_error(jwe(AGREED, ciphertext=bytes(17))), ("MALFORMED", "ciphertext"))
        self.assertEqual(agreed_error(jws()), ("MALFORMED", "jwe"))


class FuzzTest(unittest.TestCase):
    def test_nothing_but_hub_errors_comes_out_of_damaged_tokens(self):
        random.seed(3)
        good = (jws('{"alg":"ES256","kid":"a"}', '{"a":[1,{"b":null}],"c":-1.5e3}'), jwe(), jwe(AGREED))
        for i in range(3000):
            token = list(good[i % 3])
            for _ in range(1 + random.getrandbits(2)):
                token[random.randrange(len(token))] = random.choice("AQgw159_-. {\u20ac")
            text = "".join(token)[: random.randrange(len(token)) if i % 5 == 0 else None]
            for take in (jose.jws_claims, jose.jwe_parts, jose_es.token_parts):
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
