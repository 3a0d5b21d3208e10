"""Debian packages and sources without root: fetched and checked by this machine's own apt, put into a folder.

apt gets a state of its own inside the checkout (lists, cache, an empty status file), so that it neither
needs nor touches the system's. The mirror is the one that the system's apt uses, asked of apt; signatures
are checked with Debian's archive keyring. A package's dependencies are worked out by apt, not listed here.
"""

import getpass
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from steps import TOOLCHAIN, SetupError, command

_KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
_ASKING = threading.Lock()


def mirror() -> str | None:
    """Return the address of the Debian archive that this machine's apt uses; None when it uses none."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    asked = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    lines = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.splitlines()
    for address, release, component in (line.split() for line in lines if line.count(" ") == 2):
        if component == "main" and not release.endswith(("-security", "-updates", "-backports")):
            return address
    return None


def host_architecture() -> str:
    """Return Debian's name for this machine's architecture ("amd64")."""
    with _ASKING:  # two lanes of the set-up may ask, and there is one log
        return command("architecture", "dpkg", "--print-architecture").strip()


def unpack(package: str, suite: str, architecture: str, dest: pathlib.Path, *, alone: bool = False) -> None:
    """Unpack `package` of Debian `suite` and all it depends on (or it `alone`) into the folder `dest`.

    SetupError when this machine's apt has no Debian archive, or what it sent is not signed by Debian.
    """
    with tempfile.TemporaryDirectory(prefix="apt-", dir=TOOLCHAIN) as name:
        state = pathlib.Path(name)
        options = _own_state(state, suite, architecture)
        log = f"apt-{package}-{architecture}"
        command(log, "apt-get", *options, "update")
        plan = command(log, "apt-get", *options, "-s", "--no-install-recommends", "install", package)
        closure = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
        debs = state / "debs"
        command(log, "apt-get", *options, "download", *([package] if alone else closure), cwd=debs)
        shutil.rmtree(dest, ignore_errors=True)
        dest.mkdir(parents=True)
        for deb in sorted(debs.glob("*.deb")):
            command(log, "dpkg-deb", "-x", deb, dest)


def fetch_sources(packages: tuple[str, ...], suite: str, dest: pathlib.Path) -> None:
    """Put the upstream archives of the source `packages` of Debian `suite` into the folder `dest`, not unpacked.

    SetupError as for unpack().
    """
    with tempfile.TemporaryDirectory(prefix="apt-", dir=TOOLCHAIN) as name:
        options = _own_state(pathlib.Path(name), suite, host_architecture(), kind="deb-src")
        shutil.rmtree(dest, ignore_errors=True)
        dest.mkdir(parents=True)
        command("apt-sources", "apt-get", *options, "update")
        command("apt-sources", "apt-get", *options, "--download-only", "source", *packages, cwd=dest)


def _own_state(state: pathlib.Path, suite: str, architecture: str, kind: str = "deb") -> list[str]:
    address, keyring = mirror(), _keyring()
    if not address:
        raise SetupError("this machine's apt has no Debian archive among its sources")
    for folder in ("lists/partial", "cache/archives/partial", "none", "debs"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    sources = state / "sources.list"
    sources.write_text(f"{kind} [signed-by={keyring}] {address} {suite} main\n")
    settings = {
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": state / "none",
        "Dir::Etc::Preferences": os.devnull,
        "Dir::Etc::PreferencesParts": state / "none",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": getpass.getuser(),
        "APT::Update::Error-Mode": "any",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return ["-q", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]


def _keyring() -> pathlib.Path:
    for name in _KEYRINGS:
        path = pathlib.Path("/usr/share/keyrings", name)
        if path.is_file():
            return path
    raise SetupError("Debian's archive keyring is missing; type:  sudo apt-get install debian-archive-keyring")
