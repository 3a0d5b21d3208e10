"""Letters that a display does not have, drawn without their accent; loaded when there is one.

Runs on  both
"""

from micropython import const

_ACCENTED = const("áàâãëêíìîïóòôõúùûýÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÝÇÑØ’‘“”·äöüßéèçñåø–→✓✕▲")
_PLAIN = const("aaaaeeiiiioooouuuyAAAAAAEEEEIIIIOOOOOUUUUYCNO''\"\"-aouseecnao->vx!")


def plain(character: str) -> str:
    """Return a letter without its accent, "" for what has no plainer form."""
    at = _ACCENTED.find(character)
    return _PLAIN[at] if at >= 0 else ""
