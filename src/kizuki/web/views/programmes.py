"""制度: the catalogue, drafts with counts and approval, the registry taken in and given out."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import programme_board, programme_editing, programme_form
from kizuki.app.accounts import allow, may
from kizuki.app.criteria_board import definitions_now
from kizuki.app.programme_preview import ProgrammePreview
from kizuki.app.programme_preview import preview as preview_of
from kizuki.app.programme_registry import MOST_BYTES, export_registry, import_registry
from kizuki.app.release import Actor
from kizuki.definitions.programmes import Programme
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import InputRefused, KizukiError
from kizuki.web.views import drafts
from kizuki.web.views.session import actor_of, home, snapshot

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
    definitions = definitions_now(home())
    names = {name: main.name for name, main in definitions.programmes.items()}
    context = {
        "rows": programme_board.board(definitions, snapshot(), timezone.localdate()),
        "drafts": drafts.named(desk.drafts(), names),
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
        return drafts.gone(request, _PAGES, _missing())
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


def _missing() -> InputRefused:
    return InputRefused("K583", "その制度がありません。", "", "一覧から開き直してください。")


@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """A new draft: a copy of a programme, or empty."""
    actor = _allowed(request, "programme.draft")
    copy = request.POST.get("copy", "")
    main: Programme | None = definitions_now(home()).programmes.get(copy) if copy else None
    if copy and main is None:
        return board_page(request, actor, _missing())
    base = main.versions[-1] if main is not None else None
    return redirect("programme_draft", programme_editing.start(actor, base).pk)


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
    return programme_form.yaml_of(programme_form.form_from(posted, programme_form.kept_of(before)))


def _counted(actor: Actor, found: CriteriaDraft, text: str) -> ProgrammePreview:
    return preview_of(actor, snapshot(), definitions_now(home()), text, new=not found.base_version)


def _about(found: CriteriaDraft, writes: bool) -> dict[str, Any]:
    """The sheet of a draft and what changes; for those who write, the form too."""
    today = timezone.localdate()
    checked = programme_editing.checked(found)
    main: Programme | None = definitions_now(home()).programmes.get(found.criteria) if found.base_version else None
    base = main.on(today) if main is not None else None
    understood = checked.programme
    context: dict[str, Any] = {
        "checked": checked,
        "base": base,
        "sheet": programme_board.sheet(understood, today, checked) if understood else None,
        "differences": programme_board.differences(base, understood) if understood else (),
    }
    return context | (_form_context(found, checked.by_field()) if writes else {})


_PAGES: Final = drafts.Pages(desk, "programmes", _text_of, _counted, _about)


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
        **{f"{of}s": [*rows, *drafts.blanks(len(rows), (_MORE if rows else _BLANK)[of])] for of, rows in form.rows()},
    }


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
