"""ECDH, and the two ways to go through a slow operation."""

import asyncio
import unittest

from meterhub.crypto import ecdh, p256
from meterhub.crypto.steps import run, slowly

# RFC 5903 section 8.1: the P-256 exchange of IKE
I = 0xC88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433  # noqa: E741 - its name there
R = 0xC6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53
G_I = (
    0xDAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180,
    0x5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3,
)
G_R = (
    0xD12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63,
    0x56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB,
)
G_IR_X = bytes.fromhex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de")


class ECDHTest(unittest.TestCase):
    def test_rfc_5903(self):
        self.assertEqual(run(p256.mul_base(I)), G_I)
        self.assertEqual(run(p256.mul_base(R)), G_R)
        self.assertEqual(run(ecdh.shared_x(I, G_R)), G_IR_X)
        self.assertEqual(run(ecdh.shared_x(R, G_I)), G_IR_X)

    def test_edge_scalars(self):
        for d in (1, 2, 3, p256.N - 1, p256.N - 2, p256.N - 3):
            self.assertEqual(run(ecdh.shared_x(d, p256.G)), run(p256.mul_base(d))[0].to_bytes(32, "big"))

    def test_scalars_outside_the_group_are_refused(self):
        for d in (0, p256.N):
            with self.assertRaises(ValueError):
                run(ecdh.shared_x(d, p256.G))


def counting(n, seen):
    for i in range(n):
        seen.append(i)
        yield
    return n


def failing():
    yield
    raise ValueError("on the way")


class StepsTest(unittest.TestCase):
    def test_run_returns_the_result_and_lets_errors_through(self):
        seen = []
        self.assertEqual(run(counting(3, seen)), 3)
        self.assertEqual(seen, [0, 1, 2])
        with self.assertRaises(ValueError):
            run(failing())

    def test_slowly_lets_another_task_run_between_two_slices(self):
        order = []

        async def other():
            for _ in range(3):
                order.append("other")
                await asyncio.sleep(0)

        async def main():
            task = asyncio.create_task(other())
            result = await slowly(counting(3, order))
            await task
            return result

        self.assertEqual(asyncio.run(main()), 3)
        self.assertEqual(order, [0, "other", 1, "other", 2, "other"])

    def test_slowly_lets_errors_through(self):
        async def main():
            await slowly(failing())

        with self.assertRaises(ValueError):
            asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
