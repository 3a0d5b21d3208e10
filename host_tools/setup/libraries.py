"""Pieces of micropython-lib in .toolchain/lib, each pinned by version and SHA-256; run by .venv's Python.

pip cannot install them (their archives are no Python projects), so they are fetched with pypi-simple, from
its own default index, and unpacked.

    python libraries.py FOLDER      fills FOLDER; exit status 1 and one line when a piece is not to be had
"""

import pathlib
import shutil
import sys
import tarfile
import tempfile

import requests
from pypi_simple import NoSuchProjectError, PyPISimple

PIECES = (
    ("micropython-umqtt.simple", "1.3.4", "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"),
    ("micropython-unittest", "0.4", "83b4a65c44b2f6382bc3dd8fbbe002b5679dbfc3744b99eaa59802e6fd14cf67"),
)


def fetch(index: PyPISimple, name: str, version: str, sha256: str, dest: pathlib.Path) -> None:
    """Put the modules of one piece into `dest`; SystemExit when the index has no archive of just this hash."""
    for package in index.get_project_page(name).packages:
        if package.version == version and package.digests.get("sha256") == sha256:
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder, package.filename)
                index.download_package(package, file, verify=True)
                _unpack(file, dest)
            return
    sys.exit(f"the package index has no {name} {version} with SHA-256 {sha256}")


def _unpack(file: pathlib.Path, dest: pathlib.Path) -> None:
    """Copy the Python modules of an sdist into `dest`, without its own set-up files."""
    with tarfile.open(file) as tar:
        for member in tar.getmembers():
            path = pathlib.PurePosixPath(*pathlib.PurePosixPath(member.name).parts[1:])
            source = tar.extractfile(member) if member.isfile() else None
            if source is None or path.suffix != ".py" or path.name == "setup.py" or ".." in path.parts:
                continue
            target = dest / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read())


def main(folder: str) -> None:
    dest = pathlib.Path(folder)
    shutil.rmtree(dest, ignore_errors=True)
    try:
        with PyPISimple() as index:
            for piece in PIECES:
                fetch(index, *piece, dest)
    except (requests.RequestException, NoSuchProjectError) as exc:
        sys.exit(f"the package index does not answer as it should: {exc}")


if __name__ == "__main__":
    main(sys.argv[1])
