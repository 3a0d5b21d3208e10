"""What the website keeps in its database: customers, the hubs they linked, what was asked and when, what hubs told.

No reading, PIN or key of an exchange is ever stored: those live in vault.py and live.py, in memory.
"""

from __future__ import annotations

import secrets
import time
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

REGISTERS = (("1-0:1.8.0", "taken from the grid"), ("1-0:2.8.0", "sent to the grid"))
RESOLUTIONS = (("half-hour", "every half-hour"), ("day", "every day"), ("month", "every month"))
MODES = (("private", "Only this browser"), ("server", "This website"))
MAKERS = (*MODES, ("hub", "My hub"))  # of a bill


def unix_now() -> int:
    """Return the time as Unix seconds."""
    return int(time.time())


def pseudonym() -> str:
    """Return a new name for an account towards one hub; it says nothing about who that is."""
    return "a-" + secrets.token_hex(8)


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def create_user(self, username: str, meter_id: str, password: str) -> Account:
        """Store and return a new account."""
        account = self.model(username=username, meter_id=meter_id)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser):
    """A customer. meter_id: what is printed on the meter, for the customer's own reference."""

    username: models.CharField[str, str] = models.CharField(max_length=40, unique=True)
    meter_id: models.CharField[str, str] = models.CharField(max_length=32)
    created_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    objects = AccountManager()
    links: models.Manager[Link]
    log: models.Manager[Entry]
    billings: models.Manager[Billing]
    bills: models.Manager[Given]


class Link(models.Model):
    """A hub that somebody who could see its display linked to an account, and what it may be asked for."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="links"
    )
    account_id: int
    hub: models.CharField[str, str] = models.CharField(max_length=16)
    sub: models.CharField[str, str] = models.CharField(max_length=32, default=pseudonym)
    regs: models.JSONField[list[str], list[str]] = models.JSONField()
    res: models.CharField[str, str] = models.CharField(max_length=10)
    until: models.BigIntegerField[int, int] = models.BigIntegerField()
    linked_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)
    used_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    revoked_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "hub"], name="one_link_per_hub")]

    @property
    def live(self) -> bool:
        """Whether a request under it would be looked at."""
        return not self.revoked_at and self.until >= unix_now()

    @property
    def ends_at(self) -> int:
        """When it ended, or will."""
        return min(self.revoked_at or self.until, self.until)


class Billing(models.Model):
    """That a hub commits to its readings for an account, so that bills can be proved.

    tariff: as its supplier signed it, base64url, "" for none yet.
    """

    account: models.ForeignKey[Account, Account] = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="billings"
    )
    account_id: int
    hub: models.CharField[str, str] = models.CharField(max_length=16)
    regs: models.JSONField[list[str], list[str]] = models.JSONField()
    since: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)
    until: models.BigIntegerField[int, int] = models.BigIntegerField()
    revoked_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    tariff: models.TextField[str, str] = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "hub"], name="one_billing_per_hub")]

    @property
    def live(self) -> bool:
        """Whether the hub makes batches under it."""
        return not self.revoked_at and self.until >= unix_now()


class Batch(models.Model):
    """A day of commitments as a hub signed it: public, and no reading can be told from it."""

    hub: models.CharField[str, str] = models.CharField(max_length=16)
    chain: models.CharField[str, str] = models.CharField(max_length=32)
    day: models.IntegerField[int, int] = models.IntegerField()
    raw: models.BinaryField = models.BinaryField()
    received_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["hub", "chain", "day"], name="each_batch_once")]


class Given(models.Model):
    """A bill that was made: for which time and by which tariff (its digest in hex); never what it came to."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="bills"
    )
    account_id: int
    hub: models.CharField[str, str] = models.CharField(max_length=16)
    start: models.BigIntegerField[int, int] = models.BigIntegerField()
    stop: models.BigIntegerField[int, int] = models.BigIntegerField()
    tariff: models.CharField[str, str] = models.CharField(max_length=64)
    at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)

    class Meta:
        ordering: ClassVar = ["-start"]


class Entry(models.Model):
    """One request, done or refused."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="log"
    )
    account_id: int
    hub: models.CharField[str, str] = models.CharField(max_length=16)
    code: models.CharField[str, str] = models.CharField(max_length=4)
    what: models.CharField[str, str] = models.CharField(max_length=8)
    mode: models.CharField[str, str] = models.CharField(max_length=8)
    res: models.CharField[str, str] = models.CharField(max_length=10, blank=True)
    start: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    stop: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)
    ended_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    result: models.CharField[str, str] = models.CharField(max_length=8, default="open")
    error: models.CharField[str, str] = models.CharField(max_length=32, blank=True)
    left_house: models.CharField[str, str] = models.CharField(max_length=8, default="nothing")

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    @property
    def last(self) -> int:
        """The last second asked for: midnight belongs to the day before it."""
        return self.stop - 1


class Event(models.Model):
    """Something that a hub has told of its own accord. box, number: its id there; at: when, 0: it did not know."""

    hub: models.CharField[str, str] = models.CharField(max_length=16)
    box: models.CharField[str, str] = models.CharField(max_length=8)
    number: models.BigIntegerField[int, int] = models.BigIntegerField()
    at: models.BigIntegerField[int, int] = models.BigIntegerField()
    name: models.CharField[str, str] = models.CharField(max_length=32)
    detail: models.CharField[str, str] = models.CharField(max_length=160, blank=True)
    received_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)

    class Meta:
        ordering: ClassVar = ["box", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["hub", "box", "number"], name="each_event_once")]


class Loss(models.Model):
    """How many items a hub had given up of a box, as of some delivery; a row whenever it has risen."""

    hub: models.CharField[str, str] = models.CharField(max_length=16)
    box: models.CharField[str, str] = models.CharField(max_length=8)
    dropped: models.BigIntegerField[int, int] = models.BigIntegerField()
    received_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["hub", "box", "dropped"], name="each_loss_once")]


class Notice(models.Model):
    """What a hub shows to its household. number: its id there; letter: the number of the one that told this; decided:
    what was decided here and the hub has not answered yet."""

    SHOWN: ClassVar = ("shown", "read", "accepted", "declined", "overridden", "saved")
    ENDS: ClassVar = (("save", "Keep"), ("delete", "Delete"))

    hub: models.CharField[str, str] = models.CharField(max_length=16)
    number: models.BigIntegerField[int, int] = models.BigIntegerField()
    letter: models.BigIntegerField[int, int] = models.BigIntegerField()
    state: models.CharField[str, str] = models.CharField(max_length=12)
    said: models.CharField[str, str] = models.CharField(max_length=12, blank=True)
    asks: models.CharField[str, str] = models.CharField(max_length=12, blank=True)
    changed_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    start: models.BigIntegerField[int, int] = models.BigIntegerField()
    expiry: models.BigIntegerField[int, int] = models.BigIntegerField()
    at: models.BigIntegerField[int, int] = models.BigIntegerField(default=0)
    category: models.CharField[str, str] = models.CharField(max_length=16, blank=True)
    name: models.CharField[str, str] = models.CharField(max_length=64, blank=True)
    title: models.CharField[str, str] = models.CharField(max_length=16, blank=True)
    text: models.CharField[str, str] = models.CharField(max_length=160, blank=True)
    decided: models.CharField[str, str] = models.CharField(max_length=8, blank=True)
    received_at: models.BigIntegerField[int, int] = models.BigIntegerField(default=unix_now)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["hub", "number"], name="each_notice_once")]

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """What may be decided now: (decision, what the button says)."""
        open_now = not self.expiry or self.expiry > unix_now()
        if self.asks and open_now:
            yes = () if self.said else (("accept", "Yes" if self.asks == "accept" else "OK"),)
            return (*yes, ("decline", "No") if self.asks == "accept" else ("override", "Override"))
        if self.asks and not self.said:
            return ()
        return (("read", "I have read it"),) if self.state == "shown" else self.ENDS
