"""The firmware's version (semantic versioning 2.0.0)."""

VERSION = "0.1.0"
