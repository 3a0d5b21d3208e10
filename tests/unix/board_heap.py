"""To be imported before what is tested: rubbish is collected as early as on a board (firmware/main.py).

What stays in memory does not come to lie all over it then, and the next module finds its room in one piece.
"""

import gc

if hasattr(gc, "threshold"):  # MicroPython's
    gc.threshold(8192)
