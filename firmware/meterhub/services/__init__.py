"""The use cases: a module each, loaded when a command of its comes in, and let go afterwards.

Source   ETSI TR 102 691, 5.2.3 to 5.2.16
Errors   HubError with the field ("arg.from"); what a service raises is what its command is refused with
Runs on  both

A module defines  handle(hub, command) -> Result, or a generator that returns one (crypto/steps.py): all or nothing.
       and may    check(hub, command): raises what handle() would, for a command that is staged until its date
                  decided(hub, notice, decision) -> Result or None: the household has answered a notice (notices.py)
                  refused(hub, cmd, err): a command of its was authentic, and refused
hub is app.Hub, command is trust.command.Command. Which module a command belongs to stands in trust/matrix.py.
"""

from collections import namedtuple

# outcome: "done", or "pending": a letter will say more; data: what the answer brings, JSON of at most 3 KB
Result = namedtuple("Result", ("outcome", "data"))
