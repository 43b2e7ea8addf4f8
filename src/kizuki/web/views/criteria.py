"""判定基準: the sets and their versions, drafts with counts and approval, two versions compared."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import (
    criteria_board,
    criteria_comparison,
    criteria_editing,
    criteria_editing_form,
    docs_pages,
    learned_records,
)
from kizuki.app.accounts import allow, may
from kizuki.app.criteria_editing_diff import differences
from kizuki.app.criteria_preview import Preview, trial_rows
from kizuki.app.criteria_preview import preview as preview_of
from kizuki.app.criteria_trial import compared, version_of
from kizuki.app.release import Actor
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.loader import Definitions
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import InputRefused, KizukiError
from kizuki.web.views import drafts
from kizuki.web.views.session import actor_of, home, number_of, snapshot

_BLANK_ENTRIES, _BLANK_EXAMPLES = 3, 2
"""Empty rows offered in a form that has none yet; a filled one always offers one more."""


def _definitions() -> Definitions:
    return criteria_board.definitions_now(home())


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Every version with its state, the drafts, what is on trial."""
    return _board(request, _allowed(request))


def _board(request: HttpRequest, actor: Actor, refusal: KizukiError | None = None) -> HttpResponse:
    definitions = _definitions()
    context = {
        "rows": criteria_board.board(definitions, timezone.localdate()),
        "drafts": drafts.named(criteria_editing.drafts(), criteria_board.names(definitions)),
        "trials": trial_rows(snapshot(), criteria_board.names(definitions)),
        "may_draft": bool(may(actor, "criteria.draft")),
        "refusal": refusal,
    }
    return render(request, "criteria/board.html", context, status=422 if refusal else 200)


def _allowed(request: HttpRequest, action: str = "criteria.view") -> Actor:
    actor = actor_of(request)
    allow(actor, action)
    return actor


@require_GET
def show(request: HttpRequest, criteria_id: str, version: str) -> HttpResponse:
    """One version in plain Japanese."""
    actor = _allowed(request)
    definitions = _definitions()
    found = criteria_board.find(definitions, criteria_id, version)
    if found is None:
        missing = InputRefused("K583", "その判定基準の版がありません。", "", "一覧から開き直してください。")
        return drafts.gone(request, _PAGES, missing)
    others = [v for v in definitions.criteria[criteria_id].versions if v.version != version]
    context = {
        "sheet": criteria_board.sheet(found, definitions, timezone.localdate()),
        "key": f"{criteria_id}@{version}",
        "others": others,
        "may_draft": bool(may(actor, "criteria.draft")),
    }
    return render(request, "criteria/version.html", context | _record(found))


@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """A new draft: a copy of a version, or empty."""
    actor = _allowed(request, "criteria.draft")
    copy = request.POST.get("copy", "")
    try:
        base = version_of(_definitions(), copy, timezone.localdate()) if copy else None
    except InputRefused as refusal:
        return _board(request, actor, refusal)
    return redirect("criteria_draft", criteria_editing.start(actor, base).pk)


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """One draft, to write in or to read; a posted form is saved."""
    return drafts.page(request, _allowed(request), _PAGES, draft_id)


@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The counts of a draft as a part of its page."""
    return drafts.preview(request, _allowed(request), _PAGES, draft_id)


@require_POST
def decide(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """Ask for approval, approve, send back, withdraw."""
    return drafts.decide(request, _allowed(request), _PAGES, draft_id)


def _text_of(posted: Mapping[str, str], before: str) -> str:
    return criteria_editing_form.yaml_of(criteria_editing_form.form_from(posted, criteria_editing_form.unshown(before)))


def _counted(actor: Actor, found: CriteriaDraft, text: str) -> Preview:
    return preview_of(actor, snapshot(), _definitions(), text, found.base_version)


def _about(found: CriteriaDraft, writes: bool) -> dict[str, Any]:
    """The sheet of a draft and what changes; for those who write, the form too."""
    definitions = _definitions()
    checked = criteria_editing.checked(found)
    base = criteria_board.find(definitions, found.criteria, found.base_version) if found.base_version else None
    understood = checked.criteria
    context: dict[str, Any] = {
        "checked": checked,
        "base": base,
        "sheet": criteria_board.sheet(understood, definitions, timezone.localdate()) if understood else None,
        "differences": differences(base, understood) if understood else (),
    }
    context |= _record(understood)
    return context | (_form_context(found, checked.by_field(), definitions) if writes else {})


_PAGES: Final = drafts.Pages(criteria_editing.desk, "criteria", _text_of, _counted, _about)


def _record(criteria: CriteriaSet | None) -> dict[str, Any]:
    """検証の記録 of a version made from a learned table; nothing for any other."""
    digest = criteria.text.learned_from if criteria else ""
    if not digest:
        return {"learned_from": ""}
    found = learned_records.record(home(), digest)
    return {
        "learned_from": digest,
        "record": found,
        "record_sheet": docs_pages.render(found.sheet, "sheet/record").html if found else "",
        "record_stopped": learned_records.adopted_stops(home()).get(digest, ()),
    }


def _form_context(found: CriteriaDraft, errors: Mapping[str, str], definitions: Definitions) -> dict[str, Any]:
    titles = sorted(i.title for i in definitions.items.values() if i.judged)
    if not criteria_editing.readable_yaml(found.text):
        return {"form": None, "titles": titles}
    form = criteria_editing_form.form_of(found.text)
    blank_entries = 1 if form.entries else _BLANK_ENTRIES
    blank_examples = 1 if form.examples else _BLANK_EXAMPLES
    return {
        "form": form,
        "errors": errors,
        "titles": titles,
        "entries": [*form.entries, *drafts.blanks(len(form.entries), blank_entries)],
        "examples": [*form.examples, *drafts.blanks(len(form.examples), blank_examples)],
        "entry_fields": criteria_editing_form.ENTRY,
    }


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Two versions (or a version and a draft) on the served snapshot."""
    actor = _allowed(request)
    definitions, served = _definitions(), snapshot()
    offered = criteria_board.board(definitions, timezone.localdate())
    old, new = request.GET.get("old", ""), request.GET.get("new", "")
    capacity = number_of(request.GET.get("capacity", "")) or None
    children = request.GET.get("children") == "1"
    context: dict[str, Any] = {"versions": offered, "old": old, "new": new, "capacity": capacity, "children": children}
    context |= {"may_children": bool(may(actor, "criteria.children")), "drafts": _readable_drafts(definitions)}
    context["new_draft"] = number_of(new.removeprefix("draft:")) if new.startswith("draft:") else None
    if not old or not new:
        return render(request, "criteria/compare.html", context)
    try:
        if children:
            allow(actor, "criteria.children")
        pair = (_version(definitions, old), _version(definitions, new))
        if pair[0].id != pair[1].id:
            raise InputRefused("K583", "別の判定基準どうしは比べられません。", "", "同じ判定基準の版を二つ選んでください。")
        found = compared(served.view, definitions, pair, capacity=capacity, reasons=children)
        told = criteria_comparison.told(actor, served, found, children=children)
    except InputRefused as refusal:
        return render(request, "criteria/compare.html", context | {"refusal": refusal}, status=422)
    context |= {"told": told, "differences": differences(*pair)}
    return render(request, "criteria/compare.html", context)


def _readable_drafts(definitions: Definitions) -> list[tuple[CriteriaDraft, str]]:
    found = [d for d in criteria_editing.drafts() if d.base_version and d.status not in ("承認済み", "取り下げ")]
    return drafts.named(found, criteria_board.names(definitions))


def _version(definitions: Definitions, name: str) -> CriteriaSet:
    """A version by `id@version`, or a draft by `draft:number`."""
    kind, _, number = name.partition(":")
    if kind != "draft":
        return version_of(definitions, name, timezone.localdate())
    understood = criteria_editing.checked(criteria_editing.draft(number_of(number) or 0)).criteria
    if understood is None:
        raise InputRefused("K581", "その案は、まだ読めない所があります。", "判定基準の案", "案を直してから比べてください。")
    return understood
