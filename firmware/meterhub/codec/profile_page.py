"""A page of a load profile, as a market role is sent it: its form, and how whoever gets it sees that it is whole.

Source   this file
Units    Unix seconds, UTC; a value is an integer x 10^scale in `unit` (codes of IEC 62056-6-2, table 4: 30 Wh)
Errors   HubError MALFORMED with the field for what is no page
Runs on  both

A page is a JSON object:
  from, to   where its first interval begins and its last one ends; no interval between them is left out
  step_s     seconds of an interval
  seq        number of the first interval, from / step_s: it goes on through all pages, whenever they are asked for
  registers  [[OBIS, unit, scale], ...]
  base       [the reading of each register at `from`, null where there is none]. A page without `base` tells growth.
  values     [[...] for each register], one for each interval. With a base: what the register has grown by since the
             reading before it, of an interval of this page or else base (the reading itself while there was none).
             Without: what it has grown by within the interval. null where there is none, never 0.
  quality    a digit for each interval, its number in codec/load_profile.py: "1" measured, "0" missing, ...
  next       `from` of the page that follows, 0 after the last
  sha256     base64url of SHA-256 over these lines of ASCII, each ended by LF: "meterhub page 1", "STEP_S", for each
             register "OBIS UNIT SCALE", for each interval "SEQ QUALITY VALUE..." with the registers' readings (or the
             growth, without a base) and "-" for null
The same intervals, asked for again, make the same page.
"""

import hashlib

from ..errors import HubError
from . import base64url


def rows(page: dict):
    """Yield (seq, quality, [reading or growth of each register]) of each interval of a page."""
    values, quality, seq = page["values"], page["quality"], page["seq"]
    if page["to"] - page["from"] != len(quality) * page["step_s"] or page["from"] != seq * page["step_s"]:
        raise HubError("MALFORMED", "quality")
    if len(values) != len(page["registers"]) or any([len(one) != len(quality) for one in values]):
        raise HubError("MALFORMED", "values")
    last = [base or 0 for base in page["base"]] if "base" in page else None
    for i in range(len(quality)):
        told = [one[i] for one in values]
        if last is not None:
            for n, step in enumerate(told):
                if step is not None:
                    told[n] = last[n] = last[n] + step
        yield seq + i, int(quality[i]), told


def checksum(page: dict) -> str:
    """Return what `sha256` of this page has to be."""
    digest = hashlib.sha256(b"meterhub page 1\n%d\n" % page["step_s"])
    for obis, unit, scale in page["registers"]:
        digest.update(("%s %d %d\n" % (obis, unit, scale)).encode())
    for seq, quality, told in rows(page):
        words = ["-" if value is None else str(value) for value in told]
        digest.update(("%d %d %s\n" % (seq, quality, " ".join(words))).encode())
    return base64url.encode(digest.digest())


def is_whole(page: dict) -> bool:
    """Return whether a page is as the hub has made it."""
    try:
        return checksum(page) == page["sha256"]
    except (HubError, KeyError, TypeError, ValueError, IndexError):
        return False
