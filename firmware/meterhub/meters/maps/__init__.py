"""The register maps that come with the firmware, in the format of meters/modbus_map.py; loaded when asked for.

Runs on  both
"""

NAMES = ("sdm120", "sdm630")


def text(name: str) -> str:
    """Return the map `name`, one of NAMES; KeyError for another one."""
    if name == "sdm120":
        from .sdm120 import TEXT  # noqa: PLC0415
    elif name == "sdm630":
        from .sdm630 import TEXT  # noqa: PLC0415
    else:
        raise KeyError(name)
    return TEXT
