"""制度: the catalogue, drafts with counts and approval, the registry taken in and given out."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import programme_board, programme_editing, programme_form
from kizuki.app.accounts import allow, may
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_files import digest
from kizuki.app.criteria_editing_form import Row
from kizuki.app.definition_drafts import OPEN
from kizuki.app.programme_preview import preview as preview_of
from kizuki.app.programme_registry import MOST_BYTES, export_registry, import_registry
from kizuki.app.release import Actor
from kizuki.definitions.programmes import Programme
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import DefinitionError, InputRefused, KizukiError, NotPermitted
from kizuki.web.views.session import actor_of, home, number_of, snapshot

_BLANK: Final = {"rule": 2, "table": 1, "case": 1, "example": 3}
"""Empty rows offered in a form that has none yet; a filled one always offers one more (an example two)."""
_MORE: Final = {"rule": 1, "table": 1, "case": 1, "example": 2}
desk: Final = programme_editing.desk


def _allowed(request: HttpRequest, action: str = "programme.view") -> Actor:
    actor = actor_of(request)
    allow(actor, action)
    return actor


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Every programme with its state and last night's counts, and the drafts."""
    return board_page(request, _allowed(request))


def board_page(
    request: HttpRequest, actor: Actor, refusal: KizukiError | None = None, more: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The list, with why something was refused or what came of an import."""
    context = {
        "rows": programme_board.board(definitions_now(home()), snapshot(), timezone.localdate()),
        "drafts": desk.drafts(),
        "may_draft": bool(may(actor, "programme.draft")),
        "may_confirm": bool(may(actor, "confirmation.view")),
        "refusal": refusal,
    }
    return render(request, "programmes/board.html", context | dict(more or {}), status=422 if refusal else 200)


@require_GET
def show(request: HttpRequest, programme_id: str) -> HttpResponse:
    """One programme in plain Japanese, and the changes still to come."""
    actor = _allowed(request)
    main: Programme | None = definitions_now(home()).programmes.get(programme_id)
    if main is None:
        return _gone(request, InputRefused("K583", "その制度がありません。", "", "一覧から開き直してください。"))
    today = timezone.localdate()
    now = main.on(today)
    coming = [v for v in main.versions if v.begins_on > today and v is not now]
    context = {
        "sheet": programme_board.sheet(now, today),
        "coming": [(v, programme_board.differences(now, v)) for v in coming],
        "may_draft": bool(may(actor, "programme.draft")),
        "main": main,
    }
    return render(request, "programmes/programme.html", context)


@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """A new draft: a copy of a programme, or empty."""
    actor = _allowed(request, "programme.draft")
    copy = request.POST.get("copy", "")
    main: Programme | None = definitions_now(home()).programmes.get(copy) if copy else None
    if copy and main is None:
        refusal = InputRefused("K583", "その制度がありません。", "", "一覧から開き直してください。")
        return board_page(request, actor, refusal)
    base = main.versions[-1] if main is not None else None
    return redirect("programme_draft", programme_editing.start(actor, base).pk)


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """One draft: the form for those who write, the sheet with what changes for the others."""
    actor = _allowed(request)
    if request.method == "POST":
        try:
            text = _posted(request.POST, desk.draft(draft_id).text)
            desk.save(actor, draft_id, text, number_of(request.POST.get("revision", "")) or 0)
        except InputRefused as refusal:
            return _draft(request, actor, draft_id, refusal)
        counted = "?count=1" if request.POST.get("what") == "count" else ""
        return redirect(request.path + counted)
    return _draft(request, actor, draft_id)


def _posted(posted: Mapping[str, str], before: str) -> str:
    """The text of a posted form, or of the raw YAML box; what the form does not show stays as it was `before`."""
    if posted.get("what") == "yaml":
        return posted.get("yaml", "").replace("\r\n", "\n")
    return programme_form.yaml_of(programme_form.form_from(posted, programme_form.kept_of(before)))


def _draft(request: HttpRequest, actor: Actor, draft_id: int, refusal: KizukiError | None = None) -> HttpResponse:
    try:
        found = desk.draft(draft_id)
    except InputRefused as e:
        return _gone(request, e)
    writes = bool(may(actor, "programme.draft")) and found.status in OPEN
    context = _draft_context(request, actor, found, writes) | {"refusal": refusal}
    template = "programmes/edit.html" if writes else "programmes/review.html"
    return render(request, template, context, status=422 if refusal else 200)


def _draft_context(request: HttpRequest, actor: Actor, found: CriteriaDraft, writes: bool) -> dict[str, Any]:
    today = timezone.localdate()
    definitions = definitions_now(home())
    checked = programme_editing.checked(found)
    main: Programme | None = definitions.programmes.get(found.criteria) if found.base_version else None
    base = main.on(today) if main is not None else None
    understood = checked.programme
    context: dict[str, Any] = {
        "found": found,
        "checked": checked,
        "base": base,
        "sheet": programme_board.sheet(understood, today, checked) if understood else None,
        "differences": programme_board.differences(base, understood) if understood else (),
        "preview": _counted(request, actor, found),
        "tomorrow": (today + dt.timedelta(days=1)).isoformat(),
        "mark": digest(found.text),
        "may_decide": desk.may_decide(actor, found),
        "may_withdraw": desk.may_withdraw(actor, found),
        "mine": actor.user_id in found.writers,
    }
    return context | (_form_context(found, checked.by_field()) if writes else {})


def _counted(request: HttpRequest, actor: Actor, found: CriteriaDraft) -> Any:
    """The counts, where the page was asked for them (a browser with scripts fetches them by itself)."""
    if request.GET.get("count") != "1":
        return None
    return preview_of(actor, snapshot(), definitions_now(home()), found.text, new=not found.base_version)


def _form_context(found: CriteriaDraft, errors: Mapping[str, str]) -> dict[str, Any]:
    words = programme_board.vocabulary_rows()
    if not programme_editing.readable(found.text):
        return {"form": None, "words": words}
    form = programme_form.form_of(found.text)
    sources = definitions_now(home()).sources.values()
    return {
        "form": form,
        "errors": errors,
        "words": words,
        "sources": " ".join(s.id for s in sources),
        "source_names": [(s.id, s.name) for s in sources],
        "today": timezone.localdate().isoformat(),
        "registry_fields": [(n, title, form.head.get(n, "")) for n, title in programme_form.REGISTRY.items()],
        **{f"{of}s": [*rows, *_blanks(of, len(rows))] for of, rows in form.rows()},
    }


def _blanks(of: str, after: int) -> list[Row]:
    return [Row(after + n, {}) for n in range(_MORE[of] if after else _BLANK[of])]


@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest, draft_id: int) -> HttpResponse:
    """The counts of what stands in the form, unsaved (POST), or of the saved draft (GET), as a part of the page."""
    actor = _allowed(request)
    try:
        found = desk.draft(draft_id)
        text = _posted(request.POST, found.text) if request.method == "POST" else found.text
        counted = preview_of(actor, snapshot(), definitions_now(home()), text, new=not found.base_version)
    except InputRefused as e:
        return _gone(request, e)
    return render(request, "programmes/_preview.html", {"preview": counted})


@require_POST
def decide(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """Ask for approval, approve, send back, withdraw."""
    actor, posted = _allowed(request), request.POST
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
        return _draft(request, actor, draft_id, refusal)
    return redirect("programme_draft", draft_id)


def _day(text: str) -> dt.date | None:
    try:
        return parse_date(text)
    except ValueError:  # the form of a date, but no such day
        return None


def _gone(request: HttpRequest, error: KizukiError) -> HttpResponse:
    return render(request, "programmes/gone.html", {"error": error}, status=404)


@require_POST
def import_file(request: HttpRequest) -> HttpResponse:
    """A registry file taken in as drafts; the list says what came of it."""
    actor = _allowed(request, "programme.draft")
    upload = request.FILES.get("file")
    try:
        if not isinstance(upload, UploadedFile):
            raise InputRefused("K607", "ファイルが選ばれていません。", "", "台帳のファイルを選んでください。")
        if (upload.size or 0) > MOST_BYTES:
            raise InputRefused("K609", "ファイルが大きすぎます。", "", "自分の市町村の行だけにしてください。")
        done = import_registry(actor, upload.read())
    except InputRefused as refusal:
        return board_page(request, actor, refusal)
    return board_page(request, actor, None, {"imported": done})


@require_GET
def export_file(request: HttpRequest) -> HttpResponse:
    """The catalogue in the registry's columns; no person is in it."""
    _allowed(request)
    main = definitions_now(home()).programmes
    text = export_registry(p.on(timezone.localdate()) for _, p in sorted(main.items()))
    response = HttpResponse(text.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="programmes.csv"'
    return response
