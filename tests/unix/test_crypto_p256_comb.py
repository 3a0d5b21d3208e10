"""Comb tables that are made on the hub: those that are known, and what can be worked out with the others."""

import unittest

from meterhub.crypto import p256, p256_comb, spake2, spake2_tables
from meterhub.crypto.steps import run

K = 0xA6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60


class TableTest(unittest.TestCase):
    def test_the_tables_that_are_frozen_are_made_again(self):
        self.assertEqual(bytes(run(p256_comb.table_of(spake2.M))), spake2_tables.M)
        self.assertEqual(bytes(run(p256_comb.table_of(spake2.N))), spake2_tables.N)

    def test_products_by_a_table_are_those_without(self):
        x_0 = (0, 0x66485C780E2F83D72433BD5D84A06BB6541C2AF31DAE871728BF856A174F93F4)
        for point in (p256.G, p256.negate(p256.G), x_0):
            table = run(p256_comb.table_of(point))
            for k in (1, 2, 3, K, 1 << 215, p256.N - 1):
                self.assertEqual(run(p256.known(((k, point, table),))), run(p256.mul_point(k, point)))

    def test_the_opposite_points_table_is_the_opposite(self):
        point = run(p256.mul_base(K))
        table, opposite = (run(p256_comb.table_of(one)) for one in (point, p256.negate(point)))
        for at in range(0, 2048, 64):
            self.assertEqual(table[at : at + 32], opposite[at : at + 32])
            y = int.from_bytes(table[at + 32 : at + 64], "big")
            self.assertEqual(p256.P - y, int.from_bytes(opposite[at + 32 : at + 64], "big"))

    def test_it_is_made_in_slices(self):
        self.assertTrue(len(list(p256_comb.table_of(p256.G))) > 20)


if __name__ == "__main__":
    unittest.main()
