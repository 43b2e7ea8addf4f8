"""今日の仕事."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import today as app
from kizuki.terms.errors import RunFailed
from kizuki.web.views.session import actor_of, home, snapshot


@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Counts, nearest due children, data freshness, the last night; before the first run, how to make it."""
    actor = actor_of(request)
    try:
        served = snapshot()
    except RunFailed as missing:
        return render(request, "today/first_run.html", {"error": missing, "night": app.last_night(home())})
    return render(request, "today/today.html", {"page": app.today(actor, served, home())})
