"""The microcontrollers' hal on the real image: its pins, serial lines and watchdog, wired as boards/RPI_PICO says."""

import json

import pytest

from meterhub_tools.toolchain import ROOT

PACKAGE = ROOT / "firmware/meterhub"
HAL = ("chip", "folder", "line_format", "button", "clock", "pulse", "ticks")
FILES = ["errors.py", *(f"hal/{name}.py" for name in HAL)]
PINS = json.loads((ROOT / "boards/RPI_PICO/pins.json").read_text())
BITE_MS = 9000  # the RP2's watchdog waits 8.4 s at most
TOLD_MS = 2  # what the chip does on its wires is told a moment later
BOARD = "from meterhub.hal import chip; board = chip.Board(chip.configuration())"


@pytest.fixture
def board(repl):
    """The prompt of a board with the hal on it; `board` there is the hal's."""
    repl.run("import os\nfor path in ('/lib', '/lib/meterhub', '/lib/meterhub/hal'): os.mkdir(path)")
    for name in FILES:
        put(repl, f"/lib/meterhub/{name}", (PACKAGE / name).read_bytes())
    put(repl, "/pins.json", json.dumps(PINS).encode())
    repl.run(BOARD)
    return repl


def put(repl, path, content):
    repl.run(f"with open({path!r}, 'wb') as file: file.write({content!r})")


def levels(pico, gpio, since):
    """The levels that the chip has driven a pin to after that many events."""
    return [event["level"] for event in list(pico.events)[since:] if event["ev"] == "pin" and event["gpio"] == gpio]


def test_a_board_without_a_radio_knows_itself_and_needs_no_network(board):
    assert board.run("print(board.name, board.reset_reason(), board.link())") == "RPI_PICO power on {}"
    free, size = board.run("print(*board.flash())").split()
    assert 0 < int(free) < int(size) == json.loads((ROOT / "boards/RPI_PICO/flash.json").read_text())["fs_bytes"]
    assert board.run("import sys; print('meterhub.hal.radio' in sys.modules)") == "False"


def test_a_button_is_held_when_its_contact_is_closed(pico, board):
    assert board.run("print(board.held('A'))") == "False"
    pico.drive(PINS["button"]["A"], 0)
    assert board.run("print(board.held('A'), board.held('B'))") == "True False"


def test_the_outputs_start_at_rest(pico, board):
    pico.watch(PINS["relay"], PINS["spi"]["cs"])
    since = len(pico.events)
    board.run("relay = board.relay(); spi, select = board.spi(); clk, dio = board.pin_pair('tm1637')")
    assert board.run("spi.write(b'ab'); print(relay(), select(), clk(), dio())") == "0 1 1 1"
    pico.wait_ms(TOLD_MS)
    assert 1 not in levels(pico, PINS["relay"], since)
    assert 0 not in levels(pico, PINS["spi"]["cs"], since)


def test_both_serial_lines_work_at_once_and_rs485_lets_go_of_its_line(pico, board):
    driver = PINS["uart"]["serial"]["driver"]
    pico.watch(driver)
    board.run("p1 = board.uart('p1', 115200, '8N1', False); line = board.uart('serial', 2400, '8E1', False)")
    since = len(pico.events)
    board.run("import asyncio; asyncio.run(line.send(b'hello'))")
    pico.wait_ms(TOLD_MS)
    assert bytes(pico.uart(PINS["uart"]["serial"]["id"]).sent) == b"hello"
    assert levels(pico, driver, since) == [1, 0]
    board.start("buf = bytearray(64); print(bytes(buf[:asyncio.run(p1.read_into(buf))]))")
    pico.uart(PINS["uart"]["p1"]["id"]).feed(b"/XMX5")
    assert board.finish().startswith("b'/")


def test_pulses_are_counted_by_the_interrupt(pico, board):
    board.run("pulse = board.pulse('pulse0', 10)")
    pico.pulse(PINS["pulse"]["pulse0"], count=5, per_s=10)
    assert board.run("print(pulse.count)") == "5"


def test_a_hub_that_shows_no_sign_of_life_is_reset(pico, board):
    mark = pico.mark()
    board.start("import time; board.feed_watchdog(); time.sleep(60)")
    assert pico.wait("off", patience_s=60, since=mark)["why"] == "reset"


def test_a_hub_at_rest_leaves_the_prompt_to_its_user_for_as_long_as_it_takes(pico, board):
    board.run("import gc; board.feed_watchdog(); resting = chip.rest(); gc.collect()")
    pico.wait_ms(3 * BITE_MS)  # at the prompt
    board.run(f"import time; time.sleep_ms({2 * BITE_MS})")  # and in what is run from there
    assert board.run("print(1 + 1)") == "2"
    assert pico.status["boots"] == 1
