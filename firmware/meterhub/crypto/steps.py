"""Two ways to go through a slow operation that is written as a generator.

Public-key operations yield between slices of at most 50 ms on a board; what they
return is the generator's return value.

Errors   whatever the operation raises.
Runs on  both
"""


def run(steps):
    """Go through `steps` without a pause and return its result: for start-up, tests and the host."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


async def slowly(steps):
    """Go through `steps`, let every other task run between two slices, and return its result."""
    import asyncio  # noqa: PLC0415 - who never waits need not load it

    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        await asyncio.sleep(0)
