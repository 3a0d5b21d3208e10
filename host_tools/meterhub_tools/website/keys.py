"""The recipient's key: made at the first start, kept in the website's data folder, readable by nobody else."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ToolError
from ..recipient import Recipient


def load(folder: Path, name: str) -> Recipient:
    """Return the recipient whose key lies in `folder`; makes folder and key when there are none yet."""
    path = folder / "recipient-key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _write_once(path, Recipient.new_pem())
        pem = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; choose another --data folder") from error
    try:
        return Recipient(name, pem)
    except ValueError as error:
        raise ToolError(f"{path}: this is no P-256 key in PEM form; move it away to get a new one") from error


def _write_once(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
