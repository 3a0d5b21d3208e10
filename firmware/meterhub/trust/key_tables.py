"""Tables of keys whose signatures come again: each later one is verified in less than half of the first one's time.

Source   this file. A table that is kept is the file KID.tab in the folder, KID = identity.hub_id() of the point:
             4 bytes magic "MHK1", the point (65 bytes), its comb table (2048 bytes, crypto/p256_comb.py),
             16 bytes: HMAC-SHA-256, cut, over all that stands before it
         under a key that nobody but the hub has (Identity.derived_key(LABEL)). Where a wrong table is believed,
         forged signatures are: so a table must be what this hub made of this point. Whatever would show that by
         arithmetic for each of the 32 entries costs as much as making it anew; the MAC costs 40 blocks of SHA-256, and
         finds what a CRC finds, too: a bad bit, a torn write, another hub's file.
         A table belongs to a point, not to a kid: two keys with one kid can be made.
Memory   2.1 KB for each of the last `most` keys; 6 KB more while a table is made. With files, let_go() after each
         command costs the next one a read of 2 KB and the MAC.
Errors   HubError as identity.verify() has it. A table that cannot be made, read or kept is done without: memory or
         flash that is short keeps no command from being verified.
Runs on  both

A table is made behind the first good signature, when its answer has gone out and the hub has time (build()): so the
second command of a key is fast, none waits for a table, and no stranger can have one made.
A file stays until only() is told that its key is gone, and beside MOST_FILES no more are written: keys that take turns
wear no flash.
"""

import hashlib

from micropython import const

from ..store import files
from . import identity

LABEL = b"meterhub key tables"
MOST_FILES = 8
# what verify(), build() and derived_key() load besides identity.SIGNING; who is done with it may let it go
BUILDING = ("crypto.ecdsa_known", "crypto.equal", "crypto.hkdf", "crypto.p256_comb")
_MAGIC = const(b"MHK1")
_TAG_BYTES = const(16)
_START = const(69)  # of the table
_END = const(2117)


class KeyTables:
    """folder, key: where tables are kept, and the hub's 32 bytes under which; without them none is.

    tell(detail), when given, hears of a file that is not what was written.
    """

    def __init__(self, folder: str = "", key: bytes = b"", tell=None, most: int = 3) -> None:
        self._folder = folder
        self._key = key
        self._tell = tell
        self._most = most
        self._tables = []  # [point, table], the one used last at the end
        self._due = b""  # the point whose table is to be made

    def verify(self, public: bytes, token: str):
        """Return (as a generator) whether the compact JWS `token` is signed by the key with the point `public`."""
        from ..codec import jose  # noqa: PLC0415
        from ..crypto import ecdsa, p256  # noqa: PLC0415

        signing_input, signature = jose.jws_parts(token)
        digest = hashlib.sha256(signing_input).digest()
        table = self._table(public)
        if table is not None:
            from ..crypto import ecdsa_known  # noqa: PLC0415

            return (yield from ecdsa_known.verify(table, digest, signature))
        good = yield from ecdsa.verify(p256.decode_point(public), digest, signature)
        if good:
            self._due = public
        return good

    def build(self):
        """Return (as a generator) whether the table that verify() did without last has now been made and held."""
        from ..crypto import p256, p256_comb  # noqa: PLC0415

        public, self._due = self._due, b""
        if not public or self._table(public) is not None:
            return False
        try:
            table = yield from p256_comb.table_of(p256.decode_point(public))
        except MemoryError:
            self.let_go()
            return False
        self._hold(public, table)
        try:
            self._keep(public, table)
        except (OSError, MemoryError):  # the next start makes it again
            pass
        return True

    def is_due(self) -> bool:
        """Return whether build() has something to do."""
        return self._due != b""

    def let_go(self) -> None:
        """Drop all tables that are held in memory."""
        self._tables = []

    def only(self, publics: list) -> None:
        """Forget the tables, in memory and in files, of all keys but those with the points `publics`; OSError."""
        self._tables = [held for held in self._tables if held[0] in publics]
        if self._due not in publics:
            self._due = b""
        if self._folder and files.exists(self._folder):
            wanted = [identity.hub_id(public) + ".tab" for public in publics]
            for name in files.names(self._folder):
                if name not in wanted:
                    files.remove(self._folder + "/" + name)

    def _table(self, public):
        """Return the table of a point from memory or from its file, None when it is in neither."""
        for held in self._tables:
            if held[0] == public:
                self._tables.remove(held)
                self._tables.append(held)
                return held[1]
        if not (self._folder and self._key):
            return None
        try:
            table = self._load(public)
        except MemoryError:
            self.let_go()
            return None
        if table is not None:
            self._hold(public, table)
        return table

    def _hold(self, public, table):
        while len(self._tables) >= self._most:
            self._tables.pop(0)
        self._tables.append((public, table))

    # -- files ---------------------------------------------------------------------------------------------------

    def _path(self, public):
        return self._folder + "/" + identity.hub_id(public) + ".tab"

    def _tag(self, raw):
        from ..crypto.hmac import hmac_sha256  # noqa: PLC0415

        return hmac_sha256(self._key, memoryview(raw)[:_END])[:_TAG_BYTES]

    def _load(self, public):
        from ..crypto.equal import equal  # noqa: PLC0415

        path = self._path(public)
        try:
            raw = files.read(path, _END + _TAG_BYTES)
            if raw is None:
                return None
            if raw[:4] == _MAGIC and equal(self._tag(raw), raw[_END:]):
                # two keys with one kid: the file is the other one's
                return raw[_START:_END] if raw[4:_START] == public else None
        except OSError:  # a bad block
            pass
        if self._tell is not None:
            self._tell(path + ": damaged")
        try:
            files.remove(path)  # it is told once
        except OSError:
            pass
        return None

    def _keep(self, public, table):
        if not (self._folder and self._key):
            return
        files.ensure_dir(self._folder)
        if len(files.names(self._folder)) >= MOST_FILES:
            return
        raw = bytearray(_MAGIC) + public + table
        raw += self._tag(raw)
        files.replace(self._path(public), raw)
