"""The fields of a command's argument, each bounded.

Errors   HubError MALFORMED for what has the wrong type, INVALID_VALUE for what is out of bounds; field "arg.<name>"
Runs on  both
"""

from ..errors import HubError

_REF = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
_HIDDEN = (
    (0, 31),
    (127, 159),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xE000, 0xF8FF),
    (0xFEFF, 0xFEFF),
)


def only(arg: dict, names: tuple) -> None:
    """Refuse an argument that has fields nobody knows: whoever sends them takes them for understood."""
    if not isinstance(arg, dict):
        raise HubError("MALFORMED", "arg")
    for name in arg:
        if name not in names:
            raise HubError("MALFORMED", "arg." + name[:32])


def whole(arg: dict, name: str, low: int, high: int, default: "int | None" = None) -> int:
    """Return a whole number from `low` to `high`."""
    value = arg.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise HubError("MALFORMED", "arg." + name)
    if not low <= value <= high:
        raise HubError("INVALID_VALUE", "arg." + name)
    return value


def one_of(arg: dict, name: str, choices: tuple, default: "str | None" = None) -> str:
    """Return one of `choices`."""
    value = arg.get(name, default)
    if not isinstance(value, str):
        raise HubError("MALFORMED", "arg." + name)
    if value not in choices:
        raise HubError("INVALID_VALUE", "arg." + name)
    return value


def flag(arg: dict, name: str, default: "bool | None" = None) -> bool:
    """Return true or false."""
    value = arg.get(name, default)
    if not isinstance(value, bool):
        raise HubError("MALFORMED", "arg." + name)
    return value


def text(arg: dict, name: str, longest: int, default: "str | None" = None) -> str:
    """Return a text of 1 to `longest` characters for people, none of them one that cannot be seen."""
    value = arg.get(name, default)
    if not isinstance(value, str):
        raise HubError("MALFORMED", "arg." + name)
    if value is not default and not (0 < len(value) <= longest and value.strip() and _is_plain(value)):
        raise HubError("INVALID_VALUE", "arg." + name)
    return value


def ref(arg: dict, name: str) -> str:
    """Return the sender's own name of something: 1 to 32 letters, digits, points, dashes, underlines."""
    value = arg.get(name)
    if not isinstance(value, str):
        raise HubError("MALFORMED", "arg." + name)
    if not 0 < len(value) <= 32 or not all([c in _REF for c in value]):
        raise HubError("INVALID_VALUE", "arg." + name)
    return value


def _is_plain(value):
    """Return whether there is no control character, none that turns the writing, and no sign of the display's own."""
    for character in value:
        code = ord(character)
        for low, high in _HIDDEN:
            if low <= code <= high:
                return False
    return True
