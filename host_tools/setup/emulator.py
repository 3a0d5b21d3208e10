"""What the emulated board is made of: MicroPython's sources for the RP2040, in .toolchain/rp2/src, and rp2040js.

The sources are those of Debian's packages, as their authors published them (no patch of Debian's, none of ours); the
program that runs them is built at first use, by meterhub_tools.emulator.image. rp2040js is pinned by its
package-lock.json. Only the tests want any of it.
"""

import pathlib
import shutil

import archive
import interpreters
import web
from steps import TOOLCHAIN, command

PLACE = TOOLCHAIN / "rp2"
SOURCES = PLACE / "src"
RP2040JS = TOOLCHAIN / "rp2040js"
RP2040JS_LOCK = pathlib.Path(__file__).parent / "rp2040js"
_ARCHIVES = {"micropython": SOURCES, "mbedtls": SOURCES / "lib/mbedtls", "lwip": SOURCES / "lib/lwip"}
_BINARIES = {"pico-sdk-source": "pico-sdk", "tinyusb-source": "tinyusb"}  # sources again, in packages to be installed


def fetch_sources() -> None:
    """Put the sources together as MicroPython's git has them; without a Debian archive, say so and go on."""
    shutil.rmtree(PLACE, ignore_errors=True)
    SOURCES.mkdir(parents=True)
    if not archive.mirror():
        print("set-up: no MicroPython sources on this system; the tests on the emulated board will say so")
        return
    downloads = PLACE / "downloads"
    archive.fetch_sources(tuple(_ARCHIVES), interpreters.SUITE, downloads)
    for name, place in _ARCHIVES.items():
        _unpack(next(downloads.glob(f"{name}_*.orig.tar.*")), place)
    shutil.rmtree(downloads)
    for package, name in _BINARIES.items():
        packaged = PLACE / package
        archive.unpack(package, interpreters.SUITE, archive.host_architecture(), packaged, alone=True)
        library = SOURCES / "lib" / name
        shutil.rmtree(library, ignore_errors=True)
        shutil.move(packaged / "usr/src" / name, library)
        shutil.rmtree(packaged)


def _unpack(file: pathlib.Path, place: pathlib.Path) -> None:
    """Unpack an archive into `place` without the one folder that everything in it lies in."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    command("rp2-unpack", "tar", "--extract", "--file", file, "--directory", place, "--strip-components=1")


def install_rp2040js() -> None:
    """Install the pinned rp2040js into .toolchain/rp2040js."""
    web.install_locked("rp2040js", RP2040JS_LOCK, RP2040JS)
