"""The head-end's API: command hubs as a market role, collect what they tell, each thing once.

from meterhub_tools.headend import HeadEnd, Role, Store
"""

from .. import firmware  # noqa: F401  (puts the firmware's package on the path)
from ..roles.keys import Role, load
from .head_end import HeadEnd
from .store import Alert, Hub, Reading, Store, Transaction, Wish
from .wire import NEVER, Letter

__all__ = ["NEVER", "Alert", "HeadEnd", "Hub", "Letter", "Reading", "Role", "Store", "Transaction", "Wish", "load"]
