"""Which hubs this website serves: any, or only those that its operator has provisioned."""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import ToolError
from ..owner import registry
from ..recipient import Card

_log = logging.getLogger(__name__)
_STRANGER = (
    "This website serves only hubs that its operator has set up, and this is none of them. Nothing was sent to it. "
    "Compare the id with the display; if it is the same, ask whoever gave you the hub."
)
_UNKNOWN = "This website cannot look your hub up just now. Nothing was sent to it. Try again in a few minutes."


class Gate:
    """Knows hubs by the registry `path` of `meterhub provision`; None lets every hub in. ToolError when it is none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is not None:
            with registry.open_for_reading(path):
                pass

    def refusal(self, card: Card) -> str:
        """Return "" for the card of a hub that may be asked, else what to tell the customer."""
        if self._path is None:
            return ""
        try:
            with registry.open_for_reading(self._path) as book:
                why_not = book.why_not(card.hub, card.key)
        except ToolError as error:
            _log.error("the registry cannot be read: %s", error)
            return _UNKNOWN
        if why_not:
            _log.warning("hub %s refused: %s", card.hub, why_not)
        return _STRANGER if why_not else ""
