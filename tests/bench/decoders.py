"""What each decoder of a meter takes of a 32-bit board's memory, for each line and for each byte of it.

The firmware runs from its image in place, as a frozen build does: its code takes no heap. "a line": one decoder with
its buffers; "a byte": what feed() allocates while a frame comes in byte by byte, until the byte that completes it.
"""

from figures import Table
from worker import Broken, on_port

from meterhub_tools import toolchain

KINDS = ("p1", "sml", "dlms", "mbus", "modbus", "iec62056", "p1-encrypted", "dlms-ciphered")


def tables() -> list[Table]:
    """Return the one table."""
    table = Table("Decoders: bytes of heap on 32 bits", ["", "a line", "a byte"])
    image = toolchain.firmware_image()
    with on_port("decoder_heap.py", bits=32, heapsize=toolchain.HEAP_OF_A_BOARD, code=image) as worker:
        worker.ready()
        for kind in KINDS:
            answer = worker.ask("heap", kind)
            if not isinstance(answer, list):
                raise Broken(f"{kind}: {answer}")
            line, fed, allocated = answer
            table.add(kind, line, allocated / fed if allocated else 0)
    table.notes = ["goal: nothing for a byte; IEC 62056-21 keeps each number until the readout's check character"]
    return [table]
