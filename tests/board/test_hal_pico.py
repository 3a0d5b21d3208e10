"""The microcontrollers' hal on the real image: its pins, serial lines and watchdog, wired as boards/RPI_PICO says."""

import json

import pytest
from pico import Repl

from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.toolchain import ROOT

PACKAGE = ROOT / "firmware/meterhub"
HAL = ("chip", "folder", "line_format", "button", "epoch", "pulse", "pulse_pio", "switch", "ticks")
FILES = ["errors.py", *(f"hal/{name}.py" for name in HAL)]
PINS = json.loads((ROOT / "boards/RPI_PICO/pins.json").read_text())
BITE_MS = 9000  # the RP2's watchdog waits 8.4 s at most
TOLD_MS = 2  # what the chip does on its wires is told a moment later
BOARD = "from meterhub.hal import chip; board = chip.Board(chip.configuration())"


@pytest.fixture
def board(repl):
    """The prompt of a board with the hal on it; `board` there is the hal's."""
    return with_hal(repl)


def with_hal(repl):
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
    layout = json.loads((ROOT / "boards/RPI_PICO/flash.json").read_text())
    assert 0 < int(free) < int(size) == layout["flash_bytes"] - layout["frozen_fs_offset"]
    assert board.run("import sys; print('meterhub.hal.radio' in sys.modules)") == "False"


def test_a_button_is_held_when_its_contact_is_closed(pico, board):
    assert board.run("print(board.held('A'))") == "False"
    pico.drive(PINS["button"]["A"], 0)
    assert board.run("print(board.held('A'), board.held('B'))") == "True False"


def test_the_outputs_start_at_rest(pico, board):
    pico.watch(PINS["supply"], PINS["spi"]["cs"])
    since = len(pico.events)
    board.run("supply = board.switch('supply', False); spi, select = board.spi(); clk, dio = board.pin_pair('tm1637')")
    assert board.run("spi.write(b'ab'); print(supply.sensed(), select(), clk(), dio())") == "False 1 1 1"
    pico.wait_ms(TOLD_MS)
    assert 1 not in levels(pico, PINS["supply"], since)
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


# -- pulses --------------------------------------------------------------------------------------------------------

PULSE0, PULSE1 = PINS["pulse"]["pulse0"], PINS["pulse"]["pulse1"]
PIO0_IRQ_FORCE = 0x50200034
OPEN_MS = 25  # longer than any width here
CLOSES, OPENS = (0, 1, 3, 4, 9), (40, 41, 43, 44, 60)  # milliseconds at which a bad contact changes
ERASE_MS = 45
ERASING_MS = 3200
# a sector that no file has, again and again: interrupts are off for all but a moment of the time
ERASING = f"""
import rp2, time
flash = rp2.Flash()
sector, erased, start = flash.ioctl(4, 0) - 1, 0, time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), start) < {ERASING_MS}:
    flash.ioctl(6, sector)
    erased += 1
print(erased)
"""


@pytest.fixture(scope="module")
def blinking(stock_image):
    """A board for all tests of pulses: each makes its inputs anew, on the same state machines."""
    with EmulatedPico(stock_image, pace=None) as pico, Repl(pico.port) as repl:
        with_hal(repl)
        yield pico, repl


def counts(board, *names):
    """What each pulse input has counted; `names` are those that the test gave them at the prompt."""
    return [int(board.run(f"print({name}.count)")) for name in names]


@pytest.mark.parametrize("per_s, low_ms, width_ms", [(16, 30, 10), (44, 8, 5), (44, 2, 1)])
def test_no_pulse_is_lost_or_counted_twice_while_the_flash_is_erased(blinking, per_s, low_ms, width_ms):
    pico, board = blinking
    count = per_s * (ERASING_MS // 1000)
    board.run(f"pulse = board.pulse('pulse0', {width_ms})")
    pico.wait_ms(OPEN_MS)
    board.start(ERASING)
    pico.pulse(PULSE0, count, per_s, low_ms=low_ms)
    assert int(board.finish()) > 0.95 * ERASING_MS / ERASE_MS
    assert counts(board, "pulse") == [count]


def test_two_inputs_are_counted_at_once(blinking):
    pico, board = blinking
    board.run("one = board.pulse('pulse0', 5); other = board.pulse('pulse1', 20)")
    pico.wait_ms(OPEN_MS)
    board.start(ERASING)
    pico.pulse(PULSE0, 120, 44, low_ms=8, wait=False)
    pico.pulse(PULSE1, 48, 16, low_ms=30)
    board.finish()
    assert counts(board, "one", "other") == [120, 48]


def test_what_bounces_is_counted_once_and_what_flickers_is_not(blinking):
    pico, board = blinking
    board.run("pulse = board.pulse('pulse0', 10)")
    pico.wait_ms(OPEN_MS)
    for _ in range(5):
        pico.bounce(PULSE0, *CLOSES, *OPENS)
        pico.wait_ms(OPEN_MS)
    assert counts(board, "pulse") == [5]
    pico.pulse(PULSE0, 20, per_s=30, low_ms=9.5)
    assert counts(board, "pulse") == [5]


@pytest.mark.parametrize("width_ms", [1, 10])
def test_pulses_and_pauses_of_just_the_width_are_long_enough(blinking, width_ms):
    pico, board = blinking
    board.run(f"pulse = board.pulse('pulse0', {width_ms})")
    pico.wait_ms(OPEN_MS)
    period_ms = 2 * width_ms + 0.003  # the edges drift through the cycle of the state machine's clock
    pico.pulse(PULSE0, 50, per_s=1000 / period_ms, low_ms=width_ms)
    assert counts(board, "pulse") == [50]


def test_a_contact_that_stays_closed_is_counted_once_and_seen(blinking):
    pico, board = blinking
    board.run("pulse = board.pulse('pulse0', 1000)")
    pico.wait_ms(1010)
    pico.drive(PULSE0, 0)
    pico.wait_ms(1010)
    assert board.run("print(pulse.count, pulse.is_closed)") == "1 False"
    pico.wait_ms(5000)
    assert board.run("pulse.look(0); print(pulse.count, pulse.is_closed)") == "1 True"
    board.run("pulse = board.pulse('pulse0', 10)")  # the hub starts again meanwhile
    pico.wait_ms(100)
    pico.drive(PULSE0, None)
    pico.wait_ms(100)
    assert board.run("pulse.look(0); print(pulse.count, pulse.is_closed)") == "0 False"


def test_a_pulse_wakes_who_waits_and_its_time_is_when_the_contact_closed(blinking):
    pico, board = blinking
    board.run("import asyncio, time; pulse = board.pulse('pulse0', 20)")
    pico.wait_ms(OPEN_MS)
    board.start("print(asyncio.run(pulse.wait()), time.ticks_diff(time.ticks_ms(), pulse.at_ms))")
    pico.wait_ms(100)
    pico.pulse(PULSE0, 1, per_s=10)
    count, since_ms = map(int, board.finish().split())
    assert count == 1 and 20 <= since_ms <= 23


def test_the_count_goes_around_as_a_small_number(blinking):
    pico, board = blinking
    board.run("pulse = board.pulse('pulse0', 10)")
    pico.wait_ms(OPEN_MS)
    board.run("pulse._machine.exec('set(y, 2)')")  # two below 2**30
    counted = []
    for _ in range(4):
        pico.pulse(PULSE0, 1, per_s=10)
        counted += counts(board, "pulse")
    assert counted == [2**30 - 1, 0, 1, 2]


def test_an_input_can_be_opened_as_often_as_one_likes_and_a_soft_reset_ends_it(blinking):
    pico, board = blinking
    board.run("for _ in range(20): pulse = board.pulse('pulse0', 10)")
    pico.wait_ms(OPEN_MS)
    pico.pulse(PULSE0, 3, per_s=10)
    assert counts(board, "pulse") == [3]
    board.run(f"import rp2, machine; rp2.StateMachine(0).irq(None); machine.mem32[{PIO0_IRQ_FORCE}] = 1")
    board.run("pulse = board.pulse('pulse0', 10)")  # an old interrupt is still to come
    assert counts(board, "pulse") == [0]
    board.soft_reset()
    assert board.run("import rp2; print(rp2.StateMachine(0).active(), rp2.StateMachine(1).active())") == "False False"
    pico.pulse(PULSE0, 3, per_s=10)
    for _ in range(2):
        board.run(BOARD + "; pulse = board.pulse('pulse0', 10); other = board.pulse('pulse1', 10)")
        board.soft_reset()
    board.run(BOARD + "; pulse = board.pulse('pulse0', 10); other = board.pulse('pulse1', 10)")
    pico.wait_ms(OPEN_MS)
    pico.pulse(PULSE0, 2, per_s=10)
    assert counts(board, "pulse", "other") == [2, 0]
