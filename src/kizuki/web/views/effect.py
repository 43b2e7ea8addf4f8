"""お知らせの効果: 送達→開封→申請→受給 as counts, what the drawn weeks say, and the conditions to look at again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import notice_effect
from kizuki.web.views.session import actor_of, snapshot


@require_GET
def effect(request: HttpRequest) -> HttpResponse:
    """The page."""
    served = snapshot()
    found = notice_effect.effect(actor_of(request), served)
    context = {"effect": found, "suspects": notice_effect.suspects_told(found.suspects, served)}
    return render(request, "effect/page.html", context)


@require_GET
def effect_csv(request: HttpRequest) -> HttpResponse:
    """The same numbers as a file."""
    body = notice_effect.as_csv(actor_of(request), snapshot())
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="notice_effect.csv"'
    return response
