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
