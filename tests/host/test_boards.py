"""The boards' folders: complete, wired without contradiction, and with a hal that their MicroPython can run.

Source   the chips' datasheets for what a pin can do; each board's own type stubs for the names it has
"""

import ast
import itertools
import json
import re
from pathlib import Path

import pytest

from meterhub_tools import toolchain
from meterhub_tools.emulator import image
from meterhub_tools.errors import ToolError

BOARDS = {path.name: path for path in sorted((toolchain.ROOT / "boards").iterdir()) if path.is_dir()}
CHIPS = [name for name in BOARDS if name != "UNIX"]
RP2 = [name for name in CHIPS if name.startswith("RPI_")]
ESP32 = [name for name in CHIPS if name.startswith("ESP32_")]
HAL = toolchain.ROOT / "firmware/meterhub/hal"
STUBS = toolchain.ROOT / ".toolchain/stubs"

_SWITCHES = ("supply", "load1", "load2", "load3", "load4")
_OUTPUTS = ("request", "tx", "driver", "sda", "scl", "sck", "mosi", "cs", "clk", "dio", *_SWITCHES)
_PULLED_UP = ("A", "B", "pulse0", "pulse1", "supply_sense")
# without strapping pins (but 5, which only an SDIO slave looks at), the console's, those of flash, PSRAM, radio, USB,
# and what is not on the board's header
_USABLE = {
    "rp2040": {*range(23), 26, 27, 28},
    "rp2350": {*range(23), 26, 27, 28},
    "esp32": {4, 5, 13, 14, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33, 34, 35, 36, 39},
    "esp32s3": {1, 2, *range(4, 19), 21, *range(38, 43), 47, 48},
}
_INPUT_ONLY = {34, 35, 36, 39}  # the ESP32's; they have no pull-up either


def load(name: str, file: str) -> dict:
    return json.loads((BOARDS[name] / file).read_text())


def wired(name: str) -> list[tuple[str, int]]:
    """Every function of the board's pins.json with its GPIO number."""
    pins = load(name, "pins.json")
    found = [(name, number) for name, number in pins.items() if name.removesuffix("_sense") in _SWITCHES]
    for part in (*pins["uart"].values(), pins["i2c"], pins["spi"], pins["tm1637"], pins["button"], pins["pulse"]):
        found += [(function, number) for function, number in part.items() if function not in ("id", "hz")]
    return found


def test_there_is_every_board_that_the_project_promises() -> None:
    promised = {"ESP32_GENERIC", "ESP32_GENERIC_S3", "RPI_PICO", "RPI_PICO_W", "RPI_PICO2_W", "UNIX"}
    assert set(BOARDS) >= promised


@pytest.mark.parametrize("name", BOARDS)
def test_a_boards_folder_is_complete_and_data_only(name: str) -> None:
    layout = {
        "RPI": {"flash.json", "header.json", "mpconfigboard.cmake", "mpconfigboard.h"},
        "ESP32": {"partitions.csv", "header.json"},
        "UNIX": set(),
    }
    wanted = {"board.json", "pins.json", "manifest.py"} | layout[name.partition("_")[0]]
    assert {path.name for path in BOARDS[name].iterdir()} == wanted


@pytest.mark.parametrize("name", BOARDS)
def test_board_json_is_in_micropythons_form(name: str) -> None:
    board = load(name, "board.json")
    wanted = {"deploy", "docs", "features", "id", "images", "mcu", "product", "thumbnail", "url", "vendor"}
    assert set(board) - {"deploy_options"} == wanted
    assert board["id"] == name == load(name, "pins.json")["board"]
    assert all((BOARDS[name] / document).is_file() for document in board["deploy"])
    assert ("deploy_options" in board) == (name in ESP32)


@pytest.mark.parametrize("name", BOARDS)
def test_a_manifest_is_the_ports_own_modules_asyncio_and_the_firmware(name: str) -> None:
    calls = [node for node in ast.walk(ast.parse((BOARDS[name] / "manifest.py").read_text())) if is_call(node)]
    words = [(call.func.id, call.args[0].value) for call in calls]
    frozen = [] if name == "UNIX" else [("freeze", "$(PORT_DIR)/modules")]
    shared = [("include", "$(MPY_DIR)/extmod/asyncio"), ("include", "../../firmware/manifest.py")]
    assert words == frozen + shared
    assert (BOARDS[name] / words[-1][1]).is_file()


def is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call)


@pytest.mark.parametrize("name", RP2)
def test_a_picos_file_system_ends_where_its_flash_ends(name: str) -> None:
    flash = load(name, "flash.json")
    assert flash["fs_offset"] + flash["fs_bytes"] == flash["flash_bytes"]
    assert flash["fs_offset"] % 4096 == flash["frozen_fs_offset"] % 4096 == 0
    header = (BOARDS[name] / "mpconfigboard.h").read_text()
    assert f"STORAGE_BYTES ({(flash['flash_bytes'] - flash['frozen_fs_offset']) // 1024} * 1024)" in header
    assert f'#include "boards/{name}/mpconfigboard.h"' in header
    assert f"/boards/{name})" in (BOARDS[name] / "mpconfigboard.cmake").read_text()
    family = {"rp2040": "0xe48bff56", "rp2350": "0xe48bff59"}  # Microsoft's uf2families.json; rp2350: -arm-s
    assert flash["uf2_family"] == family[load(name, "board.json")["mcu"]]


def test_an_image_that_its_first_write_would_destroy_is_refused(tmp_path: Path) -> None:
    begins = load("RPI_PICO", "flash.json")["frozen_fs_offset"]
    made = tmp_path / "firmware.bin"
    made.write_bytes(bytes(begins))
    image.fits(made)
    made.write_bytes(bytes(begins + 1))
    with pytest.raises(ToolError, match=f"the file system begins at {begins}"):
        image.fits(made)


@pytest.mark.parametrize("name", ESP32)
def test_an_esp32s_partitions_follow_each_other_and_end_in_the_file_system(name: str) -> None:
    rows = [line for line in (BOARDS[name] / "partitions.csv").read_text().splitlines() if not line.startswith("#")]
    parts = [[field.strip() for field in row.split(",")] for row in rows]
    spans = [(int(offset, 0), int(offset, 0) + int(size, 0)) for _, _, _, offset, size in parts]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))
    assert (parts[-1][0], spans[0][0], spans[-1][1]) == ("vfs", 0x9000, (8 if "S3" in name else 4) << 20)
    assert int(load(name, "board.json")["deploy_options"]["flash_offset"], 0) in (0, 0x1000)


# -- pins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHIPS)
def test_no_two_functions_share_a_pin(name: str) -> None:
    numbers = [number for _, number in wired(name)]
    assert len(numbers) == len(set(numbers)) == (18 if name == "ESP32_GENERIC" else 22)


@pytest.mark.parametrize("name", CHIPS)
def test_every_pin_is_on_the_header_and_free_for_use(name: str) -> None:
    header = load(name, "header.json")
    on_header = {int(pin.partition("=")[2]) for pin in header["left"] + header["right"] if "=" in pin}
    assert {number for _, number in wired(name)} <= on_header & _USABLE[load(name, "board.json")["mcu"]]


@pytest.mark.parametrize("name", CHIPS)
def test_no_output_is_on_a_pin_that_can_only_read(name: str) -> None:
    only_read = _INPUT_ONLY if load(name, "board.json")["mcu"] == "esp32" else set()
    pins = wired(name)
    assert not [function for function, number in pins if function in _OUTPUTS and number in only_read]
    bare = {number for function, number in pins if function in _PULLED_UP and number in only_read}
    assert bare == set(load(name, "pins.json").get("no_pull_up", ()))


@pytest.mark.parametrize("name", RP2)
def test_an_rp2s_peripherals_reach_their_pins(name: str) -> None:
    """RP2040 datasheet, 1.4.3 GPIO functions; the RP2350 has the same and more."""
    pins = load(name, "pins.json")
    for uart in pins["uart"].values():
        transmitter = uart.get("request", uart.get("tx"))
        assert transmitter % 4 == 0 and uart["rx"] % 4 == 1
        assert uart["id"] == (transmitter + 4) // 8 % 2 == (uart["rx"] + 4) // 8 % 2
    i2c, spi = pins["i2c"], pins["spi"]
    assert (i2c["sda"] % 2, i2c["scl"] % 2) == (0, 1)
    assert i2c["id"] == i2c["sda"] // 2 % 2 == i2c["scl"] // 2 % 2
    assert (spi["sck"] % 4, spi["mosi"] % 4) == (2, 3)
    assert spi["id"] == spi["sck"] // 8 % 2 == spi["mosi"] // 8 % 2


@pytest.mark.parametrize("name", ESP32)
def test_an_esp32s_serial_lines_leave_the_consoles_alone(name: str) -> None:
    assert {uart["id"] for uart in load(name, "pins.json")["uart"].values()} == {1, 2}
    assert load(name, "pins.json")["spi"]["id"] in (1, 2)


@pytest.mark.parametrize("name", CHIPS)
def test_the_watchdog_is_one_that_the_chip_has(name: str) -> None:
    longest = 8388 if name in RP2 else 60000
    assert 5000 <= load(name, "pins.json")["watchdog_ms"] <= longest


@pytest.mark.parametrize("name", BOARDS)
def test_no_secret_stands_in_a_boards_folder(name: str) -> None:
    for path in BOARDS[name].iterdir():
        assert not re.search(r"ssid|password|key\b", path.read_text(), re.I), path


# -- what the hal uses, and what the board's MicroPython has -------------------------------------------------------


class Stub:
    """One module's stub: which names it has, and which words a class can be made with."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text())

    def names(self, body: list[ast.stmt]) -> dict[str, ast.stmt]:
        """The names in `body`; the stubs call what only other boards have Incomplete."""
        found = {}
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) != "Incomplete":
                found[ast.unparse(node.target)] = node
        return found

    def has(self, dotted: str) -> bool:
        body = self.tree.body
        for name in dotted.split("."):
            found = self.names(body).get(name)
            if found is None:
                return False
            body = getattr(found, "body", [])
        return True

    def words(self, name: str) -> set[str]:
        body = getattr(self.names(self.tree.body)[name], "body", [])
        makers = [node for node in body if getattr(node, "name", "") in ("__init__", "__new__")]
        return {one.arg for maker in makers for one in maker.args.args + maker.args.kwonlyargs}


def hal_of(name: str) -> list[ast.Module]:
    files = ["chip.py"]
    files += ["radio.py"] if load(name, "pins.json")["radio"] else []
    files += ["pulse_pio.py"] if name in RP2 else []
    return [ast.parse((HAL / file).read_text()) for file in files]


def stub_of(name: str, module: str) -> Stub:
    file = STUBS / name / f"{module}.pyi"
    return Stub(file if file.is_file() else STUBS / name / module / "__init__.pyi")


def used(tree: ast.Module, module: str) -> set[str]:
    """Names of `module` that the source uses, as in "Pin.IRQ_FALLING"; those asked for in strings do not count."""
    found = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name.removeprefix(module + ".") for name in found if re.fullmatch(module + r"(\.\w+)+", name)}


def imported(trees: list[ast.Module]) -> set[str]:
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return {alias.name for node in nodes for alias in node.names} & {"machine", "network", "esp32", "rp2"}


@pytest.mark.parametrize("name", CHIPS)
def test_the_names_that_the_hal_uses_are_in_the_boards_stubs(name: str) -> None:
    trees = hal_of(name)
    count = 0
    for module in imported(trees):
        stub = stub_of(name, module)
        for wanted in set.union(*(used(tree, module) for tree in trees)):
            assert stub.has(wanted), f"{name} has no {module}.{wanted}"
            count += 1
    assert count >= 15


@pytest.mark.parametrize("name", CHIPS)
def test_the_words_that_the_hal_passes_are_in_the_boards_stubs(name: str) -> None:
    calls = [node for tree in hal_of(name) for node in ast.walk(tree) if is_call(node) and node.keywords]
    made = [call for call in calls if re.fullmatch(r"(machine|rp2)\.[A-Z]\w*", ast.unparse(call.func))]
    assert len(made) >= (6 if name in RP2 else 5)
    for call in made:
        wanted = {word.arg for word in call.keywords}
        module, _, maker = ast.unparse(call.func).partition(".")
        assert wanted <= stub_of(name, module).words(maker), ast.unparse(call)


@pytest.mark.parametrize("name", CHIPS)
def test_a_board_has_a_radio_exactly_when_it_has_the_module_network(name: str) -> None:
    assert load(name, "pins.json")["radio"] == (STUBS / name / "network.pyi").is_file()
    assert "network" not in imported([ast.parse((HAL / "chip.py").read_text())])


@pytest.mark.parametrize(
    "file, module, table", [("chip.py", "machine", "_RESETS"), ("radio.py", "network", "_TROUBLES")]
)
def test_names_that_only_some_ports_have_are_on_one_of_them(file: str, module: str, table: str) -> None:
    tree = ast.parse((HAL / file).read_text())
    rows = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == table)
    stubs = [Stub(STUBS / name / f"{module}.pyi") for name in CHIPS if (STUBS / name / f"{module}.pyi").is_file()]
    for constant, _ in ast.literal_eval(rows):
        assert any(stub.has(constant) for stub in stubs), constant


def test_a_stub_that_lacks_a_name_is_noticed() -> None:
    stub = Stub(STUBS / "RPI_PICO/machine.pyi")
    assert stub.has("Pin.IRQ_FALLING") and stub.has("WDT")
    assert not stub.has("Pin.WAKE_HIGH_ENOUGH") and not stub.has("HARD_RESET") and not stub.has("Antenna")
    assert "baudrate" in stub.words("UART") and "radio" not in stub.words("UART")
