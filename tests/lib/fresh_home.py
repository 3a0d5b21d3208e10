"""A newcomer's place on this machine: an unprivileged user, an empty home, a PATH that lacks what is named.

with newcomer("micropython", "node") as place:
    place.run("make", "setup", cwd=clone)
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

NOBODY = 65534
_PLACES = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")


class Newcomer:
    """Who runs what: `folder` is theirs (home, PATH and checkout stand in it); `env` has no trace of us."""

    def __init__(self, folder: pathlib.Path, without: tuple[str, ...]) -> None:
        self.folder = folder
        home, programs = folder / "home", folder / "bin"
        home.mkdir()
        programs.mkdir()
        for place in map(pathlib.Path, _PLACES):
            for program in place.iterdir() if place.is_dir() else ():
                if not program.name.startswith(without) and not (programs / program.name).is_symlink():
                    (programs / program.name).symlink_to(program)
        if not (programs / "python3").is_symlink():
            (programs / "python3").symlink_to(pathlib.Path(sys.executable).resolve())
        ours = str(pathlib.Path.home())
        self.env = {name: value for name, value in os.environ.items() if ours not in value and not _of_this_run(name)}
        self.env |= {"HOME": str(home), "PATH": str(programs), "USER": "nobody", "LOGNAME": "nobody"}

    def own(self) -> None:
        """Give the newcomer everything in the folder that we have put there."""
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def run(self, *words: str | pathlib.Path, cwd: pathlib.Path, timeout_s: int) -> subprocess.CompletedProcess[str]:
        """Run a program as the newcomer, without a terminal; TimeoutExpired when it takes longer than `timeout_s`."""
        become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups") if os.geteuid() == 0 else ()
        return subprocess.run(
            (*become, *words),
            cwd=cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@contextlib.contextmanager
def newcomer(*without: str) -> Iterator[Newcomer]:
    """Make the place, and remove it afterwards; `without`: how the names of the missing programs begin."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="meterhub-newcomer-"))
    try:
        folder.chmod(0o755)
        yield Newcomer(folder, without)
    finally:
        shutil.rmtree(folder)


def _of_this_run(name: str) -> bool:
    return name in ("VIRTUAL_ENV", "CI", "MAKELEVEL", "MFLAGS") or name.startswith(("MAKE", "PYTEST", "PYTHON", "XDG"))
