"""How a host tool ends: 0 done, 1 the device or the data said no, 2 wrong usage."""


class ToolError(Exception):
    """Something the operator can act on, printed as one line. Anything else that escapes is a bug: a traceback."""


class UsageError(ToolError):
    """The command line asks for what cannot be: an option is missing, or its value is none."""
