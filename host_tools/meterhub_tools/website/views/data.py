"""What was decrypted in server mode: seen, saved by the customer, deleted."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Iterator
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from ... import proof
from ...recipient import HubBill, Result
from .. import state
from ..vault import Stored
from .session import vault_key

from meterhub.codec.load_profile import QUALITY, Column  # isort: skip

UNITS = {30: "Wh", 13: "m3"}  # IEC 62056-6-2 table 4


def _stored(request: HttpRequest, id: str) -> Stored:
    stored = state.desk().vault.find(vault_key(request), id)
    if stored is None:
        raise Http404
    return stored


def _readings(request: HttpRequest, id: str) -> tuple[Stored, Result]:
    stored = _stored(request, id)
    if isinstance(stored.result, HubBill):
        raise Http404
    return stored, stored.result


@require_GET
@login_required
def page(request: HttpRequest, id: str) -> HttpResponse:
    """Show the chart's page; the readings come by `readings`."""
    return render(request, "website/data.html", {"stored": _readings(request, id)[0]})


@require_GET
@login_required
def readings(request: HttpRequest, id: str) -> JsonResponse:
    """Return the readings, as exchange.js has them in private mode."""
    _, result = _readings(request, id)
    return JsonResponse(
        {
            "columns": [column._asdict() for column in result.columns],
            "start": result.start,
            "base": result.base,
            "entries": [entry._asdict() for entry in result.entries],
        }
    )


@require_GET
@login_required
def table(request: HttpRequest, id: str) -> HttpResponse:
    """Return the readings as CSV."""
    stored, result = _readings(request, id)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="meterhub-{stored.hub}.csv"'
    csv.writer(answer).writerows(rows(result))
    return answer


def rows(result: Result) -> Iterator[list]:
    """Yield the CSV's rows: a head, then one for each interval; a cell is empty where nothing was read."""
    head = ["interval_end_utc", "quality"]
    for column in result.columns:
        name = f"{column.obis} [{UNITS.get(column.unit, f'unit {column.unit}')}]"
        head += [name + " register", name + " interval"]
    yield head
    before = result.base
    for entry in result.entries:
        row = [_iso(entry.at), QUALITY[entry.quality]]
        for column, old, new in zip(result.columns, before, entry.values, strict=True):
            known = old is not None and new is not None and new >= old
            row += [_scaled(new, column), _scaled(new - old, column) if known else ""]
        yield row
        before = entry.values


def _scaled(value: int | None, column: Column) -> str:
    return "" if value is None else f"{Decimal(value).scaleb(column.scale):f}"


def _iso(at: int) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@require_GET
@login_required
def evidence(request: HttpRequest, id: str) -> HttpResponse:
    """Return the proof of where the numbers came from."""
    stored, result = _readings(request, id)
    content = json.dumps(proof.make_proof(result))
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="meterhub-{stored.hub}-proof.json"'
    return answer


@require_POST
@login_required
def delete(request: HttpRequest, id: str) -> HttpResponse:
    """Delete one export now."""
    stored = _stored(request, id)
    state.desk().vault.drop(vault_key(request), stored.id)
    messages.success(request, "The bill is deleted." if stored.is_bill else "The readings are deleted.")
    return redirect("home")
