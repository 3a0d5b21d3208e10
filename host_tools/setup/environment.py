"""The Python environment in .venv: its interpreter, the pinned packages, the `meterhub` command.

Every package is pinned by version and hash in locks/packages.lock, which `make lock` works out from
host_tools/pyproject.toml. pip is used as this machine has it set up, so the locks name no package index.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import archive
import interpreters
from steps import ROOT, TOOLCHAIN, VENV, command

LOCKS = pathlib.Path(__file__).parent / "locks"
PYTHON = VENV / "bin/python"
_BOOT_PIP = TOOLCHAIN / "pip"


def create() -> None:
    """Make an empty environment of the running interpreter, even where Debian has left out `ensurepip`."""
    base = getattr(sys, "_base_executable", sys.executable)
    shutil.rmtree(VENV, ignore_errors=True)
    command("environment", base, "-m", "venv", "--without-pip", VENV)
    if not _has(base, "ensurepip"):
        _fetch_pip()
        return
    shutil.rmtree(_BOOT_PIP, ignore_errors=True)
    command("environment", PYTHON, "-m", "ensurepip", env=_environment())


def install_packages() -> None:
    """Install what locks/packages.lock names."""
    pip("packages", "install", "--no-compile", "--require-hashes", "--requirement", LOCKS / "packages.lock")


def install_command() -> None:
    """Install this checkout's host package as it stands (editable), with the `meterhub` command."""
    pip("command", "install", "--no-deps", "--no-index", "--no-build-isolation", "--editable", ROOT / "host_tools")


def pip(log: str, *words: str | pathlib.Path) -> None:
    """Run the environment's pip; SetupError with its last lines when it fails."""
    command(log, PYTHON, "-m", "pip", "--no-input", "--disable-pip-version-check", *words, env=_environment())


def with_pips_certificates() -> dict[str, str]:
    """Return an environment in which `requests` trusts what pip has been told to trust (a company's proxy, say)."""
    env = _environment()
    # not `pip config get`: without a scope it looks into the user's file only
    asked = (PYTHON, "-m", "pip", "--disable-pip-version-check", "config", "list")
    said = subprocess.run(asked, env=env, capture_output=True, text=True, check=False).stdout
    settings = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    bundle = settings.get(":env:.cert") or settings.get("global.cert")
    return {"REQUESTS_CA_BUNDLE": bundle.strip("'")} | env if bundle else env


def _environment() -> dict[str, str]:
    """Return this process's environment without what would lead Python or pip out of .venv."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    wheels = [str(path) for path in _BOOT_PIP.glob("usr/share/python-wheels/pip-*.whl")]
    return env | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"} | ({"PYTHONPATH": wheels[0]} if wheels else {})


def _has(python: str, module: str) -> bool:
    asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", asked], check=False).returncode == 0


def _fetch_pip() -> None:
    """Fetch the wheel that Debian's python3-venv would have made pip from."""
    archive.unpack("python3-pip-whl", interpreters.SUITE, archive.host_architecture(), _BOOT_PIP, alone=True)
