"""支援候補: the list, its changes in bulk, its undo, its Excel file."""

import datetime as dt
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import cases, worklist_export
from kizuki.app.accounts import may
from kizuki.app.list_filters import CHANGES, KNOWN, ORDERS, UNASSIGNED, Filters, remembered
from kizuki.app.worklist import worklist
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, number_of, snapshot

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def candidates(request: HttpRequest) -> HttpResponse:
    """One page of the list; with htmx only the part below the title is sent."""
    actor = actor_of(request)
    page = worklist(actor, snapshot(), remembered(actor, request.GET.dict()))
    context = {
        "page": page,
        "tabs": [(tab, count, page.filters.with_tab(tab).query) for tab, count in page.counts.items()],
        "orders": ORDERS,
        "knowns": KNOWN.items(),
        "changes": CHANGES.items(),
        "unassigned": UNASSIGNED,
        "staff": cases.staff(),
        "statuses": cases.TABS,
        "may_change": bool(may(actor, "case.change")),
        "may_export": bool(may(actor, "candidates.export")),
        "undo": request.session.pop("undo", None),
    }
    partial = request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"
    response = render(request, "candidates/_list.html" if partial else "candidates/candidates.html", context)
    response["Vary"] = "HX-Request"  # the same address has two forms; a browser's back button must not mix them
    return response


@require_POST
def change(request: HttpRequest) -> HttpResponseBase:
    """Change state, person in charge or due date of the selected children, then back to the same list."""
    try:
        done = cases.change(actor_of(request), _chosen(request), wish_of(request))
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
        return redirect(_back(request))
    remember(request, done)
    return redirect(_back(request))


@require_POST
def undo(request: HttpRequest) -> HttpResponseBase:
    """Put the actor's last change back."""
    ids = [i for i in map(number_of, request.POST.getlist("change")) if i is not None]
    try:
        messages.success(request, cases.undo(actor_of(request), ids).text)
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
    return redirect(_back(request))


@require_POST
def excel(request: HttpRequest) -> HttpResponse:
    """The filtered list as a file; POST, because an output is an act that is recorded."""
    actor = actor_of(request)
    filters = remembered(actor, dict(parse_qsl(request.POST.get("list", ""))))
    now = timezone.localtime()
    body = worklist_export.export(actor, snapshot(), filters, now=now)
    response = HttpResponse(body, content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="kizuki_candidates_{now:%Y%m%d_%H%M}.xlsx"'
    return response


def _chosen(request: HttpRequest) -> list[str]:
    """Ids of the selected lines; a line of a household carries all its children."""
    return [person for line in request.POST.getlist("child") for person in line.split()]


def wish_of(request: HttpRequest) -> cases.Wish:
    """The wish of a change form; an empty field leaves things as they are."""
    assignee = request.POST.get("assignee", "")
    return cases.Wish(
        status=request.POST.get("status") or None,
        assignee_id=0 if assignee == UNASSIGNED else number_of(assignee),
        due_on=_date(request.POST.get("due_on", "")),
        clear_due=request.POST.get("clear_due") == "1",
        reason=request.POST.get("reason", ""),
    )


def _date(text: str) -> dt.date | None:
    try:
        return parse_date(text) if text else None
    except ValueError:
        raise InputRefused("K722", "期限の日付が正しくありません。", "期限", "2026-11-30 の形で入れてください。") from None


def remember(request: HttpRequest, done: cases.Changed) -> None:
    """Keep what can be undone until the next page shows it."""
    text = done.text + (f" 権限のない{done.refused}人は変えていません。" if done.refused else "")
    request.session["undo"] = {"text": text, "changes": list(done.changes)}


def _back(request: HttpRequest) -> str:
    filters = Filters.read(dict(parse_qsl(request.POST.get("list", ""))))
    child = request.POST.get("back_to_child", "")
    if child.isalnum():
        return f"/children/{child}/?{filters.query}"
    return f"/candidates/?{filters.query}"
