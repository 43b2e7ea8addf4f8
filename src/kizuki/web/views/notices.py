"""お知らせ: the list, a new batch, one batch on its way to approval, cancelling, and 緊急停止."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import notice_batches, notice_pages, notice_stops
from kizuki.app.criteria_board import definitions_now
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, home, number_of


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """The list, with the form of a new batch for those who make one."""
    return _board(request)


def _board(request: HttpRequest, refusal: InputRefused | None = None) -> HttpResponse:
    found = notice_pages.board(actor_of(request), home(), timezone.now())
    return render(request, "notices/board.html", {"board": found, "refusal": refusal}, status=422 if refusal else 200)


@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """Make a batch and show it."""
    post = request.POST
    try:
        made = notice_batches.create(
            actor_of(request),
            home(),
            programme=post.get("programme", ""),
            template=post.get("template", ""),
            waves=number_of(post.get("waves", "1")) or 0,
            now=timezone.now(),
        )
    except InputRefused as refusal:
        return _board(request, refusal)
    return redirect("notice", made.pk)


@require_GET
def notice(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One batch."""
    return _page(request, batch_id)


def _page(request: HttpRequest, batch_id: int, refusal: InputRefused | None = None) -> HttpResponse:
    try:
        found = notice_pages.page(actor_of(request), home(), batch_id, timezone.now())
    except InputRefused as missing:
        return _board(request, missing)
    return render(request, "notices/batch.html", {"page": found, "refusal": refusal}, status=422 if refusal else 200)


@require_POST
def act(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """Try, ask, approve, return or cancel; the page again, with what was done or why not."""
    actor, post, now = actor_of(request), request.POST, timezone.now()
    reason = post.get("reason", "")
    try:
        match post.get("what", ""):
            case "test":
                notice_batches.test_send(actor, home(), batch_id, now)
                done = "試し送りをしました。下の文面が、そのまま届きます。"
            case "request":
                notice_batches.request(actor, home(), batch_id, now)
                done = "所管課に承認を求めました。"
            case "approve":
                seen = number_of(post.get("seen", "")) or 0
                notice_batches.approve(actor, home(), batch_id, seen=seen, now=now)
                done = "承認しました。10分のあいだは取り消せます。"
            case "return":
                notice_batches.send_back(actor, batch_id, reason, now)
                done = "差し戻しました。"
            case "cancel":
                stopped, left = notice_batches.cancel(actor, batch_id, reason, now)
                done = (
                    f"取り消しました。送る前に止めたもの {stopped}件、すでに中継へ渡したもの {left}件（止めるよう伝えます）。"
                )
            case _:
                return redirect("notice", batch_id)
    except InputRefused as refusal:
        return _page(request, batch_id, refusal)
    messages.success(request, done)
    return redirect("notice", batch_id)


@require_POST
def stop(request: HttpRequest) -> HttpResponseBase:
    """Stop notices (of one programme or all), ask to lift the stop, or lift it."""
    actor, post, now = actor_of(request), request.POST, timezone.now()
    programme, reason, definitions = post.get("programme", ""), post.get("reason", ""), definitions_now(home())
    try:
        match post.get("what", ""):
            case "lift":
                notice_stops.lift(actor, definitions, programme, now)
            case "ask":
                notice_stops.ask_to_lift(actor, definitions, programme, reason, now)
            case "stop":
                notice_stops.stop(actor, definitions, programme, reason, now)
    except InputRefused as refusal:
        return _board(request, refusal)
    return redirect("notices")
