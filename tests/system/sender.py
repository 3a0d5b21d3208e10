"""A market role's real head-end beside the home of market.py: what its sender knows of a command, and when."""

import asyncio
import time

from cryptography.hazmat.primitives.asymmetric import ec

from meterhub.store.record import Record
from meterhub_tools.headend import HeadEnd, Role, Store
from meterhub_tools.headend.store import SETTLE_S, Transaction

PATIENCE_S = 40


class Sender:
    """The head-end of a role. It runs only while one of its functions does: between them it is away."""

    def __init__(self, market, role: str) -> None:
        self._market, self._party = market, market.parties[role]
        self._role = Role(role.lower(), role, ec.derive_private_key(self._party.scalar, ec.SECP256R1()))
        self._url = f"sqlite:///{market.folder}/{role}.sqlite3"
        self._store = Store(self._url)
        public = Record(str(market.home.hub.data / "identity")).load()[32:]
        self._store.admit([(market.home.hub.id, public, "home")])

    def __enter__(self) -> "Sender":
        """Nobody else says that this role's letters were received."""
        self._party.deaf = True
        return self

    def __exit__(self, *_) -> None:
        self._party.deaf = False
        self._store.close()

    def _head(self, store=None):
        return HeadEnd(self._role, f"mqtt://127.0.0.1:{self._market.broker.port}", store or self._store, group="")

    def state(self, given: Transaction) -> Transaction:
        """Return what the sender's books say of a command."""
        return self._store.transaction(given.kid, given.hub, given.ctr)

    def gives(self, cmd: str, arg: dict) -> Transaction:
        """Give a command; return it when the hub has answered, and be away then."""

        async def run():
            async with self._head() as head:
                await head.connected(PATIENCE_S)
                return await head.command(self._market.home.hub.id, cmd, arg)

        given = asyncio.run(run())
        self._party.ctr = given.ctr
        return given

    def misses(self, given: Transaction) -> Transaction:
        """Come back after all the time that the household may take, by this head-end's clock, without a broker."""
        late = Store(self._url, lambda: time.time() + SETTLE_S + 5)

        async def run():
            async with self._head(late) as head, asyncio.timeout(PATIENCE_S):
                return await head.wait(given, settled=True)

        try:
            return asyncio.run(run())
        finally:
            late.close()

    def hears(self, given: Transaction) -> Transaction:
        """Come back, and return the command when it is done after all."""

        async def run():
            async with self._head() as head, asyncio.timeout(PATIENCE_S):
                await head.connected(PATIENCE_S)
                while self.state(given).state == "OVERDUE":
                    await asyncio.sleep(0.1)

        asyncio.run(run())
        return self.state(given)

    def overdue(self, given: Transaction, final) -> None:
        """Let a report not be received: the hub says NOT_RECEIVED, the sender OVERDUE; then it comes after all.

        final() returns the letter that nobody has said to have received.
        """
        market = self._market
        assert (given.state, given.accepted) == ("DELIVERED", True)
        letter = final()
        market.journal("NOT_RECEIVED", f"letter {letter['n']} to {self._party.kid}", 45)
        market.broker.kill()
        market.journal("LINK_DOWN")
        missed = self.misses(given)
        assert (missed.state, missed.accepted) == ("OVERDUE", True)
        market.broker.start()
        heard = self.hears(given)
        assert (heard.state, heard.answer) == ("DONE", letter["data"])
