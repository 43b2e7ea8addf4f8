"""確認リスト: counts by missing fact, the answers of one programme, and the file of them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import confirmation_list
from kizuki.web.views.candidates import XLSX
from kizuki.web.views.session import actor_of, number_of, snapshot


@require_GET
def confirmations(request: HttpRequest) -> HttpResponse:
    """The counts of the office, and the rows of the programme chosen."""
    actor, served = actor_of(request), snapshot()
    found = confirmation_list.board(actor, served)
    chosen = next((p for p in found.programmes if p.id == request.GET.get("programme", "")), None)
    fact = request.GET.get("fact", "")
    number = max(number_of(request.GET.get("page", "1")) or 1, 1)
    context: dict[str, Any] = {"board": found, "chosen": chosen, "fact": fact, "number": number}
    if chosen is not None:
        rows, more = confirmation_list.page(actor, served, chosen.id, fact, number)
        context |= {"rows": rows, "next": number + 1 if more else 0}
    return render(request, "confirmations/list.html", context)


@require_POST
def file(request: HttpRequest) -> HttpResponse:
    """The list as Excel or CSV; POST, because an output is an act that is recorded."""
    actor, kind = actor_of(request), "csv" if request.POST.get("kind") == "csv" else "xlsx"
    now = timezone.localtime()
    body = confirmation_list.export(actor, snapshot(), request.POST.get("programme", ""), kind=kind, now=now)
    response = HttpResponse(body, content_type="text/csv; charset=utf-8" if kind == "csv" else XLSX)
    response["Content-Disposition"] = f'attachment; filename="kizuki_confirmations_{now:%Y%m%d_%H%M}.{kind}"'
    return response
