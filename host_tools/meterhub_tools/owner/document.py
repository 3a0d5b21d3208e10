"""Settings documents on the host.

Source   firmware/meterhub/store/settings_table.py: which settings there are, which are secret or the owner's alone.
Errors   ToolError for a file that holds no document.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)
from ..errors import ToolError

from meterhub.store.settings_table import checked, flat, is_protected, is_secret, masked, nested  # isort: skip

__all__ = ["changed", "flat", "holds_secret", "is_protected", "is_secret", "load", "merged", "typed"]
__all__ += ["with_values", "without_secrets"]

_MOST_BYTES = 8192


def load(path: Path) -> dict:
    """Return the settings document in the file `path`."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ToolError(f"{path} is longer than the {_MOST_BYTES} bytes that a hub takes")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; a settings document is wanted") from None
    except ValueError as error:
        raise ToolError(f"{path} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ToolError(f"{path} is no settings document: one JSON object is wanted")
    return found


def merged(*documents: dict) -> dict:
    """Return one document in which the later ones count."""
    out: dict[str, Any] = {}
    for document in documents:
        for name, value in document.items():
            before = out.get(name)
            if isinstance(value, dict) and isinstance(before, dict):
                value = merged(before, value)  # noqa: PLW2901 - of the two
            out[name] = value
    return out


def typed(name: str, text: str) -> Any:
    """Return the value that `text` stands for in the setting `name`; the hub is left to refuse what fits it not."""
    default = checked({"schema": 1}).get(name)
    if isinstance(default, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def with_values(document: dict, values: dict[str, Any]) -> dict:
    """Return the document with these settings, by their dotted names, changed."""
    return merged(document, nested(values))


def changed(before: dict, after: dict) -> list[str]:
    """Return the names that differ; a secret that is to stay (true) is none of them."""
    old, new = flat(before), flat(after)
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return [name for name in names if not (is_secret(name) and new.get(name) is True)]


def holds_secret(name: str, value: Any) -> bool:
    """Return whether nobody is to see this value of the setting `name`."""
    return bool(value) and masked({name: value})[name] != value


def without_secrets(document: dict) -> dict:
    """Return the document with true in the place of each secret that is set."""
    return with_values(document, masked(flat(document)))
