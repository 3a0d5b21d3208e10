"""Node and what is made with it: the website's scripts, and pyright.

Node comes from PATH when it is new enough, else from its PyPI wheel into .venv. npm keeps its cache inside
the checkout and throws it away afterwards; packages are pinned by the package-lock.json files, and none of
their install scripts runs.
"""

import os
import pathlib
import shutil
import subprocess

import environment
from steps import ROOT, TOOLCHAIN, VENV, command

FRONTEND = ROOT / "host_tools/meterhub_tools/website/frontend"
BUNDLES = ROOT / "host_tools/meterhub_tools/website/static/dist"
PYRIGHT = TOOLCHAIN / "pyright"
PYRIGHT_LOCK = pathlib.Path(__file__).parent / "pyright"
OLDEST_NODE = 20
_BIN = TOOLCHAIN / "node/bin"
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


def install_node() -> None:
    """Make .toolchain/node/bin/node and npm: links to those on PATH, or to the wheel's in .venv."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm and _major(node) >= OLDEST_NODE):
        environment.pip("node", "install", "--require-hashes", "--requirement", environment.LOCKS / "node.lock")
        node, npm = str(VENV / "bin/node"), str(VENV / "bin/npm")
    shutil.rmtree(_BIN, ignore_errors=True)
    _BIN.mkdir(parents=True)
    (_BIN / "node").symlink_to(node)
    (_BIN / "npm").symlink_to(npm)


def build_frontend() -> None:
    """Build the website's scripts and styles into its static folder."""
    shutil.rmtree(BUNDLES, ignore_errors=True)
    _npm("frontend", FRONTEND, *_INSTALL)
    _npm("frontend-build", FRONTEND, "run", "build")


def install_pyright() -> None:
    """Install the pinned pyright into .toolchain/pyright."""
    install_locked("pyright", PYRIGHT_LOCK, PYRIGHT)


def install_locked(log: str, lock: pathlib.Path, place: pathlib.Path) -> None:
    """Install into the folder `place` what the folder `lock` pins: package.json and package-lock.json."""
    place.mkdir(exist_ok=True)
    for file in lock.glob("*.json"):
        shutil.copy(file, place)
    _npm(log, place, *_INSTALL)


def _npm(log: str, folder: pathlib.Path, *words: str) -> None:
    try:
        command(log, _BIN / "npm", *words, cwd=folder, env=_environment())
    finally:
        shutil.rmtree(TOOLCHAIN / "npm-cache", ignore_errors=True)


def _environment() -> dict[str, str]:
    own = {"npm_config_cache": str(TOOLCHAIN / "npm-cache"), "npm_config_update_notifier": "false"}
    return os.environ | own | {"PATH": f"{_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdecimal() else 0
