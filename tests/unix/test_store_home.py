"""A flash image from another hub: left alone to the byte, and not gone on with."""

import os
import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from store_folder import flip, fresh, read, remove, write

from meterhub.store import home


class Board:
    def __init__(self, folder, number):
        self.data_dir = folder
        self._number = number

    def unique_id(self):
        return self._number


class HomeTest(unittest.TestCase):
    def setUp(self):
        self.top = fresh()
        self.data = self.top + "/data"
        os.mkdir(self.data)

    def tearDown(self):
        remove(self.top)

    def settle(self, number):
        board = Board(self.data, number)
        return home.settle(board), board.data_dir

    def test_a_board_finds_its_own_folder_again(self):
        for _ in range(3):
            self.assertEqual(self.settle(b"one"), ("", self.data))

    def test_another_boards_folder_is_left_alone(self):
        self.settle(b"one")
        write(self.data + "/settings.json", b"{}")
        before = {name: read(self.data + "/" + name) for name in os.listdir(self.data)}
        stranger, folder = self.settle(b"two")
        self.assertEqual(stranger, self.data)
        self.assertTrue(folder.startswith(self.data + "-"))
        self.assertEqual(os.listdir(folder), ["board.1"])
        self.assertEqual(self.settle(b"two"), (self.data, folder))  # it stays there
        self.assertEqual({name: read(self.data + "/" + name) for name in os.listdir(self.data)}, before)
        self.assertEqual(self.settle(b"one"), ("", self.data))  # and the first one goes on

    def test_two_strangers_do_not_share_a_folder(self):
        self.settle(b"one")
        self.assertFalse(self.settle(b"two")[1] == self.settle(b"three")[1])

    def test_a_damaged_mark_makes_nobody_a_stranger(self):
        self.settle(b"one")
        flip(self.data + "/board.1", 12)
        self.assertEqual(self.settle(b"one"), ("", self.data))
        self.assertEqual(self.settle(b"two")[0], self.data)  # it was written again


if __name__ == "__main__":
    unittest.main()
