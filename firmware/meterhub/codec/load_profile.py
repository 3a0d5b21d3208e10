"""What a load profile is made of: its columns, its entries, how good an entry is.

Units    a value is an integer x 10^scale in the column's unit (unit codes of IEC 62056-6-2 table 4: 30 Wh, 13 m3);
         Entry.at is an interval's end, Unix seconds
Runs on  both
"""

from collections import namedtuple

MISSING = 0
MEASURED = 1
PARTIAL = 2  # the last reading lies more than a minute before the interval's end, or the hub was off within it
CLOCK_UNSURE = 3  # stamped by a clock that was not synchronised
OPEN = 4  # the interval has not ended; the reading is the newest
EXCHANGED = 5  # another meter took its place within the interval; the reading is the new one's
QUALITY = ("missing", "measured", "partial", "clock unsure", "open", "meter exchanged")
KEPT = (MEASURED, PARTIAL, CLOCK_UNSURE, EXCHANGED)  # what a store keeps

# obis: "1-0:1.8.0"; scale: power of ten; unit: IEC 62056-6-2 code
Column = namedtuple("Column", ("obis", "scale", "unit"))
# at: Unix seconds of the interval's end; values: tuple of int or None, one per column
Entry = namedtuple("Entry", ("at", "quality", "values"))
