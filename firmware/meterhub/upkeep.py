"""What an administrator looks after: the hub introduces itself, says how well it is, and tests itself when told to.

Memory   1 KB while it is loaded, and what it loads: registration.py, health.py, diagnosis.py
Runs on  the unix port and the boards
"""

from . import lazy


def introduce(hub) -> bool:
    """Tell who was not told yet what this hub is now (registration.py); return whether that could be done."""
    try:
        registration().look(hub)
        return True
    except OSError:
        hub.journal.add("event", "RECORD_FAILED", "registration")
        return False


def check_health(hub, warned: list) -> list:
    """Tell of what will fail and is not among `warned` (health.py); return what of it lasts."""
    try:
        return health().look(hub, warned)
    except OSError:
        hub.journal.add("event", "RECORD_FAILED", "charging")
        return warned


async def diagnose(hub) -> None:
    """Carry out the diagnosis that is in its record (diagnosis.py)."""
    before = lazy.loaded()
    await diagnosis().run(hub)
    lazy.let_go(lazy.parts(("upkeep", "diagnosis", "selftest", "crypto.known_answers")) - before)


def registration():
    """Return the module registration."""
    from . import registration as found  # noqa: PLC0415 - each alone

    return found


def health():
    """Return the module health."""
    from . import health as found  # noqa: PLC0415

    return found


def diagnosis():
    """Return the module diagnosis."""
    from . import diagnosis as found  # noqa: PLC0415

    return found
