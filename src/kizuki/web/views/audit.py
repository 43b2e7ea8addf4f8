"""操作ログ: for the auditor; holds nobody's data."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import audit as app
from kizuki.app.accounts import allow, governance, may
from kizuki.govern.may import ACTIONS
from kizuki.web.views.session import actor_of, number_of

PAGE = 100


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """The newest events, and whether the chain is whole."""
    actor = actor_of(request)
    allow(actor, "audit.view")
    events = app.latest(PAGE, number_of(request.GET.get("before", "")))
    matrix = governance()
    rows = [
        {
            "event": e,
            "role": matrix.roles[e.role].title if e.role in matrix.roles else e.role,
            "purpose": matrix.purposes[e.purpose].title if e.purpose in matrix.purposes else "",
            "action": ACTIONS.get(e.action, e.action),
        }
        for e in events
    ]
    older = events[-1].seq if len(events) == PAGE else None
    verdict = app.verify() if request.GET.get("verify") == "1" and may(actor, "audit.verify") else None
    return render(request, "audit/audit.html", {"rows": rows, "older": older, "verdict": verdict})
