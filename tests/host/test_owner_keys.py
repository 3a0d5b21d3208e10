"""The root key's folder and the CA's certificate: what is made, what is refused, and that nothing secret is shown."""

import datetime
import getpass
import multiprocessing
import os
import stat
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws
from joserfc.jwk import ECKey

from meterhub_tools.errors import ToolError
from meterhub_tools.owner import ca, documents, keys

from meterhub.codec import base64url  # isort: skip

VARIABLE = "METERHUB_KEY_PASSPHRASE"


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_key_is_made_once_readable_by_its_owner_alone(tmp_path):
    folder = tmp_path / "a/b"
    first = keys.load(folder)
    assert keys.load(folder).kid == first.kid
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(first.point) == 65


def test_signature_is_es256_by_the_keys_point(tmp_path):
    root = keys.load(tmp_path)
    token = root.sign("mh-cert", {"v": 1})
    x, y = base64url.encode(root.point[1:33]), base64url.encode(root.point[33:])
    found = jws.deserialize_compact(token, ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y}))
    assert found.headers() == {"alg": "ES256", "kid": root.kid, "typ": "mh-cert"}


def test_repr_shows_the_kid_and_nothing_else(tmp_path):
    root = keys.load(tmp_path)
    assert repr(root) == f"<Root {root.kid}>"


def test_key_with_a_passphrase_opens_with_it_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "open sesame")
    kid = keys.load(tmp_path).kid
    assert b"ENCRYPTED" in (tmp_path / "root-key.pem").read_bytes()
    assert keys.load(tmp_path).kid == kid
    monkeypatch.setenv(VARIABLE, "open barley")
    with pytest.raises(ToolError, match="the passphrase is wrong") as caught:
        keys.load(tmp_path)
    assert "barley" not in str(caught.value)
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ToolError, match=f"set {VARIABLE}"):
        keys.load(tmp_path)


def test_passphrase_is_typed_twice_at_a_terminal(tmp_path, monkeypatch):
    typed = iter(["one", "other", "one", "one", "one"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda question: next(typed))
    with pytest.raises(ToolError, match="the two passphrases differ"):
        keys.load(tmp_path)
    assert list(tmp_path.iterdir()) == []
    kid = keys.load(tmp_path).kid
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    monkeypatch.setenv(VARIABLE, "one")
    assert keys.load(tmp_path).kid == kid


def test_key_that_others_can_read_is_refused(tmp_path):
    keys.load(tmp_path)
    (tmp_path / "root-key.pem").chmod(0o640)
    with pytest.raises(ToolError, match="chmod 600"):
        keys.load(tmp_path)


@pytest.mark.parametrize("made", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_key_of_another_kind_is_refused(tmp_path, made):
    raw = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "root-key.pem").write_bytes(raw)
    (tmp_path / "root-key.pem").chmod(0o600)
    with pytest.raises(ToolError, match="no P-256 key"):
        keys.load(tmp_path)


def test_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "root-key.pem").write_bytes(b"hello")
    (tmp_path / "root-key.pem").chmod(0o600)
    with pytest.raises(ToolError, match="no private key"):
        keys.load(tmp_path)


def test_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="choose another folder with --keys"):
        keys.load(tmp_path / "file/keys")


def _load_kid(folder):
    return keys.load(folder).kid


def test_two_first_uses_at_once_make_one_key(tmp_path):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert len(set(pool.map(_load_kid, [tmp_path] * 6))) == 1
    assert os.listdir(tmp_path) == ["root-key.pem"]


# -- what a root vouches for -------------------------------------------------------------------------------------


def test_certificate_says_what_was_signed(tmp_path):
    root = keys.load(tmp_path / "a")
    hub = keys.load(tmp_path / "hub")  # any point will do
    token = documents.certificate(root, root, hub.kid, hub.point, 3, "home", 1_800_000_000)
    said = documents.check_certificate(token, root.point)
    assert said == documents.Certificate(hub.kid, hub.point, root.point, 3, "home", 1_800_000_000)


def test_hand_over_is_no_certificate_of_the_new_root(tmp_path):
    old, new, hub = (keys.load(tmp_path / name) for name in ("old", "new", "hub"))
    token = documents.certificate(old, new, hub.kid, hub.point, 3, "home", 1_800_000_000)
    for root in (old, new):
        with pytest.raises(ToolError, match="does not verify"):
            documents.check_certificate(token, root.point)


def test_certificate_for_an_id_that_is_not_the_keys_is_refused(tmp_path):
    root, hub = keys.load(tmp_path / "a"), keys.load(tmp_path / "hub")
    token = documents.certificate(root, root, "0" * 16, hub.point, 3, "home", 1_800_000_000)
    with pytest.raises(ToolError, match="WRONG_HUB"):
        documents.check_certificate(token, root.point)


def test_other_documents_of_the_root_are_no_certificate(tmp_path):
    root = keys.load(tmp_path)
    token = documents.settings(root, root.kid, 1, {"schema": 1}, None)
    with pytest.raises(ToolError, match="does not verify"):
        documents.check_certificate(token, root.point)


# -- the CA ------------------------------------------------------------------------------------------------------

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def certificate(is_ca=True, start=-DAY, stop=30 * DAY, key=None, usage=None, constraints=True):
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")])
    build = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    build = build.serial_number(1).not_valid_before(NOW + start).not_valid_after(NOW + stop)
    if constraints:
        build = build.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    if usage is not None:
        flags = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
        )
        flags |= dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False)
        build = build.add_extension(x509.KeyUsage(key_cert_sign=usage, **flags), critical=True)
    return build.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem(*found):
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in found)


def der(found):
    return found.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("usage", [None, True])
def test_pem_and_der_become_the_same_der(tmp_path, usage):
    found = certificate(usage=usage)
    for name, raw in (("a.pem", pem(found)), ("b.pem", b"a comment\n" + pem(found)), ("c.der", der(found))):
        (tmp_path / name).write_bytes(raw)
        assert ca.load(tmp_path / name) == der(found)


GOOD = certificate()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (pem(certificate(is_ca=False)), "is not a CA's certificate"),
        (pem(certificate(constraints=False)), "is not a CA's certificate"),
        (pem(certificate(usage=False)), "is not a CA's certificate"),
        (pem(certificate(start=-9 * DAY, stop=-DAY)), "has expired on"),
        (pem(certificate(start=DAY)), "is valid only from"),
        (pem(certificate(key=ed25519.Ed25519PrivateKey.generate())), "which no board can check"),
        (pem(GOOD, GOOD), "holds 2 certificates"),
        (pem(GOOD)[:200], "is no certificate"),
        (der(GOOD)[:-9], "is no certificate"),
        (b"", "is no certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is no certificate"),
    ],
)
def test_what_is_no_ca_for_a_board_is_refused(tmp_path, raw, said):
    (tmp_path / "ca").write_bytes(raw)
    with pytest.raises(ToolError, match=said):
        ca.load(tmp_path / "ca")


def test_certificate_too_long_for_a_hub_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ca, "MOST_BYTES", 100)
    (tmp_path / "ca").write_bytes(pem(GOOD))
    with pytest.raises(ToolError, match="a hub reads 100"):
        ca.load(tmp_path / "ca")
