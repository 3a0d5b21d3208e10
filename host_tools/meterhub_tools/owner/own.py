"""A hub that runs on this machine becomes the operator's before its first start: for the demo, and for tests.

What `meterhub provision` does with a hub on the cable (ceremony.py) is done in the hub's folder, by the firmware's own
code: the hub's key, its owner's certificate, an entry in the registry. Settings are whoever's who starts the hub.

Errors   ToolError for a registry that will not do. What the hub itself refuses is a mistake here, and raised as it is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)
from . import documents, registry
from .keys import Root

from meterhub.crypto.drbg import Drbg  # isort: skip
from meterhub.crypto.steps import run  # isort: skip
from meterhub.store.record import Record  # isort: skip
from meterhub.trust import identity  # isort: skip
from meterhub.trust.owner import Owner  # isort: skip

_BOARD = "unix"


def own(data: Path, root: Root, name: str, book: Path) -> str:
    """Let the hub whose folder is `data`, and which does not run, belong to `root`; return its id."""
    who = run(identity.load(Record(str(data / "identity")), Drbg(os.urandom(48))))
    owner = Owner(Record(str(data / "owner")), who.hub, who.public)
    seq, now = owner.seq + 1, int(time.time())
    token = documents.certificate(root, root, who.hub, who.public, seq, name, now)
    run(owner.adopt(token))
    entry = registry.Entry(who.hub, who.public, root.kid, name, token, seq, _BOARD, now, "")
    with registry.open_for_writing(book) as known:
        known.put(entry, root.point)
    return str(who.hub)
