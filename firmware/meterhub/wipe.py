"""The wipe: button A held from power-on for five seconds removes all that belonged to the hub's owner.

Source   Whoever stands before the hub may take it over, but not in silence: its identity goes as well, so that to
         everybody else it is another hub from then on.
Runs on  the unix port and the boards

The file `wiping` is made first and removed last: a power cut in between ends nothing, the next start goes on.
"""

import asyncio
import os

from .store import files
from .store.journal import Journal

_HOLD_S = 5
_MARK = "wiping"
_STAYS = (_MARK, "supply.0", "supply.1")  # whether the supply may be on is not the household's to say
_FOLDER = 0x4000  # of a mode in os.stat()


async def run(hub) -> None:
    """Count down while A is held; then wipe and restart. Returns when A was let go."""
    folder = hub.board.data_dir
    if not files.exists(folder + "/" + _MARK):
        if not await _held_long(hub):
            return
        files.replace(folder + "/" + _MARK, b"")
    hub.ihd.notice(("WIPED", "Let go of A: the hub", "starts anew."), _HOLD_S)
    hub.ihd.step()
    empty(folder, _STAYS)
    hub.kept.erase()
    hub.meters.clear()  # a restart saves what they have told
    journal = Journal(folder + "/journal", hub.clock)
    journal.listener = hub.journal.listener
    journal.add("security", "wiped", "button A at power-on")
    files.remove(folder + "/" + _MARK)
    while hub.board.held("A"):  # else the next start would count down again
        await asyncio.sleep_ms(100)
    hub.board.restart()


async def _held_long(hub):
    for left in range(_HOLD_S, 0, -1):
        lines = ("WIPE: %d s" % left, "Hold A to remove all", "data, keys, settings.", "Let go to keep them.")
        hub.ihd.notice(lines, 2)
        hub.ihd.step()
        for _ in range(10):
            await asyncio.sleep_ms(100)
            if not hub.board.held("A"):
                hub.ihd.notice(("kept", "Nothing was removed."), 3)
                hub.ihd.works = None  # the display's first verdict is the app's to hear
                return False
    return True


def empty(folder: str, but: tuple = ()) -> None:
    """Delete all that is in `folder` except the files `but`."""
    for name in files.names(folder):
        path = folder + "/" + name
        if os.stat(path)[0] & _FOLDER:
            empty(path)
            os.rmdir(path)
        elif name not in but:
            files.remove(path)
