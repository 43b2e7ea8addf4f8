"""名寄せの審査 and 名寄せの確かさ."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import link_review as app
from kizuki.app import link_review_check as checks
from kizuki.app import link_review_history, link_review_words
from kizuki.app import link_review_thresholds as floors
from kizuki.app.accounts import allow, may
from kizuki.app.link_review_pair import pair_page
from kizuki.app.served import Served
from kizuki.govern.actor import Actor
from kizuki.terms.errors import InputRefused
from kizuki.web.charts import review as charts
from kizuki.web.views.session import actor_of, home, number_of, snapshot


@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    """What is left to look at, in which order and why, and what tonight will carry over."""
    actor, served = actor_of(request), snapshot()
    allow(actor, "link.review")
    answers = app.Answers(actor, served)
    page = app.desk(actor, served, answers)
    context = {
        "desk": page,
        "lists": [(n, title, page.counts[n]) for n, title in app.LISTS.items() if n != app.CHECK],
        "check": checks.progress(served, answers),
        "rules": answers.rules,
        "undo": request.session.pop("review_undo", None),
    }
    return render(request, "review/desk.html", context)


@require_GET
def first(request: HttpRequest, name: str) -> HttpResponseBase:
    """The first pair of a list; a page that says what to do where there is none."""
    if name not in app.LISTS:
        raise Http404
    actor, served = actor_of(request), snapshot()
    allow(actor, "link.review")
    answers = app.Answers(actor, served)
    found = app.next_pair(answers, name, pairs=_pairs(served, answers, name))
    if found is not None:
        return redirect(_address(found, name))
    context = {"name": name, "title": app.LISTS[name], "desk": app.desk(actor, served, answers)}
    return render(request, "review/empty.html", context | {"undo": request.session.pop("review_undo", None)})


@require_GET
def pair(request: HttpRequest, pair_id: str) -> HttpResponse:
    """Two sides of one pair."""
    return _show(request, actor_of(request), pair_id)


@require_POST
def answer(request: HttpRequest, pair_id: str) -> HttpResponseBase:
    """Keep the answer and go on to the next pair of the same list; a refusal shows the pair again."""
    actor, served, name = actor_of(request), snapshot(), _list_name(request.POST.get("list", ""))
    try:
        said = link_review_words.answer(actor, served, pair_id, request.POST.get("answer", ""), checking=name == app.CHECK)
    except InputRefused as refusal:
        return _show(request, actor, pair_id, refusal=refusal)
    request.session["review_undo"] = {"text": said.text, "opinion": said.opinion, "list": name, "pair": pair_id}
    answers = app.Answers(actor, served)
    found = app.next_pair(answers, name, pair_id, _pairs(served, answers, name))
    return redirect(_address(found, name) if found else reverse("review_list", args=[name]))


@require_POST
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take back one's own last answer and show its pair again."""
    try:
        messages.success(request, link_review_words.undo(actor_of(request), number_of(request.POST.get("opinion", ""))))
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
        return redirect("review")
    pair_id, name = request.POST.get("pair", ""), _list_name(request.POST.get("list", ""))
    return redirect(_address(pair_id, name) if pair_id.isalnum() else reverse("review"))


@require_GET
def decisions(request: HttpRequest) -> HttpResponse:
    """Settled words, newest first, with what became of each."""
    page = number_of(request.GET.get("page", "1")) or 1
    found = link_review_history.history(actor_of(request), snapshot(), page)
    return render(request, "review/decisions.html", {"page": found})


@require_POST
def withdraw(request: HttpRequest, decision: int) -> HttpResponseBase:
    """Take a settled word back."""
    try:
        messages.success(request, link_review_words.withdraw(actor_of(request), decision, request.POST.get("reason", "")))
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
    return redirect("review_decisions")


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """The monthly check: what people found among the machine's links."""
    actor = actor_of(request)
    context = {"board": checks.board(actor, snapshot()), "may_review": bool(may(actor, "link.review"))}
    return render(request, "review/check.html", context)


@require_GET
def thresholds(request: HttpRequest) -> HttpResponse:
    """Hours of work against what is found, for every floor."""
    page = floors.thresholds(actor_of(request), snapshot(), home(), request.GET.get("basis", ""))
    points = [(p.floor, p.hours, p.recall, p.precision) for p in page.points]
    chart = charts.tradeoff(points, page.rules.hours_per_month) if points else None
    return render(request, "review/thresholds.html", {"page": page, "chart": chart})


def _show(request: HttpRequest, actor: Actor, pair_id: str, *, refusal: InputRefused | None = None) -> HttpResponse:
    served = snapshot()
    allow(actor, "link.review")
    name = _list_name((request.POST if refusal else request.GET).get("list", ""))
    answers = app.Answers(actor, served)
    page = pair_page(actor, served, pair_id, name, answers)
    if page is None:
        error = InputRefused("K731", "この組は、いまの名寄せにありません。", "組", "一覧から次の組を開いてください。")
        return render(request, "review/gone.html", {"error": error, "name": name}, status=404)
    pairs = checks.check_list(served, answers) if name == app.CHECK else list(answers.listed(name))
    context: dict[str, Any] = {
        "page": page,
        "bars": [(bar, charts.stroke(bar.weight)) for bar in page.bars],
        "list": name,
        "list_title": app.LISTS[name],
        "left": len(pairs),
        "next_id": app.next_pair(answers, name, pair_id, pairs),
        "previous_id": app.previous_pair(answers, name, pair_id, pairs),
        "refusal": refusal,
        "undo": request.session.pop("review_undo", None),
    }
    return render(request, "review/pair.html", context, status=422 if refusal else 200)


def _pairs(served: Served, answers: app.Answers, name: str) -> list[app.Pair] | None:
    return checks.check_list(served, answers) if name == app.CHECK else None


def _address(pair_id: str, name: str) -> str:
    return f"{reverse('review_pair', args=[pair_id])}?list={name}"


def _list_name(given: str) -> str:
    return given if given in app.LISTS else app.NEW
