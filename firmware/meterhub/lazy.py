"""Parts of the firmware that are loaded when they are needed, and let go afterwards.

A module's memory comes back when nothing refers to it any more: not sys.modules, not its package, not an object.
Runs on  both
"""

import gc
import sys

_kept = set()


def loaded() -> set:
    """Return the names of all modules that are loaded now."""
    return set(sys.modules)


def parts(names) -> set:
    """Return the full names of modules that `names` are within the firmware: "crypto.ecdsa"."""
    return {"meterhub." + name for name in names}


def keep(names) -> None:
    """Let the modules `names` stay from now on, whoever has loaded them first: something lasting is made of them."""
    _kept.update(names)


def let_go(names) -> None:
    """Forget the modules `names`, but for kept ones; the caller has dropped what it held of them."""
    for name in names:
        if name in _kept:
            continue
        module = sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        holder = sys.modules.get(package)
        if getattr(holder, last, None) is module and module is not None:
            delattr(holder, last)
    gc.collect()
