"""Whose folder this is: a flash image that was copied from another hub is left alone, and not gone on with.

Source   this file. The two-slot record `board` in the hub's folder: the first 8 bytes of SHA-256("meterhub home" + the
         board's unique id); written at the first start, and again when it is damaged.
Errors   OSError from the file system.
Runs on  both

A board that finds another one's folder makes itself a folder beside it, named after its own mark, and begins there as
a hub that is new: two hubs with one key would be one hub twice, and one history with two meters' readings is none.
Brought back, the folder is that of the other hub again, byte for byte.
"""

import binascii
import hashlib

from ..errors import StoreError
from . import files
from .record import Record


def settle(board) -> str:
    """Let board.data_dir be a folder of this board; return which folder of another's was found, "" for none."""
    mine = hashlib.sha256(b"meterhub home" + board.unique_id()).digest()[:8]
    folder = board.data_dir
    if _is_home(folder, mine):
        return ""
    board.data_dir = folder + "-" + binascii.hexlify(mine).decode()
    files.ensure_dir(board.data_dir)
    _is_home(board.data_dir, mine)
    return folder


def _is_home(folder, mine):
    """Return whether a folder bears this mark; one that bears none, or one that cannot be read, is given it."""
    record = Record(folder + "/board", 16)
    try:
        known = record.load()
    except StoreError:
        known = None
    if known is None:
        record.save(mine)
    return known is None or known == mine
