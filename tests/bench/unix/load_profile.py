"""The load profile under load: kept, and read back, in the folder that is named.

Words   the history (lines "at,imported_wh,exported_wh"), the folder
Runs on both
"""

import gc
import os
import sys

from answers import elapsed_us, now_us, serve

from meterhub.codec.load_profile import MEASURED, MISSING, Entry
from meterhub.store import files
from meterhub.store.columns import column_of
from meterhub.store.profile import Profile

REGISTERS = ("1-0:1.8.0", "1-0:2.8.0")
_DAY_S = 86400
_AT_ONCE = 48


def open_profile(folder: str) -> Profile:
    """Return the profile of the two registers in `folder`."""
    return Profile(folder, [column_of(obis) for obis in REGISTERS])


def fill(history: str, folder: str) -> list:
    """Keep every line of `history`; return [us, entries] of the day that took the median of all days."""
    files.ensure_dir(folder)
    for name in files.names(folder):
        files.remove(folder + "/" + name)
    profile = open_profile(folder)
    took = []
    with open(history) as lines:
        while True:
            entries = [_entry(line) for line in _some(lines)]
            if not entries:
                return sorted(took)[len(took) // 2]
            gc.collect()
            start = now_us()
            for entry in entries:
                profile.append(entry)
            took.append([elapsed_us(now_us(), start), len(entries)])


def _some(lines):
    found = []
    for line in lines:
        found.append(line)
        if len(found) == _AT_ONCE:
            break
    return found


def _entry(line):
    at, imported, exported = line.split(",")
    return Entry(int(at), MEASURED, (int(imported), int(exported)))


def size(folder: str) -> int:
    """Return how many bytes the files have."""
    return sum([os.stat(folder + "/" + name)[6] for name in files.names(folder)])


def count(profile: Profile, start: int, stop: int) -> int:
    """Return how many intervals that end in start..stop are kept."""
    found = 0
    for entry in profile.read(start, stop):  # a list would be as long as the history
        found += entry.quality != MISSING
    return found


def read(folder: str, days: str, back: str) -> list:
    """Read `days` days that end `back` days before the newest entry; return [us, how many intervals were there]."""
    profile = open_profile(folder)
    stop = profile.last - int(back) * _DAY_S
    gc.collect()
    start = now_us()
    found = count(profile, stop - int(days) * _DAY_S + profile.interval_s, stop)
    return [elapsed_us(now_us(), start), found]


def heap(folder: str) -> list:
    """Return [bytes that an open profile holds, the most that is alive while all of it is read, beside that]."""
    before = _alive()
    profile = open_profile(folder)
    profile.first  # noqa: B018 - looked up once
    idle = most = _alive()
    for turn, _ in enumerate(
        profile.read(0, 1) if profile.last is None else profile.read(profile.first, profile.last)
    ):
        if turn % 97 == 0:
            most = max(most, _alive())
    return [idle - before, most - idle]


def _alive():
    gc.collect()
    return gc.mem_alloc()


if __name__ == "__main__":
    FOLDER = sys.argv[2]
    serve(
        {
            "fill": lambda: fill(sys.argv[1], FOLDER),
            "size": lambda: size(FOLDER),
            "read": lambda days, back: read(FOLDER, days, back),
            "heap": lambda: heap(FOLDER),
        }
    )
