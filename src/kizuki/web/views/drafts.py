"""案: the pages of a definition one person writes and another approves, the same for 判定基準 and for 制度.

The steps themselves are `app.definition_drafts`. Here is how a browser takes them; what differs between the kinds (the form,
what is counted, what else a page shows) is a `Pages`, as what differs in the steps is a `Desk`.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from kizuki.app.accounts import may
from kizuki.app.criteria_editing_files import digest
from kizuki.app.criteria_editing_form import Row
from kizuki.app.definition_drafts import OPEN, Desk
from kizuki.app.release import Actor
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import DefinitionError, InputRefused, KizukiError, NotPermitted
from kizuki.web.views.session import number_of


@dataclass(frozen=True, slots=True)
class Pages:
    """One kind of definition on screen: its `desk` and the `folder` of its edit, review, gone and _preview templates.

    `text_of` = the YAML of a posted form, what the form does not show kept from the text before; `counted` = the counts of a
    text of a draft; `about` = what its pages show besides, for somebody who writes in the draft or for a reader.
    """

    desk: Desk
    folder: str
    text_of: Callable[[Mapping[str, str], str], str]
    counted: Callable[[Actor, CriteriaDraft, str], Any]
    about: Callable[[CriteriaDraft, bool], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why something was refused, and the text somebody wrote that was not saved."""

    why: KizukiError
    unsaved: str = ""


def page(request: HttpRequest, actor: Actor, pages: Pages, draft_id: int) -> HttpResponseBase:
    """One draft: the form for those who write, the sheet with what changes for the others; a posted form is saved."""
    if request.method != "POST":
        return shown(request, actor, pages, draft_id)
    text = ""
    try:
        text = _posted(request.POST, pages, pages.desk.draft(draft_id).text)
        pages.desk.save(actor, draft_id, text, number_of(request.POST.get("revision", "")) or 0)
    except InputRefused as refusal:
        return shown(request, actor, pages, draft_id, _Refused(refusal, text))
    return redirect(request.path + ("?count=1" if request.POST.get("what") == "count" else ""))


def shown(request: HttpRequest, actor: Actor, pages: Pages, draft_id: int, refused: _Refused | None = None) -> HttpResponse:
    """The page of a draft as it stands, with what was refused."""
    try:
        found = pages.desk.draft(draft_id)
    except InputRefused as e:
        return gone(request, pages, e)
    desk = pages.desk
    writes = bool(may(actor, f"{desk.word}.draft")) and found.status in OPEN
    # a browser with scripts fetches the counts by itself
    counts = pages.counted(actor, found, found.text) if request.GET.get("count") == "1" else None
    context = pages.about(found, writes) | {
        "found": found,
        "writes": writes,
        "refusal": refused.why if refused else None,
        "unsaved": refused.unsaved if refused else "",
        "preview": counts,
        "urls": {step: reverse(f"{desk.word}_{step}", args=[found.pk]) for step in ("draft", "preview", "decide")},
        "tomorrow": (timezone.localdate() + dt.timedelta(days=1)).isoformat(),
        "asked_on": request.POST.get("effective_on") or (found.effective_on.isoformat() if found.effective_on else ""),
        "mark": digest(found.text),
        "may_decide": desk.may_decide(actor, found),
        "may_withdraw": desk.may_withdraw(actor, found),
        "mine": desk.own(actor, found),
    }
    template = "edit" if writes else "review"
    return render(request, f"{pages.folder}/{template}.html", context, status=422 if refused else 200)


def preview(request: HttpRequest, actor: Actor, pages: Pages, draft_id: int) -> HttpResponse:
    """The counts of what stands in the form, unsaved (POST), or of the saved draft (GET), as a part of the page."""
    try:
        found = pages.desk.draft(draft_id)
        text = _posted(request.POST, pages, found.text) if request.method == "POST" else found.text
        counted = pages.counted(actor, found, text)
    except InputRefused as e:
        return gone(request, pages, e)
    return render(request, f"{pages.folder}/_preview.html", {"preview": counted})


def decide(request: HttpRequest, actor: Actor, pages: Pages, draft_id: int) -> HttpResponseBase:
    """Ask for approval, approve, send back, withdraw."""
    desk, posted = pages.desk, request.POST
    what, reason = posted.get("what", ""), posted.get("reason", "")
    try:
        if what == "request":
            desk.request(actor, draft_id, _day(posted.get("effective_on", "")))
        elif what == "withdraw":
            desk.withdraw(actor, draft_id, reason)
        else:
            desk.decide(actor, draft_id, approve=what == "approve", mark=posted.get("mark", ""), reason=reason)
    except NotPermitted:
        raise
    except (InputRefused, DefinitionError) as refusal:
        return shown(request, actor, pages, draft_id, _Refused(refusal))
    return redirect(f"{desk.word}_draft", draft_id)


def gone(request: HttpRequest, pages: Pages, error: KizukiError) -> HttpResponse:
    """There is no such draft or definition."""
    return render(request, f"{pages.folder}/gone.html", {"error": error}, status=404)


def named(drafts: Iterable[CriteriaDraft], names: Mapping[str, str]) -> list[tuple[CriteriaDraft, str]]:
    """Each draft with what staff call it: the name of a definition the city has, else the ID as typed."""
    return [(draft, names.get(draft.criteria, draft.criteria)) for draft in drafts]


def blanks(after: int, count: int) -> list[Row]:
    """Empty rows a form offers after those it has."""
    return [Row(after + n, {}) for n in range(count)]


def _posted(posted: Mapping[str, str], pages: Pages, before: str) -> str:
    """The text of a posted form, or of the raw YAML box."""
    if posted.get("what") == "yaml":
        return posted.get("yaml", "").replace("\r\n", "\n")
    return pages.text_of(posted, before)


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:  # the form of a date, but no such day
        return None
