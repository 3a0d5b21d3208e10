"""The keys of the market roles, and how far each has counted.

Source   GBCS: a credential is bound to a role and replaced by who holds one (credential replacement modes 2, 3, 4, 6
         by itself, 7 supplier by TransCoS, 8 anything by recovery: here the owner's root); counters have floors that
         are set with the credential. A counter is written to flash before a command is acted on.
Units    times are Unix seconds, UTC; `until` 0: for good. A counter is 1 .. 2^53 - 1.
Errors   HubError NOT_AUTHORISED, INVALID_VALUE, STORE_FULL, with the field; StoreError when a record is damaged: whom
         to believe, and what was done already, must not be forgotten by itself.
Runs on  both

Format   two two-slot records in the hub's folder
         roles     JSON [[kid, role, key: point of 65 bytes in base64url, name, from, until], ...], at most 12
         commands  JSON {ctr: {kid: the highest one taken}, doing: [kid, ctr, h, cmd] or null,
                         done: [[kid, ctr, h, outcome, error, field], ...] the newest 16, the newest last}
                   h: base64url of SHA-256 over the command. `doing` stands there from before a command is acted on
                   until its answer is on flash: after a power cut it says what nobody has answered.
"""

import json

from micropython import const

from ..codec import base64url
from ..errors import HubError

_MOST_KEYS = const(12)
_MOST_DONE = const(16)
_HOLDERS = ("SUP", "DNO", "ADM", "LC", "ESP", "EFF", "INST", "TCOS")  # roles that a key can have
_ITSELF = ("SUP", "DNO", "ADM", "LC", "TCOS")  # that replace their own

# kid: identity.hub_id() of the point; point: 65 bytes; since: what is older is not this key's to read
KID, ROLE, KEY, NAME, FROM, UNTIL = 0, 1, 2, 3, 4, 5


class Roles:
    """The keys in the record `record` (store.record.Record)."""

    def __init__(self, record) -> None:
        self._record = record
        raw = record.load()
        self.all = json.loads(raw) if raw else []

    def find(self, kid: str) -> "list | None":
        """Return the entry of the key `kid`, in force or not."""
        for entry in self.all:
            if entry[KID] == kid:
                return entry
        return None

    def of(self, role: str, now: int) -> list:
        """Return the entries of the keys that hold `role` now; now 0: the clock is not set."""
        return [entry for entry in self.all if entry[ROLE] == role and in_force(entry, now)]

    def replaced(self, by: str, arg: dict, kid: str, now: int) -> "tuple[bytes, list]":
        """Return (record's new content, kids that end) for `credentials.update` by the role `by`.

        kid: the id that follows from arg's key. Nothing is changed: keep() takes the content.
        """
        role = arg["role"]
        if role not in _HOLDERS:
            raise HubError("INVALID_VALUE", "arg.role")
        if not _may_change(by, role):
            raise HubError("NOT_AUTHORISED", "arg.role")
        mine = self.find(kid)
        if mine is not None and mine[ROLE] != role:  # nobody takes another's key for his own
            raise HubError("INVALID_VALUE", "arg.key")
        keys = [list(entry) for entry in self.all if entry[KID] != kid]
        replaces = arg.get("replaces")
        if replaces and not any([entry[KID] == replaces and entry[ROLE] == role for entry in keys]):
            raise HubError("INVALID_VALUE", "arg.replaces")
        # a new supplier takes the place of the one there is; so does any key that says so
        gone = [one for one in keys if one[KID] == replaces or (role == "SUP" and one[ROLE] == "SUP")]
        gone = [one for one in gone if not one[UNTIL] or one[UNTIL] > arg["from"]]
        for entry in gone:
            entry[UNTIL] = arg["from"] or 1
        over = [entry for entry in keys if has_ended(entry, now)]
        while len(keys) >= _MOST_KEYS and over:
            keys.remove(over.pop(0))
        if len(keys) >= _MOST_KEYS:
            raise HubError("STORE_FULL", "roles")
        keys.append([kid, role, arg["key"], arg["name"], arg["from"], arg["until"]])
        return json.dumps(keys).encode(), [entry[KID] for entry in gone]

    def removed(self, by: str, kid: str, at: int) -> bytes:
        """Return the record's new content when the key `kid` ends at `at`."""
        entry = self.find(kid)
        if entry is None:
            raise HubError("INVALID_VALUE", "arg.kid")
        role = entry[ROLE]
        if not _may_change(by, role):
            raise HubError("NOT_AUTHORISED", "arg.kid")
        keys = [list(one) for one in self.all]
        keys[self.all.index(entry)][UNTIL] = at or 1
        return json.dumps(keys).encode()


def _may_change(by, role):
    return by == "ROOT" or (by == "TCOS" and role == "SUP") or (by == role and by in _ITSELF)


def in_force(entry: list, now: int) -> bool:
    """Return whether a key counts at `now`; now 0: the clock is not set, and a key that has an end does not count."""
    if not now:
        return not entry[UNTIL]
    return entry[FROM] <= now and (not entry[UNTIL] or now < entry[UNTIL])


def has_ended(entry: list, now: int) -> bool:
    """Return whether a key will never count again (now 0: nobody knows)."""
    return bool(now and entry[UNTIL] and entry[UNTIL] <= now)


def point(entry: list) -> bytes:
    """Return the public point (65 bytes) of an entry."""
    return base64url.decode(entry[KEY])


class Counters:
    """How far each key has counted, and what came of the newest commands; in `record` (store.record.Record)."""

    def __init__(self, record) -> None:
        self.record = record
        raw = record.load()
        self._state = json.loads(raw) if raw else {"ctr": {}, "doing": None, "done": []}

    @property
    def doing(self) -> "list | None":
        """[kid, ctr, h, cmd] of a command that was begun and whose answer is not on flash."""
        return self._state["doing"]

    def newest(self, kid: str) -> int:
        """Return the highest counter that was taken from `kid`."""
        return self._state["ctr"].get(kid, 0)

    def done(self, kid: str, ctr: int, h: str) -> "list | None":
        """Return [kid, ctr, h, outcome, error, field] of a command that was answered before, or None."""
        for one in self._state["done"]:
            if one[0] == kid and one[1] == ctr and one[2] == h:
                return one
        return None

    def begin(self, kid: str, ctr: int, h: str, cmd: str) -> None:
        """Take the counter of a command that is about to be acted on."""
        self._state["ctr"][kid] = ctr
        self._state["doing"] = [kid, ctr, h, cmd]
        self._save()

    def resume(self, kid: str, ctr: int, h: str, cmd: str) -> None:
        """A command whose counter was taken long ago is about to be acted on: its date has come."""
        self._state["doing"] = [kid, ctr, h, cmd]
        self._save()

    def end(self, outcome: str, error: str, field: str) -> None:
        """The command that was begun has its answer on flash."""
        kid, ctr, h, _ = self._state["doing"]
        self._state["doing"] = None
        others = [one for one in self._state["done"] if one[2] != h]
        self._state["done"] = others[1 - _MOST_DONE :] + [[kid, ctr, h, outcome, error, field]]
        self._save()

    def floored(self, kid: str, floor: int, kept: list) -> bytes:
        """Return the record's content with a floor for the new key `kid`; counters of keys not in `kept` go."""
        known = {one: ctr for one, ctr in self._state["ctr"].items() if one in kept}
        known[kid] = max(floor, known.get(kid, 0))
        state = dict(self._state)
        state["ctr"] = known
        return json.dumps(state).encode()

    def reload(self) -> None:
        """Take over what a transaction has put in the record's place."""
        raw = self.record.load()
        self._state = json.loads(raw) if raw else self._state

    def _save(self):
        self.record.save(json.dumps(self._state).encode())
