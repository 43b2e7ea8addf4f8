"""データ受領・鮮度."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import feeds_board as app
from kizuki.app.learned_watch import all_stopped
from kizuki.web.views.session import actor_of, home, snapshot


@require_GET
def feeds(request: HttpRequest) -> HttpResponse:
    """All sources with their freshness."""
    served = snapshot()
    feeds = app.feeds_board(actor_of(request), served)
    stopped = [(served.definitions.criteria_title(c), why) for c, why in all_stopped(home()).items()]
    return render(request, "feeds/board.html", {"feeds": feeds, "as_of": served.as_of, "stopped": stopped})


@require_GET
def feed(request: HttpRequest, source: str) -> HttpResponse:
    """One source: its deliveries, newest first, with the reasons of what was held or returned."""
    actor, served = actor_of(request), snapshot()
    found = next((f for f in app.feeds_board(actor, served) if f.source.id == source), None)
    if found is None:
        raise Http404
    return render(request, "feeds/feed.html", {"feed": found, "deliveries": app.deliveries(actor, home(), source)})
