"""What happens and concerns a market role: an entry of the journal, and a letter to whoever it concerns.

Source   GBCS: event codes; 0 where there is none
Errors   OSError when a letter cannot be kept
Runs on  both
"""

from .store import behaviour


def tell(hub, kind: str, roles: tuple, name: str, code: int, detail: str = "", data: "dict | None" = None) -> None:
    """Journal `name`, and alert all who have one of the roles and want it. hub: app.Hub; kind: of the journal."""
    hub.journal.add(kind, name, detail)
    if hub.letters is not None:
        changed = behaviour.changed(hub.record(behaviour.RECORD))
        for role in roles:
            if changed.get(role, {}).get(name, behaviour.ALERT) & behaviour.ALERT:
                hub.letters.alert(role, name, code, detail, data or {})
