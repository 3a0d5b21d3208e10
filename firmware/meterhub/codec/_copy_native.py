"""Viper twin of copy._copy_py; the only reason to exist is speed."""

import micropython


@micropython.viper
def copy(to: ptr8, at: int, raw: ptr8, pos: int, n: int):  # the caller answers for both ranges
    for i in range(n):
        to[at + i] = raw[pos + i]
