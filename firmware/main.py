"""Boot entry: a board starts here."""

import micropython

micropython.alloc_emergency_exception_buf(100)

from meterhub import app  # noqa: E402 - the buffer comes first

app.main()
