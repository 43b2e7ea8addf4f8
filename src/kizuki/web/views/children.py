"""個票 and 判定結果の根拠."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import cases, counter_list, emergency_stop, feedback, inquiries, resident_sheet
from kizuki.app.accounts import may
from kizuki.app.child_page import ChildPage, Fact, child_page, judged_child, window_start
from kizuki.app.current_person import current_person
from kizuki.app.drawn_children import marked
from kizuki.app.explanation import LANES
from kizuki.app.list_filters import UNASSIGNED, Filters, remembered
from kizuki.app.worklist_order import next_child
from kizuki.records.models import FeedbackAnswer
from kizuki.terms.errors import InputRefused
from kizuki.web.charts import timeline
from kizuki.web.views.candidates import remember, wish_of
from kizuki.web.views.session import actor_of, number_of, snapshot


@require_GET
def child(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """One child on one screen; an address kept from before a merge leads to where the records are now."""
    now = current_person(person_id)
    return redirect(f"/children/{now}/?{request.GET.urlencode()}") if now != person_id else _show(request, person_id)


@require_POST
def change(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """Change the case of this child; a refusal shows the page again with what was typed."""
    actor = actor_of(request)
    filters = Filters.read(dict(parse_qsl(request.POST.get("list", ""))))
    try:
        done = cases.change(actor, [person_id], wish_of(request), version=number_of(request.POST.get("version", "")))
    except InputRefused as refusal:
        return _show(request, person_id, filters=filters, refusal=refusal)
    remember(request, done)
    return redirect(f"/children/{person_id}/?{filters.query}")


def _show(
    request: HttpRequest, person_id: str, *, filters: Filters | None = None, refusal: InputRefused | None = None
) -> HttpResponse:
    actor, served = actor_of(request), snapshot()
    filters = filters or remembered(actor, request.GET.dict())
    page = child_page(actor, served, person_id)
    if page is None:
        gone = InputRefused("K721", "このこどもの記録がありません。", "個票", "支援候補の一覧から開き直してください。")
        return render(request, "children/gone.html", {"error": gone, "list_query": filters.query}, status=404)
    whole_life = request.GET.get("span") == "all"
    context = {
        "page": page,
        "to_tell": counter_list.flags_of(actor, served, person_id, page.household_ids),
        "case": cases.case_of(person_id),
        "drawn": person_id in marked(),
        "history": cases.history(person_id),
        "staff": cases.staff(),
        "statuses": cases.TABS,
        "unassigned": UNASSIGNED,
        "may_change": bool(may(actor, "case.change")),
        "may_explain": bool(may(actor, "resident.print")),
        "may_hand_over": bool(may(actor, "handover.prepare")),
        "list_query": filters.query,
        "list_tab": filters.tab,
        "next_id": next_child(actor, served, filters, person_id),
        "refusal": refusal,
        "typed": request.POST if refusal else {},
        "undo": request.session.pop("undo", None),
        **_timeline(page, whole_life=whole_life),
    }
    return render(request, "children/child.html", context, status=422 if refusal else 200)


def _timeline(page: ChildPage, *, whole_life: bool) -> dict[str, Any]:
    start = window_start(page, whole_life=whole_life)
    lanes = [lane for lane, _ in LANES]
    width = 1000.0
    facts: list[timeline.Bar | timeline.Mark | timeline.Column | timeline.Gap] = [
        timeline.Gap(lane, until) for lane, until in page.gaps.items()
    ]
    shown = [f for f in page.facts if f.starts_on >= start or (f.is_spell and (f.ends_on is None or f.ends_on > start))]
    facts += _bars(f for f in shown if f.is_spell)
    for fact in (f for f in shown if not f.is_spell):
        if fact.kind in ("absence_days", "childcare_absence_days"):
            facts.append(timeline.Column(fact.lane, fact.starts_on, None if fact.value_unknown else fact.value))
        elif fact.kind not in ("late_count", "early_leave_count", "nurse_visits", "separate_room_days"):
            facts.append(timeline.Mark(fact.lane, fact.text, fact.starts_on, fact.tone))
    chart = timeline.draw(lanes, facts, timeline.Window(start, page.as_of, width))
    return {"chart": chart, "shown": shown, "older": len(page.facts) - len(shown), "whole_life": whole_life}


def _bars(spells: Iterable[Fact]) -> list[timeline.Bar]:
    """One bar for what goes on under the same words without a gap (a benefit renewed every year is one stretch of life)."""
    bars: list[timeline.Bar] = []
    for fact in sorted(spells, key=lambda f: (f.lane, f.text, f.starts_on)):
        last = bars[-1] if bars else None
        if (
            last
            and (last.lane, last.label) == (fact.lane, fact.text)
            and (last.ends_on is None or fact.starts_on <= last.ends_on)
        ):
            ends = None if last.ends_on is None or fact.ends_on is None else max(last.ends_on, fact.ends_on)
            bars[-1] = timeline.Bar(last.lane, last.label, last.starts_on, ends)
        else:
            bars.append(timeline.Bar(fact.lane, fact.text, fact.starts_on, fact.ends_on))
    return bars


@require_GET
def judgement(request: HttpRequest, person_id: str, criteria: str) -> HttpResponse:
    """Every entry of one criteria set that holds, lowered or is unknown for one child, and what staff found."""
    return _evidence(request, person_id, criteria)


def _evidence(request: HttpRequest, person_id: str, criteria: str, refusal: InputRefused | None = None) -> HttpResponse:
    actor, served = actor_of(request), snapshot()
    query = remembered(actor, request.GET.dict()).query
    stop = emergency_stop.standing(criteria)
    found = judged_child(actor, served, person_id, criteria)
    if found is None and stop is None:
        raise Http404
    context: dict[str, Any] = {"person_id": person_id, "criteria": criteria, "list_query": query, "stop": stop}
    if found is None:
        context["title"] = served.definitions.criteria_title(criteria)
        return render(request, "children/stopped.html", context)
    name, judged = found
    context |= {
        "name": name,
        "judged": judged,
        "answers": feedback.answers(actor, person_id, criteria),
        "may_answer": bool(may(actor, "feedback.write")),
        "choices": FeedbackAnswer.values,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "children/judgement.html", context, status=422 if refusal else 200)


@require_POST
def give_feedback(request: HttpRequest, person_id: str, criteria: str) -> HttpResponseBase:
    """Record what was found about one judgement, or take one's own answer back."""
    actor, post = actor_of(request), request.POST
    try:
        if post.get("undo"):
            feedback.undo(actor, number_of(post["undo"]) or 0)
        else:
            given = feedback.Given(post.get("answer", ""), post.get("note", ""), post.get("entry", ""))
            feedback.give(actor, snapshot(), person_id, criteria, given)
    except InputRefused as refusal:
        return _evidence(request, person_id, criteria, refusal)
    return redirect("judgement", person_id, criteria)


@require_GET
def inquire(request: HttpRequest, person_id: str) -> HttpResponse:
    """What only the previous municipality can know about a moved-in child, and the letter that asks for it."""
    found = inquiries.inquiry(actor_of(request), person_id, snapshot())
    return render(request, "children/inquiry.html", {"inquiry": found, "person_id": person_id})


@require_GET
def resident(request: HttpRequest, person_id: str) -> HttpResponse:
    """The sheet for the child and the family: which data, why, how to have it corrected."""
    return render(
        request, "children/resident.html", {"sheet": resident_sheet.resident_sheet(actor_of(request), snapshot(), person_id)}
    )
