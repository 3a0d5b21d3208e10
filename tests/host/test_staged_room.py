"""How much a hub keeps of commands with a date: what is too much is refused, and hurts none that is kept.

On the PC alone: four kilobytes in one piece are more than a test beside all of this file's sources leaves of 190 KB.
"""

import json
import sys

from meterhub_tools import toolchain

sys.path.insert(0, str(toolchain.ROOT / "tests/unix"))

from market_bench import AT, SUP, Case


class TestRoom(Case):
    def test_there_is_room_for_four_kilobytes(self):
        said = [self.says(SUP, "set.tariff_price", {"text": "x" * 600}, at=AT + 100) for _ in range(6)]
        assert said == ["pending"] * 5 + ["refused STORE_FULL staged"]
        assert len(json.loads(self.hub.record("staged").load())) == 5
        assert self.says(SUP, "set.tariff_price", at=AT + 100) == "pending"

    def test_there_is_room_for_eight(self):
        said = [self.says(SUP, "set.tariff_price", at=AT + 100 + n) for n in range(9)]
        assert said == ["pending"] * 8 + ["refused STORE_FULL staged"]
        assert self.hub.market.staged_at == AT + 100
