"""判定基準の公開用の説明: the list, one sheet, its reviews, its 緊急停止 and the ledger of who saw what."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import criteria_reviews, emergency_stop, public_sheet, stop_ledger
from kizuki.app.accounts import allow, may
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.snapshot_view import server_of
from kizuki.records.models import ReviewKind
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, home, snapshot


@require_GET
def sheets(request: HttpRequest) -> HttpResponse:
    """Every criteria set, and whether it is stopped."""
    return render(request, "sheets/list.html", {"sets": public_sheet.listing(actor_of(request), snapshot())})


@require_GET
def sheet(request: HttpRequest, criteria: str) -> HttpResponse:
    """One sheet, on the screen and on paper."""
    return _show(request, actor_of(request), snapshot(), criteria)


def _show(
    request: HttpRequest, actor: Actor, served: Served, criteria: str, refusal: InputRefused | None = None
) -> HttpResponse:
    found = public_sheet.sheet(actor, served, criteria)
    if found is None:
        raise Http404
    stop = found.stop
    context = {
        "sheet": found,
        "never_used": public_sheet.NEVER_USED,
        "kinds": ReviewKind.values,
        "today": timezone.localdate().isoformat(),
        "may_stop": bool(may(actor, "criteria.stop")),
        "may_review": bool(may(actor, "review.write")),
        "may_see_ledger": bool(may(actor, "criteria.stop_ledger")),
        "asked_myself": stop is not None and stop.lift_asked_by_id == actor.user_id,
        "own_stop": stop is not None and stop.criteria == criteria,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "sheets/sheet.html", context, status=422 if refusal else 200)


@require_POST
def review(request: HttpRequest, criteria: str) -> HttpResponseBase:
    """Record an expert review or an explanation to residents."""
    actor, served = actor_of(request), snapshot()
    post = request.POST
    written = criteria_reviews.Written(
        post.get("version", ""),
        post.get("kind", ""),
        _day(post.get("held_on", "")),
        post.get("people", ""),
        post.get("summary", ""),
    )
    try:
        criteria_reviews.add(actor, served, criteria, written, today=timezone.localdate())
    except InputRefused as refusal:
        return _show(request, actor, served, criteria, refusal)
    return redirect("sheet", criteria)


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


@require_POST
def stop(request: HttpRequest, criteria: str) -> HttpResponseBase:
    """Stop the set, ask to lift the stop, or lift it."""
    actor, served = actor_of(request), snapshot()
    what, reason = request.POST.get("what", ""), request.POST.get("reason", "")
    try:
        if what == "lift":
            emergency_stop.lift(actor, criteria)
        elif what == "ask":
            emergency_stop.ask_to_lift(actor, criteria, reason)
        else:
            emergency_stop.stop(actor, served, criteria, reason)
    except InputRefused as refusal:
        return _show(request, actor, served, criteria, refusal)
    return redirect("sheet", criteria)


@require_GET
def ledger(request: HttpRequest, criteria: str) -> HttpResponse:
    """Who saw answers of the set, when, how many children; child by child for those who may see the children."""
    actor, served = actor_of(request), snapshot()
    allow(actor, "criteria.stop_ledger")
    if criteria not in served.definitions.loaded.criteria:
        raise Http404
    listed = stop_ledger.Listed(criteria, server_of(home()).store)
    may_see_children = bool(may(actor, "candidates.view"))
    by_child = request.GET.get("by") == "child" and may_see_children
    context = {
        "title": served.definitions.criteria_title(criteria),
        "criteria": criteria,
        "ledger": stop_ledger.ledger(actor, listed, criteria),
        "children": stop_ledger.children(actor, listed, criteria) if by_child else (),
        "by_child": by_child,
        "may_see_children": may_see_children,
    }
    return render(request, "sheets/ledger.html", context)
