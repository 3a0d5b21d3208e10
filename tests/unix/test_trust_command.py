"""Commands from outside: whatever is wrong is refused by name, and first what is cheap to find."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from meterhub.codec import base64url, jose
from meterhub.crypto import ecdsa, p256
from meterhub.crypto.drbg import Drbg
from meterhub.crypto.steps import run
from meterhub.errors import HubError
from meterhub.trust import command
from meterhub.trust.identity import Identity

DRBG = Drbg(b"\x0d" * 48)
AT = 1790000000
HUB = "0123456789ABCDEF"


def party():
    scalar = DRBG.scalar()
    return Identity(scalar, p256.encode_point(run(ecdsa.public_point(scalar))), DRBG)


SUP, OTHER = party(), party()
ENTRY = [SUP.hub, "SUP", base64url.encode(SUP.public), "The supplier", 5, 0]
GOOD = {"v": 1, "hub": HUB, "ctr": 7, "iat": AT, "exp": AT + 60, "cmd": "set.tariff_price", "arg": {"a": 1}}


def claims(**changes):
    """Return the claims of a good command with changes; None: without that claim."""
    full = dict(GOOD)
    full.update(changes)
    return {name: value for name, value in full.items() if value is not None}


def unsigned(header=None, **changes):
    """Return a command that nobody has signed."""
    head = {"alg": "ES256", "kid": SUP.hub, "typ": "cmd+jws"}
    head.update(header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jose.jws_join(jose.jws_input(head, claims(**changes)), bytes(64))


class StructureTest(unittest.TestCase):
    def refusal(self, token):
        try:
            command.claims_of(token)
        except HubError as err:
            return str(err)
        return ""

    def test_what_is_right_is_taken_apart(self):
        self.assertEqual(command.claims_of(unsigned()), (SUP.hub, GOOD))
        self.assertEqual(self.refusal(unsigned(at=0)), "")
        self.assertEqual(self.refusal(unsigned(at=AT)), "")

    def test_every_claim_that_is_not_as_it_must_be_is_named(self):
        for name, values in (
            ("v", (None, 0, 2, "1", True)),
            ("hub", (None, "", "x" * 17, 5)),
            ("ctr", (None, 0, -1, 1 << 53, "7", True, 1.5)),
            ("iat", (None, -1, (1 << 33) + 1, "", False)),
            ("exp", (None, -1, (1 << 33) + 1, [])),
            ("cmd", (None, "", "x" * 33, 7, "Set.clock", "set clock", "set.clock\n", "rm-r", "\u00e4")),
            ("arg", (None, [], "", 7)),
            ("at", (-1, (1 << 33) + 1, "now", True)),
        ):
            for value in values:
                said = self.refusal(unsigned(**{name: value}))
                self.assertTrue(said in ("MALFORMED: " + name, "INVALID_VALUE: " + name), (name, value, said))

    def test_a_claim_or_a_header_that_is_not_there_for_it_is_refused(self):
        self.assertEqual(self.refusal(unsigned(role="ROOT")), "MALFORMED: claims")
        for header in ({"typ": "mh-time"}, {"typ": None}, {"kid": None}, {"cty": "x"}):
            self.assertEqual(self.refusal(unsigned(header)), "MALFORMED: header")
        self.assertEqual(self.refusal(unsigned({"kid": "x" * 17})), "MALFORMED: kid")
        for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": None}):
            self.assertEqual(self.refusal(unsigned(header)), "MALFORMED: alg")
        self.assertEqual(self.refusal(unsigned({"jwk": "x"})), "MALFORMED: header")

    def test_what_is_no_token_is_refused(self):
        good = unsigned()
        for token in ("", ".", "a.b.c", good + ".", good[:-1], good.replace(".", "", 1), "\u00e4" + good, None, 5):
            self.assertTrue(self.refusal(token).startswith("MALFORMED"), token)
        self.assertEqual(self.refusal(good + "A" * 4096), "OVERSIZED: jws")
        nested = unsigned(arg={"a": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]})
        self.assertEqual(self.refusal(nested), "MALFORMED: claims")

    def test_a_command_cut_off_anywhere_is_refused_by_name(self):
        good = unsigned()
        for size in range(0, len(good), 7):
            self.assertTrue(self.refusal(good[:size]) != "", size)


class AuthenticTest(unittest.TestCase):
    def opened(self, token, hub=HUB, entry=ENTRY):
        try:
            return run(command.authentic(token, hub, lambda kid: entry if kid == SUP.hub else None))
        except HubError as err:
            return str(err)

    def test_signed_by_its_key_for_this_hub(self):
        self.assertEqual(self.opened(run(SUP.sign("cmd+jws", GOOD))), (SUP.hub, ENTRY, GOOD))

    def test_who_it_is_for_and_from_is_looked_at_before_any_arithmetic(self):
        self.assertEqual(self.opened(unsigned(hub="0" * 16)), "WRONG_HUB: hub")
        self.assertEqual(self.opened(run(OTHER.sign("cmd+jws", GOOD))), "UNKNOWN_RECIPIENT: kid")

    def test_any_bit_that_is_not_as_it_was_signed_is_found(self):
        token = run(SUP.sign("cmd+jws", GOOD))
        forged = jose.jws_join(
            jose.jws_input({"alg": "ES256", "kid": SUP.hub, "typ": "cmd+jws"}, claims(ctr=8)), bytes(64)
        )
        head, body, signature = token.split(".")
        other = run(OTHER.sign("cmd+jws", GOOD)).split(".")[2]
        again = run(SUP.sign("cmd+jws", claims(ctr=9))).split(".")[2]
        for one in (forged, ".".join((head, body, other)), ".".join((head, body, again))):
            self.assertEqual(self.opened(one), "NOT_AUTHENTIC: jws")
        raw = bytearray(base64url.decode(signature))
        for at in (0, 31, 32, 63):
            raw[at] ^= 1
            self.assertEqual(self.opened(".".join((head, body, base64url.encode(raw)))), "NOT_AUTHENTIC: jws")
            raw[at] ^= 1

    def test_the_hash_is_that_of_the_whole_command(self):
        self.assertEqual(command.hash_of("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")  # FIPS 180-4


class PermittedTest(unittest.TestCase):
    def outcome(self, newest=0, now=AT, entry=ENTRY, **changes):
        try:
            return command.permitted(entry[0], entry, claims(**changes), "h", newest, now)
        except command.Refused as err:
            self.assertEqual((err.kid, err.ctr, err.h), (entry[0], changes.get("ctr", 7), "h"))
            return str(err)

    def test_what_is_permitted_is_known_by_its_transaction(self):
        taken = self.outcome()
        self.assertEqual((taken.kid, taken.role, taken.since, taken.ctr, taken.h), (SUP.hub, "SUP", 5, 7, "h"))
        self.assertEqual((taken.cmd, taken.arg, taken.at), ("set.tariff_price", {"a": 1}, None))
        self.assertEqual((taken.service, taken.consent), ("tariffs", False))

    def test_each_check_and_their_order(self):
        late = ["x", "DNO", "", "", 0, AT]
        for said, changes in (
            ("REPLAY: ctr", {"newest": 7, "entry": late}),
            ("REVOKED: kid", {"entry": late, "cmd": "read.nothing"}),
            ("INVALID_VALUE: exp", {"exp": AT - 1, "iat": AT}),
            ("INVALID_VALUE: exp", {"exp": AT + 604801}),
            ("INVALID_VALUE: iat", {"iat": AT + 301, "exp": AT + 302}),
            ("EXPIRED: exp", {"iat": AT - 9, "exp": AT - 1}),
            ("UNSUPPORTED: cmd", {"cmd": "read.nothing"}),
            ("NOT_AUTHORISED: cmd", {"cmd": "set.voltage_config"}),
            ("UNSUPPORTED: cmd", {"cmd": "read.balance"}),
            ("INVALID_VALUE: at", {"cmd": "read.tariff", "at": AT + 60}),
            ("CLOCK_INVALID: unset", {"now": 0}),
        ):
            self.assertEqual(self.outcome(**changes), said)

    def test_a_command_that_is_refused_for_no_reason_but_the_edge(self):
        for changes in (
            {"newest": 6},
            {"exp": AT, "iat": AT},
            {"exp": AT + 604800},
            {"iat": AT + 300, "exp": AT + 300},
            {"at": AT + 60},
            {"at": 0},
        ):
            self.assertEqual(self.outcome(**changes).ctr, 7)

    def test_without_a_clock_no_time_is_judged_and_nothing_critical_is_done(self):
        self.assertEqual(self.outcome(now=0, cmd="read.tariff", iat=1, exp=2).cmd, "read.tariff")
        self.assertEqual(self.outcome(now=0, cmd="set.clock", iat=1, exp=2).cmd, "set.clock")
        self.assertEqual(self.outcome(now=0, cmd="supply.disable"), "CLOCK_INVALID: unset")

    def test_a_consent_that_is_needed_is_said(self):
        self.assertTrue(self.outcome(entry=["x", "ESP", "", "", 0, 0], cmd="read.tariff").consent)


if __name__ == "__main__":
    unittest.main()
