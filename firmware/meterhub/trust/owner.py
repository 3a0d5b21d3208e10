"""Who owns this hub: the root key that signs its certificate and its settings.

Source   JWS ES256: RFC 7515, RFC 7518 3.4. Header {alg, kid, typ}; kid is identity.hub_id() of the key that signed.
Errors   HubError MALFORMED, OVERSIZED, BAD_POINT, NOT_AUTHENTIC, WRONG_HUB, REPLAY, each with the field; StoreError
         when the record is damaged: who owns the hub must not be forgotten by itself. A refusal changes nothing.
Runs on  both

  typ "mh-cert"      the hub's certificate, claims
                     {"v": 1, "hub": id, "key": point, "root": point, "seq": n, "name": text, "at": Unix s}
                     points are SEC1 uncompressed, 65 bytes, base64url; seq 1 .. 2^30 - 1, name 1 .. 64 characters.
                     A hub without owner believes the root that the certificate names and that has signed it (trust on
                     first use: whoever has the cable of a new hub). Later only the root in force signs, and seq must
                     be higher; a certificate that names another root hands the hub over to it.
  typ "mh-settings"  {"v": 1, "hub": id, "seq": n, "settings": settings document, "ca": DER in base64, or absent}
                     signed by the root in force, seq higher than any before (certificates and settings count as one
                     row). With `ca` the hub keeps that certificate in a file and puts its name into wan.ca.

Format   JSON {root: base64url, seq: n, cert: compact JWS} in one two-slot record.

Settings, CA and seq change together or not at all, whenever the power is cut: they are one store.transaction. The CA
is a file named by its hash, which the settings name.
"""

import binascii
import hashlib
import json

from ..codec import base64url, jose
from ..crypto import p256
from ..errors import HubError
from ..store import files
from ..store.transaction import Transaction
from . import identity, mhx

MAX_DOCUMENT = 8192
_MAX_CERTIFICATE = 2048
_LARGEST_SEQ = (1 << 30) - 1
_SETTINGS = "settings.json"


class Owner:
    """The owner in `record` (a store.record.Record). hub: this hub's id; public: its point (65 bytes).

    root: the point in force, b"" on a hub that nobody owns; seq: the highest number taken.
    """

    def __init__(self, record, hub: str, public: bytes) -> None:
        self._record = record
        self._hub = hub
        self._public = public
        raw = record.load()
        self._state = json.loads(raw) if raw else {"root": "", "seq": 0, "cert": ""}

    @property
    def root(self) -> bytes:
        return base64url.decode(self._state["root"])

    @property
    def kid(self) -> str:
        return identity.hub_id(self.root) if self._state["root"] else ""

    @property
    def seq(self) -> int:
        return self._state["seq"]

    # -- the certificate -----------------------------------------------------------------------------

    def adopt(self, token: str):
        """Take (as a generator, see crypto/steps.py) the certificate `token`; HubError when it cannot be believed."""
        kid, claims = self._claims(token, "mh-cert", _MAX_CERTIFICATE)
        key = mhx.binary(claims, "key", 65)
        root = mhx.binary(claims, "root", 65)
        mhx.text(claims, "name", 64)
        mhx.whole(claims, "at", 0, 1 << 33)
        p256.decode_point(root)  # a hub handed over to what is no key would be nobody's for good
        yield from self._verify(token, kid, self.root or root)
        self._check_hub(claims)
        if key != self._public:
            raise HubError("WRONG_HUB", "key")
        self._check_seq(claims)
        state = {"root": claims["root"], "seq": claims["seq"], "cert": token}
        self._record.save(json.dumps(state).encode())
        self._state = state

    # -- settings ------------------------------------------------------------------------------------

    def open_settings(self, token: str):
        """Return (as a generator) (seq, settings document, CA in DER or b"") of the signed settings `token`.

        They are authentic, for this hub and new; nothing has been changed by that.
        """
        kid, claims = self._claims(token, "mh-settings", MAX_DOCUMENT)
        if not isinstance(claims.get("settings"), dict):
            raise HubError("MALFORMED", "settings")
        ca = _der(claims)
        if not self._state["root"]:
            raise HubError("NOT_AUTHENTIC", "root")  # nobody has been told whom to believe
        yield from self._verify(token, kid, self.root)
        self._check_hub(claims)
        self._check_seq(claims)
        return claims["seq"], claims["settings"], ca

    def put_settings(self, seq: int, folder: str, raw: bytes, ca: bytes) -> None:
        """Let the settings document `raw` take the place of settings.json in `folder`, `seq` and `ca` with it."""
        state = dict(self._state)
        state["seq"] = seq
        change = Transaction(folder)
        if ca:
            change.put(ca_name(ca), ca)
        change.put(_SETTINGS, raw)
        change.save(self._record, json.dumps(state).encode())
        change.commit()
        self._state = state

    # -- one step of the checks each -----------------------------------------------------------------

    def _claims(self, token, typ, limit):
        header, claims = jose.jws_claims(token, limit)
        if header.get("typ") != typ:
            raise HubError("MALFORMED", "typ")
        kid = mhx.text(header, "kid", 16)
        mhx.whole(claims, "v", 1, 1)
        mhx.text(claims, "hub", 16)
        mhx.whole(claims, "seq", 1, _LARGEST_SEQ)
        return kid, claims

    def _verify(self, token, kid, root):
        if kid != identity.hub_id(root) or not (yield from identity.verify(root, token)):
            raise HubError("NOT_AUTHENTIC", "root")

    def _check_hub(self, claims):
        if claims["hub"] != self._hub:
            raise HubError("WRONG_HUB", "hub")

    def _check_seq(self, claims):
        if claims["seq"] <= self.seq:
            raise HubError("REPLAY", "seq")


def remove_old_cas(folder: str, kept: str) -> None:
    """Delete the CA certificates that owners have sent, except the file `kept`."""
    for name in files.names(folder):
        if name.startswith("ca-") and name.endswith(".der") and name != kept:
            files.remove(folder + "/" + name)


def ca_name(der: bytes) -> str:
    """Return the name of the file for the CA certificate `der`."""
    return "ca-%s.der" % binascii.hexlify(hashlib.sha256(der).digest()).decode()[:8]


def _der(claims):
    if "ca" not in claims:
        return b""
    text = mhx.text(claims, "ca", MAX_DOCUMENT)
    try:
        der = binascii.a2b_base64(text)
    except ValueError:
        raise HubError("MALFORMED", "ca")
    if der[:1] != b"\x30":  # a SEQUENCE: what every certificate in DER is
        raise HubError("MALFORMED", "ca")
    return der
