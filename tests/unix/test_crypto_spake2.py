"""SPAKE2: RFC 9382's runs, a wrong password, and shares that are none."""

import unittest

from crypto_vectors import blocks, error_of, integer

from meterhub.crypto import p256, spake2
from meterhub.crypto.equal import equal
from meterhub.crypto.spake2 import Spake2
from meterhub.crypto.steps import run

W, X, Y = 0x1234567, 0xABCDEF << 200, 3 << 250
IDS = (b"mhx1 client", b"mhx1 hub 0123456789ABCDEF")


def finish(side, peer, aad=b""):
    return run(side.finish(peer, aad))


class VectorTest(unittest.TestCase):
    def test_rfc_9382_appendix_b(self):
        seen = 0
        for block in blocks("spake2_rfc9382.txt"):
            ids = (block["A"].encode(), block["B"].encode())
            a = Spake2("A", integer(block["w"]), integer(block["x"]), *ids)
            b = Spake2("B", integer(block["w"]), integer(block["y"]), *ids)
            self.assertEqual(run(a.share()).hex(), block["pA"])
            self.assertEqual(run(b.share()).hex(), block["pB"])
            of_a = finish(a, bytes.fromhex(block["pB"]))
            of_b = finish(b, bytes.fromhex(block["pA"]))
            self.assertEqual((of_a.ke.hex(), of_b.ke.hex()), (block["Ke"], block["Ke"]))
            self.assertEqual((of_a.confirm_mine.hex(), of_a.confirm_theirs.hex()), (block["cA"], block["cB"]))
            self.assertEqual((of_b.confirm_mine.hex(), of_b.confirm_theirs.hex()), (block["cB"], block["cA"]))
            seen += 1
        self.assertEqual(seen, 4)

    def test_m_and_n_are_points(self):
        for point in (spake2.M, spake2.N):
            self.assertTrue(p256.on_curve(*point))


class RunTest(unittest.TestCase):
    def agree(self, a, b, aad_a=b"", aad_b=b""):
        of_a = finish(a, run(b.share()), aad_a)
        of_b = finish(b, run(a.share()), aad_b)
        confirmed = (
            equal(of_a.confirm_theirs, of_b.confirm_mine),
            equal(of_b.confirm_theirs, of_a.confirm_mine),
        )
        return of_a.ke == of_b.ke, confirmed

    def test_both_sides_agree(self):
        a, b = Spake2("A", W, X, *IDS), Spake2("B", W, Y, *IDS)
        run(b.precompute())
        self.assertEqual(self.agree(a, b, b"aad", b"aad"), (True, (True, True)))

    def test_what_differs_is_not_confirmed(self):
        a = Spake2("A", W, X, *IDS)
        self.assertEqual(self.agree(a, Spake2("B", W + 1, Y, *IDS)), (False, (False, False)))
        self.assertEqual(self.agree(a, Spake2("B", W, Y, IDS[1], IDS[0])), (False, (False, False)))
        # the AAD goes into the confirmations only (RFC 9382 section 4)
        self.assertEqual(self.agree(a, Spake2("B", W, Y, *IDS), b"aad", b""), (True, (False, False)))

    def test_the_share_is_computed_once_and_does_not_change(self):
        b = Spake2("B", W, Y, *IDS)
        first = run(b.share())
        self.assertEqual(len(first), 65)
        run(b.precompute())
        self.assertEqual(list(b.precompute()), [])
        self.assertEqual(run(b.share()), first)

    def test_nothing_is_left_to_precompute_in_finish(self):
        peer = run(Spake2("A", W, X, *IDS).share())
        fresh, ready = Spake2("B", W, Y, *IDS), Spake2("B", W, Y, *IDS)
        run(ready.precompute())
        self.assertTrue(len(list(ready.finish(peer, b""))) + 15 < len(list(fresh.finish(peer, b""))))


class RefusalTest(unittest.TestCase):
    def test_shares_that_are_no_points(self):
        b = Spake2("B", W, Y, *IDS)
        good = p256.encode_point(p256.G)
        for peer in (b"", b"\x00", bytes(65), good[:-1], good + b"\x00", b"\x02" + good[1:33], good[:-1] + b"\x00"):
            self.assertEqual(error_of(finish, b, peer), ("BAD_POINT", ""))

    def test_the_passwords_own_point(self):
        for role, constant in (("B", spake2.M), ("A", spake2.N)):
            degenerate = run(p256.mul_point(W, constant))
            side = Spake2(role, W, Y, *IDS)
            for point in (degenerate, p256.negate(degenerate)):
                self.assertEqual(error_of(finish, side, p256.encode_point(point)), ("BAD_POINT", ""))

    def test_the_constants_and_the_generator_give_keys_that_nobody_else_has(self):
        a = Spake2("A", W, X, *IDS)
        keys = [finish(a, p256.encode_point(point)).ke for point in (p256.G, spake2.M, spake2.N)]
        self.assertEqual(len(set(keys)), 3)

    def test_wrong_arguments_are_the_callers_mistake(self):
        with self.assertRaises(ValueError):
            Spake2("C", W, X, *IDS)
        for w, scalar in ((0, X), (p256.N, X), (W, 0), (W, p256.N)):
            with self.assertRaises(ValueError):
                run(Spake2("A", w, scalar, *IDS).share())

    def test_nothing_secret_is_printed(self):
        side = Spake2("A", W, X, *IDS)
        run(side.precompute())
        self.assertEqual(repr(side), "Spake2")


if __name__ == "__main__":
    unittest.main()
