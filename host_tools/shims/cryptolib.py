"""MicroPython's `cryptolib` for CPython: AES in ECB and CBC, with the same refusals as on the boards.

Source   MicroPython documentation, "cryptolib"; extmod/modcryptolib.c for what it refuses: mode 6 (CTR) is not
         in stock firmware, and an object works in one direction only, the first that is asked of it.
Errors   ValueError, where MicroPython raises ValueError.
Runs on  host only
"""

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

_ECB, _CBC = 1, 2


class aes:
    """aes(key, mode[, iv]): `key` 16 or 32 bytes, `iv` 16 bytes with CBC."""

    def __init__(self, key: bytes, mode: int, iv: bytes | None = None) -> None:
        if mode not in (_ECB, _CBC):
            raise ValueError("mode")
        if len(key) not in (16, 32):
            raise ValueError("key")
        if mode == _CBC and (iv is None or len(iv) != 16):
            raise ValueError("IV")
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(iv)) if mode == _CBC and iv else modes.ECB())
        self._context: CipherContext | None = None
        self._encrypts = False

    def encrypt(self, source: bytes, into: bytearray | None = None) -> bytes | bytearray:
        """Return the ciphertext of whole blocks, or write it `into` a buffer (which may be `source`)."""
        return self._process(True, source, into)

    def decrypt(self, source: bytes, into: bytearray | None = None) -> bytes | bytearray:
        """Return the plaintext of whole blocks, or write it `into` a buffer (which may be `source`)."""
        return self._process(False, source, into)

    def _process(self, encrypts: bool, source: bytes, into: bytearray | None) -> bytes | bytearray:
        if len(source) % 16:
            raise ValueError("blksize % 16")
        if self._context is None:
            self._context = self._cipher.encryptor() if encrypts else self._cipher.decryptor()
            self._encrypts = encrypts
        elif encrypts != self._encrypts:
            raise ValueError("can't encrypt & decrypt")
        out = self._context.update(bytes(source))
        if into is None:
            return out
        if len(into) < len(out):
            raise ValueError("output too small")
        into[: len(out)] = out
        return into
