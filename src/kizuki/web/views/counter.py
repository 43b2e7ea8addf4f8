"""窓口で伝える世帯: the list, bringing it up to date, 伝えた, and the list as an Excel file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import counter_list
from kizuki.app.enquiries import programmes
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, number_of, snapshot

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def counter(request: HttpRequest) -> HttpResponse:
    """One page of the list."""
    return _list(request)


def _list(request: HttpRequest, refusal: InputRefused | None = None) -> HttpResponse:
    programme = request.GET.get("programme", "")
    page = number_of(request.GET.get("page", "1")) or 1
    context = {
        "listed": counter_list.listed(actor_of(request), snapshot(), page=page, programme=programme),
        "programme": programme,
        "programmes": programmes(),
        "outcomes": counter_list.OUTCOMES,
        "refusal": refusal,
    }
    return render(request, "counter/list.html", context, status=422 if refusal else 200)


@require_POST
def refresh(request: HttpRequest) -> HttpResponseBase:
    """Bring the list up to the served snapshot."""
    added, lapsed = counter_list.refresh(actor_of(request), snapshot())
    messages.success(request, f"{added}件を足し、要らなくなった{lapsed}件を外しました。", extra_tags="done")
    return redirect("counter")


@require_POST
def told(request: HttpRequest, occasion_id: int) -> HttpResponseBase:
    """Record that it was told."""
    try:
        counter_list.told(actor_of(request), occasion_id, request.POST.get("outcome", ""))
    except InputRefused as refusal:
        return _list(request, refusal)
    return redirect("counter")


@require_POST
def excel(request: HttpRequest) -> HttpResponse:
    """The whole list as a file; POST, because an output is an act that is recorded."""
    body = counter_list.export(actor_of(request), snapshot(), programme=request.POST.get("programme", ""))
    response = HttpResponse(body, content_type=_XLSX)
    name = f"counter_{timezone.localtime():%Y%m%d_%H%M}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
