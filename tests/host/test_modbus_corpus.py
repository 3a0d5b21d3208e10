"""The firmware's Modbus decoder over the frames of minimalmodbus' tests and of manuals, under both interpreters.

The captures are not part of this repository; see conftest.py.
"""

import json

import pytest
from line_corpus import decode, interpreters

from meterhub.meters import maps
from meterhub.meters.modbus import ModbusDecoder
from meterhub.meters.modbus_map import RegisterMap

READS = (3, 4)


@pytest.mark.parametrize("words", interpreters())
def test_every_good_pair_is_read_and_every_wrong_one_refused(words, corpus, tmp_path, capsys):
    pairs = json.loads((corpus / "open/modbus/rtu_pairs.json").read_text())
    good, wrong = pairs["GOOD_RTU_RESPONSES"], pairs["WRONG_RTU_RESPONSES"]
    raws = [bytes.fromhex(pair["request"] + pair["response"]) for pair in good + wrong]
    found = decode(words, "modbus", tmp_path, raws)
    registers = 0
    for pair, result in zip(good, found, strict=False):
        request, response = bytes.fromhex(pair["request"]), bytes.fromhex(pair["response"])
        if request[1] not in READS:
            assert list(result["errors"]) == [f"unsupported function {request[1]}"], pair
            continue
        (telegram,) = result["telegrams"]
        words_sent = [int.from_bytes(response[i : i + 2], "big") for i in range(3, len(response) - 2, 2)]
        assert [r[1] for r in telegram["readings"]] == words_sent, pair
        assert not result["errors"]
        registers += len(words_sent)
    for pair, result in zip(wrong, found[len(good) :], strict=True):
        assert result["errors"], pair
        # minimalmodbus refuses a damaged echo of its request; what follows that one is a good answer all the same
        assert bool(result["telegrams"]) == (pair["response"] == "1403012200022739140302030234b6"), pair
    with capsys.disabled():
        print(f"\n  {len(good)} good pairs, {registers} registers; {len(wrong)} wrong pairs refused")  # noqa: T201


def test_the_manuals_examples(corpus):
    first, second = json.loads((corpus / "open/modbus/manual_examples.json").read_text())
    for name in maps.NAMES:
        modbus = ModbusDecoder(RegisterMap.from_text(maps.text(name)))
        raw = bytes.fromhex(first["request"] + first["response"])
        ((volts,),) = [telegram.readings for telegram in modbus.feed(raw, len(raw))]
        assert (volts.obis, volts.unit) == ("1-0:32.7.0", "V")
        assert abs(volts.value * 10.0**volts.scale - first["value"]) < 1e-4
    own = '{"registers": [["pulse width", 12, "float32", "ms"]], "function": 3}'
    raw = bytes.fromhex(second["request"] + second["response"])
    ((width,),) = [t.readings for t in ModbusDecoder(RegisterMap.from_text(own)).feed(raw, len(raw))]
    assert (width.value, width.scale, width.unit) == (100, 0, "ms")


@pytest.mark.parametrize("name", maps.NAMES)
def test_a_map_of_ours_is_good_and_small(name):
    registers = RegisterMap.from_text(maps.text(name))
    assert registers.name and len(maps.text(name)) < 2048
    assert len(registers.requests()) <= 10
