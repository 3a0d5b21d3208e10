"""The emulated Raspberry Pi Pico: what a board does, this one does too."""

import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from mpremote.transport import TransportError, TransportExecError
from pico import Repl

from meterhub_tools.emulator.board import EmulatedPico
from meterhub_tools.errors import ToolError

FS_OFFSET = 0xD0000  # boards/RPI_PICO/flash.json
LETTERS = bytes(range(256))
TOLD_MS = 2  # what the chip does on its wires is told a moment later


def test_mpremote_itself_reaches_the_board(pico):
    words = [sys.executable, "-m", "mpremote", "connect", pico.port, "eval", "__import__('os').uname().machine"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "Raspberry Pi Pico with RP2040", done.stderr


def test_the_image_is_the_pinned_micropython_with_a_picos_memory(repl):
    version, memory = repl.run(
        "import gc, sys; gc.collect(); print(sys.implementation[1]); print(gc.mem_free())"
    ).split("\n")
    assert version == "(1, 25, 0, '')"
    assert 230_000 < int(memory) < 250_000


def test_floats_are_single(repl):
    assert repl.run("print(0.1 + 0.2, 123456.789, 1e38 * 10, -7.5 // 2, int(-3.9), 2.0 ** 0.5)") == (
        "0.3 123456.8 inf -4.0 -3 1.414214"
    )


def test_doubles_are_stored_and_read(repl):
    assert repl.run(
        "import struct; print(struct.unpack('<d', struct.pack('<d', 2.5)), struct.pack('<d', -0.375))"
    ) == (r"(2.5,) b'\x00\x00\x00\x00\x00\x00\xd8\xbf'")


def test_native_and_viper_code_runs(repl):
    code = """
@micropython.viper
def mixed(n: int) -> int:
    x = 1
    for i in range(n):
        x = (x * 75 + 74) & 0xffffff
    return x
@micropython.native
def plain(n):
    x = 1
    for i in range(n):
        x = (x * 75 + 74) & 0xffffff
    return x
print(mixed(1000) == plain(1000), bytearray(b"x" * 9) == bytearray([120] * 9))
"""
    assert repl.run(code) == "True True"


def test_reset_starts_the_board_again_and_its_port_goes_away_meanwhile(pico):
    with Repl(pico.port) as repl:
        assert repl.run("import machine; print(machine.reset_cause() == machine.PWRON_RESET)") == "True"
        mark = pico.mark()
        repl.start("machine.reset()")
        with pytest.raises((TransportError, serial.SerialException, OSError)):
            repl.finish()
    assert pico.wait("off", since=mark)["why"] == "reset"
    pico.wait("usb", since=mark)
    with Repl(pico.port) as repl:
        assert repl.run(
            "import machine, time; print(machine.reset_cause() == machine.WDT_RESET, time.ticks_ms() < 5000)"
        ) == ("True True")


def test_a_watchdog_that_is_not_fed_resets(pico):
    with Repl(pico.port) as repl:
        mark = pico.mark()
        repl.start("""
import machine, time
dog = machine.WDT(timeout=1000)
for _ in range(4):
    time.sleep_ms(800)
    dog.feed()
time.sleep(60)
""")
        assert pico.wait("off", since=mark)["why"] == "reset"
    lived_ms = pico.wait("off", since=mark)["ms"]
    assert lived_ms > 4 * 800 + 1000
    pico.wait("usb", since=mark)
    with Repl(pico.port) as repl:
        assert repl.run("import machine; print(machine.reset_cause() == machine.WDT_RESET)") == "True"


def test_the_bootloader_is_told_of(pico):
    with Repl(pico.port) as repl:
        repl.start("import machine; machine.bootloader()")
        assert pico.wait_off() == "bootloader"


# -- lines, pins, buses ----------------------------------------------------------------------------------------------


UART = (
    "import machine, time; uart = machine.UART(1, baudrate=115200, tx=machine.Pin(4), rx=machine.Pin(5), rxbuf=2048)"
)


def test_bytes_arrive_at_the_speed_of_the_line(pico, repl):
    repl.run(UART)
    before = pico.virtual_ms
    assert pico.uart(1).feed(LETTERS * 4) == 0
    assert pico.virtual_ms - before >= 1024 * 10 / 115.2
    assert repl.run("data = uart.read(); print(data == bytes(range(256)) * 4)") == "True"


def test_a_line_that_nobody_has_switched_on_loses_its_bytes(pico, repl):
    assert pico.uart(0).feed(b"lost") == 4


def test_what_the_board_sends_is_seen(pico, repl):
    repl.run(UART)
    repl.run("uart.write(b'/ask!' * 50); uart.flush(); time.sleep_ms(10)")
    pico.wait_ms(TOLD_MS)
    assert pico.uart(1).sent == b"/ask!" * 50


def test_writing_to_the_flash_makes_a_full_line_lose_bytes(pico, repl):
    repl.run(UART)
    repl.start(
        "time.sleep_ms(20)\nwith open('x', 'w') as f: f.write('x' * 9000)\ntime.sleep_ms(20)\nprint(uart.any())"
    )
    lost = pico.uart(1).feed(b"t" * 2000)
    assert lost > 0
    assert int(repl.finish()) == 2000 - lost


def test_without_the_flashs_time_nothing_is_lost(stock_image):
    with EmulatedPico(stock_image, pace=None, flash_takes_time=False) as pico, Repl(pico.port) as repl:
        repl.run(UART)
        repl.start("with open('x', 'w') as f: f.write('x' * 9000)\nprint('written')")
        assert pico.uart(1).feed(b"t" * 1000) == 0
        assert repl.finish() == "written"


def test_every_pulse_is_counted_while_the_board_is_busy(pico, repl):
    repl.run("""
import machine, time
count = 0
def seen(pin):
    global count
    count += 1
pin = machine.Pin(16, machine.Pin.IN, machine.Pin.PULL_UP)
pin.irq(seen, machine.Pin.IRQ_FALLING)
""")
    repl.start("""
n = (1 << 256) - 189
while count < 48:
    for _ in range(50):
        n * n % ((1 << 255) - 19)
with open('y', 'w') as f: f.write('y' * 5000)
time.sleep_ms(200)
print(count)
""")
    pico.pulse(16, count=50, per_s=16)
    assert repl.finish() == "50"


def test_a_state_machine_keeps_its_divided_clock_while_the_flash_is_erased(pico, repl):
    repl.run("""
import rp2, machine
@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def wave():
    set(pins, 1) [3]
    set(pins, 0) [5]
machine = rp2.StateMachine(1, wave, freq=2000, set_base=machine.Pin(7))
""")
    pico.watch(7)
    mark = len(pico.events)
    repl.run("machine.active(1)\nfor _ in range(10): rp2.Flash().ioctl(6, 250)\nmachine.active(0)")
    pico.wait_ms(TOLD_MS)
    edges = [event for event in list(pico.events)[mark:] if event["ev"] == "pin"]
    for level, ms in ((1, 2), (0, 3)):
        lasted = [later["ms"] - edge["ms"] for edge, later in itertools.pairwise(edges[1:]) if edge["level"] == level]
        assert len(lasted) > 80 and lasted == pytest.approx([ms] * len(lasted))


def test_inputs_follow_their_pull_and_what_drives_them(pico, repl):
    repl.run("from machine import Pin; up = Pin(14, Pin.IN, Pin.PULL_UP); down = Pin(15, Pin.IN, Pin.PULL_DOWN)")
    assert repl.run("print(up(), down())") == "1 0"
    pico.drive(14, 0)
    pico.drive(15, 1)
    assert repl.run("print(up(), down())") == "0 1"
    pico.drive(14, None)
    pico.drive(15, None)
    assert repl.run("print(up(), down())") == "1 0"


def test_a_button_is_down_as_long_as_it_is_pressed(pico, repl):
    repl.run("from machine import Pin; import time; a = Pin(14, Pin.IN, Pin.PULL_UP)")
    repl.start("while a(): pass\nt = time.ticks_ms()\nwhile not a(): pass\nprint(time.ticks_diff(time.ticks_ms(), t))")
    pico.press(14, 120)
    assert 119 <= int(repl.finish()) <= 121


def test_outputs_are_seen_where_somebody_watches(pico, repl):
    pico.watch(22)
    mark = pico.mark()
    repl.run("from machine import Pin; r = Pin(22, Pin.OUT, value=0); r(1); Pin(21, Pin.OUT, value=1)")
    assert pico.wait("pin", lambda event: event["level"] == 1, since=mark)["gpio"] == 22
    assert not [event for event in pico.events if event["ev"] == "pin" and event["gpio"] == 21]


def test_i2c_writes_are_logged_and_an_absent_address_is_an_error(pico, repl):
    pico.connect_i2c(0, 0x3C)
    repl.run("from machine import I2C, Pin; bus = I2C(0, sda=Pin(0), scl=Pin(1), freq=400000)")
    repl.run("bus.writeto(0x3c, b'\\x00\\xaf'); bus.writevto(0x3c, (b'@', bytes(range(256)) * 4))")
    pico.wait_ms(TOLD_MS)
    assert pico.i2c_log == [(0x3C, b"\x00\xaf"), (0x3C, b"@" + LETTERS * 4)]
    with pytest.raises(TransportExecError, match="EIO"):
        repl.run("bus.writeto(0x27, b'x')")


def test_i2c_takes_the_time_of_the_bus(pico, repl):
    pico.connect_i2c(0, 0x3C)
    repl.run("from machine import I2C, Pin; import time; bus = I2C(0, sda=Pin(0), scl=Pin(1), freq=400000)")
    took_us = int(
        repl.run("t = time.ticks_us(); bus.writeto(0x3c, bytes(1000)); print(time.ticks_diff(time.ticks_us(), t))")
    )
    assert 1001 * 9 / 0.4 < took_us < 1.1 * 1001 * 9 / 0.4


def test_spi_is_seen_frame_by_frame(pico, repl):
    pico.watch(20)
    repl.run("""
from machine import Pin, SPI
cs = Pin(20, Pin.OUT, value=1)
bus = SPI(0, 1000000, sck=Pin(18), mosi=Pin(19))
for frame in (b"\\x0c\\x01", b"\\x01\\x0f"):
    cs(0); bus.write(frame); cs(1)
""")
    pico.wait_ms(TOLD_MS)
    assert [event["data"] for event in pico.events if event["ev"] == "spi"] == ["0c01", "010f"]


# -- power and flash -------------------------------------------------------------------------------------------------


def test_files_survive_a_power_cut(pico):
    with Repl(pico.port) as repl:
        repl.run("with open('kept', 'w') as f: f.write('this')")
    pico.power_cut()
    with pytest.raises(TransportError, match="failed to access"):
        Repl(pico.port).__enter__()
    pico.start()
    with Repl(pico.port) as repl:
        assert repl.run("print(open('kept').read())") == "this"


@pytest.mark.parametrize("torn", [False, True])
def test_a_cut_after_any_flash_operation_leaves_the_old_or_the_new(pico, torn):
    old, new, write = (
        "'old ' * 300",
        "'new ' * 2000",
        "with open('f.new', 'w') as f: f.write({})\nimport os; os.rename('f.new', 'f')",
    )
    read = f"print('old' if open('f').read() == {old} else 'new' if open('f').read() == {new} else 'damaged')"
    with Repl(pico.port) as repl:
        repl.run(write.format(old))
    pico.power_cut()
    before, found = pico.flash, []
    for operation in range(1, 60):
        pico.flash = before
        pico.start()
        with Repl(pico.port) as repl:
            pico.cut_after(operation, torn=torn)
            try:
                repl.run(write.format(new))
            except (TransportError, serial.SerialException, OSError):
                assert pico.wait_off() == "cut"
            else:
                break
        pico.start()
        with Repl(pico.port) as repl:
            found.append(repl.run(read))
        pico.power_cut()
    assert len(found) > 3
    assert found == sorted(found, reverse=True)  # the old, and from one operation on the new
    assert set(found) == {"old", "new"}


def test_a_torn_erase_and_a_torn_program_do_half(pico, repl):
    code = "import rp2; f = rp2.Flash(); b = bytearray(4096); f.ioctl(6, 250); f.writeblocks(250, b'\\x5a' * 256, 0)"
    repl.run(code)
    pico.cut_after(1, torn=True)
    repl.start("f.writeblocks(250, b'\\xa5' * 256, 256)")
    assert pico.wait_off() == "cut"
    at = FS_OFFSET + 250 * 4096
    assert pico.flash[at : at + 512] == b"\x5a" * 256 + b"\xa5" * 128 + b"\xff" * 128


def test_programming_only_clears_bits(repl):
    repl.run("import rp2; f = rp2.Flash(); f.ioctl(6, 250); f.writeblocks(250, b'\\xf0' * 256, 0)")
    repl.run("b = bytearray(256); f.writeblocks(250, b'\\x3c' * 256, 0); f.readblocks(250, b, 0)")
    assert repl.run("print(b == b'\\x30' * 256)") == "True"


def test_another_board_gets_the_flash_of_this_one(pico, stock_image):
    with Repl(pico.port) as repl:
        repl.run("with open('moved', 'w') as f: f.write('yes')")
    with EmulatedPico(stock_image, pico.flash, pace=None) as second, Repl(second.port) as repl:
        assert repl.run("print(open('moved').read())") == "yes"


# -- repeatability and time ------------------------------------------------------------------------------------------


def boot(image, seed):
    """What a boot and a piece of work are like: time, instructions, and what the board's random source says."""
    with EmulatedPico(image, pace=None, seed=seed) as pico:
        start = pico.events[1]
        assert start["ev"] == "usb"
        with Repl(pico.port) as repl:
            work = "t = time.ticks_us()\nx = 0\nfor i in range(2000): x = x * i & 255\n"
            work += "print(time.ticks_diff(time.ticks_us(), t))"
            return (
                start["ms"],
                start["instructions"],
                int(repl.run(f"import os, time\n{work}")),
                repl.run("print(os.urandom(8))"),
            )


def test_two_boots_are_the_same_and_another_seed_gives_other_random_numbers(stock_image):
    first, second, other = boot(stock_image, 1), boot(stock_image, 1), boot(stock_image, 2)
    assert first[:2] == second[:2] == other[:2]
    assert abs(first[2] - second[2]) < first[2] // 1000  # when in a USB frame the command came is up to this machine
    assert first[3] != other[3]


def test_time_keeps_to_its_pace(pico, repl):
    assert repl.run(
        "import time; t = time.ticks_ms(); time.sleep(600); print(time.ticks_diff(time.ticks_ms(), t) >= 600000)"
    ) == ("True")  # ten minutes asleep take no time when nothing holds the board back
    pico.set_pace(2.0)
    repl.start("import time; time.sleep(60)")
    before, mark = pico.virtual_ms, pico.mark()
    with pytest.raises(ToolError, match="in vain"):
        pico.wait("never", patience_s=0.5, since=mark)
    assert pico.virtual_ms - before < 5000


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_said(pico, tmp_path):
    with pytest.raises(ToolError, match="no such command: fly"):
        pico.ask("fly")
    with pytest.raises(ToolError, match="while the board is on"):
        pico.flash = bytes(2 * 1024 * 1024)
    with pytest.raises(ToolError, match=r"2097152 bytes, not 3"):
        EmulatedPico(pico.image, b"abc").__enter__()
    with pytest.raises(ToolError, match="has ended"), EmulatedPico(tmp_path / "absent"):
        pass


def test_an_image_that_does_not_start_is_named(tmp_path):
    junk = tmp_path / "junk.bin"
    junk.write_bytes(b"\xff" * 4096)
    with pytest.raises(ToolError, match=r"breakpoint|in vain"), EmulatedPico(junk, pace=None):
        pass


def test_closing_twice_is_no_matter(stock_image):
    with EmulatedPico(stock_image) as pico:
        pass
    pico.close()
    with pytest.raises(ToolError, match="not been started"):
        pico.ask("status")


def test_an_emulator_does_not_outlive_whoever_started_it(stock_image):
    """Not even if that is killed outright, with a board that is busy."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(stock_image)], stdout=subprocess.PIPE, text=True)
    emulator = int(parent.stdout.readline())
    assert is_alive(emulator)
    parent.kill()
    parent.communicate()
    for _ in range(100):
        if not is_alive(emulator):
            return
        time.sleep(0.1)
    pytest.fail("it lives on")


PARENT = """
import pathlib, sys, time
from meterhub_tools.emulator.board import EmulatedPico
with EmulatedPico(pathlib.Path(sys.argv[1]), pace=None) as pico:
    print(pico._process.pid, flush=True)
    time.sleep(600)
"""


def is_alive(pid):
    try:
        return not re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except FileNotFoundError:
        return False
