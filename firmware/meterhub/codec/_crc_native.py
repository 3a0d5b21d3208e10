"""Viper twin of crc._reflected_py; the only reason to exist is speed."""

import micropython


@micropython.viper
def reflected(buf: ptr8, n: int, crc: int, poly: int) -> int:  # the caller answers for n <= len(buf)
    for i in range(n):
        crc ^= buf[i]
        for _ in range(8):
            crc = (crc >> 1) ^ poly if crc & 1 else crc >> 1
    return crc
