"""Modbus answers a second: the firmware's decoder in MicroPython against minimalmodbus in CPython.

Both read every row of an SDM630's map. The firmware asks for blocks of registers and works each row out by its map;
minimalmodbus has a request for each value, and a fake port answers it at once. So the figure is whole readouts, as
many answers as the blocks make.
"""

from figures import Table
from history import END
from polled import compare

from meterhub.meters import maps
from meterhub.meters.modbus_map import RegisterMap
from meterhub.meters.modbus_session import request_frame
from meterhub_tools.simulators.household import Household
from meterhub_tools.simulators.modbus_meter import ModbusMeter

MAP = "sdm630"


def tables() -> list[Table]:
    """Return the table of the simulated meter."""
    meter = ModbusMeter(Household(END - 86400), MAP)
    line = []
    for function, start, count in RegisterMap.from_text(maps.text(MAP)).requests():
        request = request_frame(1, function, start, count)
        line.append(request + meter.answer(request, END - 86400))
    table = compare("Modbus: simulated SDM630", "modbus", line, {"minimalmodbus": "values"}, MAP)
    table.notes = ["goal: MicroPython at least as fast as minimalmodbus, CPython 5 times as fast"]
    return [table]
