"""The CA certificate that a hub is to trust: from a file in PEM or DER to the DER that boards read.

Source   RFC 5280 (4.1.2.5 validity, 4.2.1.9 basic constraints, 4.2.1.3 key usage), RFC 7468 (PEM).
Errors   ToolError naming the file and what is wrong with it.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ..errors import ToolError

MOST_BYTES = 4096  # what a hub reads of its CA file
_WHAT = "--ca wants the one CA certificate that the broker's certificate leads to"


def load(path: Path) -> bytes:
    """Return the certificate in DER, once it has shown to be a CA's, valid now, and of a kind boards know."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}; {_WHAT}") from None
    found = _only(path, raw)
    trouble = _trouble(found, datetime.datetime.now(datetime.UTC))
    if trouble:
        raise ToolError(f"{path} {trouble}; {_WHAT}")
    der = found.public_bytes(serialization.Encoding.DER)
    if len(der) > MOST_BYTES:
        raise ToolError(f"{path} has {len(der)} bytes in DER, a hub reads {MOST_BYTES}; {_WHAT}")
    return der


def _only(path: Path, raw: bytes) -> x509.Certificate:
    """Return the one certificate in `raw`."""
    try:
        if b"-----BEGIN" not in raw:
            return x509.load_der_x509_certificate(raw)
        found = x509.load_pem_x509_certificates(raw)
    except ValueError:
        raise ToolError(f"{path} is no certificate in PEM or DER; {_WHAT}") from None
    if len(found) != 1:
        raise ToolError(f"{path} holds {len(found)} certificates; {_WHAT}")
    return found[0]


def _trouble(found: x509.Certificate, now: datetime.datetime) -> str:
    """Return what keeps the certificate from being a CA for boards, "" when nothing does."""
    if not _may_sign(found):
        return "is not a CA's certificate (did you take the broker's own?)"
    if not isinstance(found.public_key(), (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return "has a key that is neither RSA nor an elliptic curve of NIST, which no board can check"
    if now > found.not_valid_after_utc:
        return f"has expired on {found.not_valid_after_utc:%d %B %Y}"
    if now < found.not_valid_before_utc:
        return f"is valid only from {found.not_valid_before_utc:%d %B %Y} on (is this computer's clock right?)"
    return ""


def _may_sign(found: x509.Certificate) -> bool:
    try:
        if not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return found.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid  # key usage may be left out, basic constraints not
