"""The meters' lines: a task for each, whoever is on it. Here those whose meters send unasked.

Runs on  the unix port and the boards
"""

_BUFFER = 256


def start(hub) -> None:
    """Start a task for each line that the meters of `hub` (app.Hub) are on."""
    buses = {}
    for meter in hub.meters:
        name = meter.setting["input"]
        if not meter.session:
            service = _services.get(meter.setting["protocol"], _listen)
            hub.start("meter " + meter.name, lambda meter=meter, service=service: service(hub, meter))
        elif name in buses:
            buses[name].append(meter)
        else:
            buses[name] = [meter]
            hub.start("line " + name, lambda meters=buses[name]: _ask(hub, meters))


async def _listen(hub, meter):
    uart = hub.board.uart(meter.setting["input"], *meter.line)
    try:
        await _read(hub, meter, uart, lambda: True)
    finally:
        uart.close()


async def _read(hub, meter, uart, goes_on):
    """Hand what comes to the meter's decoder while goes_on()."""
    buf = bytearray(_BUFFER)
    while goes_on():
        count = await uart.read_into(buf)
        meter.heard(buf, count)
        for telegram in meter.decoder.feed(buf, count):
            hub.household.take(meter, telegram)


async def _listen_to_any(hub, meter):
    """Find out what is on the line, and read it; find out again when nothing good comes any more."""
    from . import meter_finder  # noqa: PLC0415 - only for lines that nobody has described

    uart = hub.board.uart(meter.setting["input"], *meter.line)
    try:
        while True:
            await meter_finder.find(hub, meter, uart)
            await _read(hub, meter, uart, lambda: "LINE_STUCK" not in meter.troubles)
            meter_finder.forget(hub, meter)
    finally:
        uart.close()


async def _ask(hub, meters):
    from . import meter_bus  # noqa: PLC0415 - only for meters that are asked

    await meter_bus.run(hub, meters)


async def _count_pulses(hub, meter):
    from . import pulse_line  # noqa: PLC0415 - only for meters that blink

    await pulse_line.run(hub, meter)


_services = {"auto": _listen_to_any, "pulse": _count_pulses}
