"""引継ぎ: lists, making, deciding, issuing and printing a 引継ぎ書, and receiving one from another municipality."""

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import handover, handover_in
from kizuki.app.accounts import allow, may
from kizuki.app.handover_document import IDENTITY, Wish
from kizuki.app.release import Actor
from kizuki.records.models import HandoverStatus
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, snapshot


@require_GET
def handovers(request: HttpRequest) -> HttpResponse:
    """Both directions: what was prepared here and what came in."""
    return _list(request, actor_of(request))


def _list(request: HttpRequest, actor: Actor, refusal: InputRefused | None = None) -> HttpResponse:
    keys = handover.keys()
    context = {
        "outgoing": handover.listing(actor),
        "incoming": handover_in.listing(actor),
        "address": keys.address,
        "seal_mark": keys.seal_mark,
        "refusal": refusal,
    }
    return render(request, "handovers/list.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "POST"])
def prepare(request: HttpRequest, person_id: str) -> HttpResponseBase:
    """The form of a new 引継ぎ書 of one child; posting it asks for approval."""
    actor = actor_of(request)
    refusal: InputRefused | None = None
    if request.method == "POST":
        try:
            made = handover.prepare(actor, snapshot(), person_id, _wish(request))
            return redirect("handover", made.pk)
        except InputRefused as e:
            refusal = e
    allow(actor, "handover.prepare")
    rules = handover.rules()
    context = {
        "person_id": person_id,
        "bases": [(b, found, [rules.parts[p].title for p in found.parts]) for b, found in rules.bases.items()],
        "parts": [(p, found.title, p == IDENTITY) for p, found in rules.parts.items()],
        "years_back": rules.years_back,
        "refusal": refusal,
        "typed": request.POST if refusal else {},
        "chosen": request.POST.getlist("part"),
    }
    return render(request, "handovers/prepare.html", context, status=422 if refusal else 200)


def _wish(request: HttpRequest) -> Wish:
    return Wish(
        destination=request.POST.get("destination", "").strip(),
        address=request.POST.get("address", ""),
        basis=request.POST.get("basis", ""),
        parts=(IDENTITY, *(p for p in request.POST.getlist("part") if p != IDENTITY)),
        reason=request.POST.get("reason", "").strip(),
    )


@require_GET
def show(request: HttpRequest, handover_id: int) -> HttpResponse:
    """One 引継ぎ書: what it says (as far as the role reads), its state, and what can be done next."""
    return _show(request, actor_of(request), handover_id)


def _show(request: HttpRequest, actor: Actor, handover_id: int, refusal: InputRefused | None = None) -> HttpResponse:
    try:
        shown = handover.show(actor, handover_id, action=_action(actor))
    except InputRefused as e:
        return render(request, "handovers/gone.html", {"error": refusal or e}, status=404)
    found = shown.handover
    mine = found.prepared_by_id == actor.user_id
    waiting, approved = found.status == HandoverStatus.WAITING, found.status == HandoverStatus.APPROVED
    needs_keeper = shown.sealed and found.seal_approved_by_id is None
    context = {
        "shown": shown,
        "found": found,
        "refusal": refusal,
        "address_mark": handover.address_mark(found.address),
        "may_decide": waiting and shown.kept and not mine and not needs_keeper and bool(may(actor, "handover.approve")),
        "may_agree": waiting and not mine and needs_keeper and bool(may(actor, "handover.approve_sealed")),
        "may_issue": approved and mine and shown.kept,
        "may_withdraw": mine and (waiting or approved),
    }
    return render(request, "handovers/show.html", context, status=422 if refusal else 200)


def _action(actor: Actor) -> str:
    return "handover.prepare" if may(actor, "handover.prepare") else "handover.approve"


@require_POST
def decide(request: HttpRequest, handover_id: int) -> HttpResponseBase:
    """Approve, send back, agree as keeper of 支援措置, or withdraw."""
    actor, what = actor_of(request), request.POST.get("what", "")
    try:
        if what == "agree":
            handover.agree_sealed(actor, handover_id)
        elif what == "withdraw":
            handover.withdraw(actor, handover_id)
        else:
            handover.decide(actor, handover_id, approve=what == "approve", reason=request.POST.get("reason", ""))
    except InputRefused as refusal:
        return _show(request, actor, handover_id, refusal)
    return redirect("handover", handover_id)


@require_POST
def issue(request: HttpRequest, handover_id: int) -> HttpResponseBase:
    """The sealed letter as a file; POST, because an output is an act that is recorded."""
    actor = actor_of(request)
    try:
        letter = handover.issue(actor, handover_id)
    except InputRefused as refusal:
        return _show(request, actor, handover_id, refusal)
    response = HttpResponse(letter, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="handover_{handover_id}.json"'
    return response


@require_GET
def print_page(request: HttpRequest, handover_id: int) -> HttpResponse:
    """The 引継ぎ書 on paper: approved or issued ones only."""
    actor = actor_of(request)
    try:
        shown = handover.show(actor, handover_id, action=_action(actor))
    except InputRefused as e:
        return render(request, "handovers/gone.html", {"error": e}, status=404)
    if shown.handover.status not in (HandoverStatus.APPROVED, HandoverStatus.ISSUED):
        error = InputRefused("K763", "承認された引継ぎ書だけを印刷できます。", "引継ぎ書", "承認を待ってください。")
        return render(request, "handovers/gone.html", {"error": error}, status=422)
    return render(
        request, "handovers/print.html", {"shown": shown, "found": shown.handover, "city": handover.rules().municipality}
    )


@require_POST
def receive(request: HttpRequest) -> HttpResponseBase:
    """Take in a letter from another municipality."""
    actor = actor_of(request)
    upload = request.FILES.get("letter")
    try:
        if not isinstance(upload, UploadedFile) or (upload.size or 0) > handover_in.MAX_BYTES:
            raise InputRefused(
                "K764", "引継ぎ書のファイルがないか、大きすぎます。", "受け取ったファイル", "送られたファイルを選んでください。"
            )
        letter = handover_in.receive(actor, upload.read())
    except InputRefused as refusal:
        return _list(request, actor, refusal)
    return redirect("received_handover", letter.pk)


@require_http_methods(["GET", "POST"])
def received(request: HttpRequest, letter_id: int) -> HttpResponseBase:
    """One letter that came in; posting says whom it speaks of."""
    actor = actor_of(request)
    refusal: InputRefused | None = None
    if request.method == "POST":
        try:
            handover_in.confirm(actor, letter_id, request.POST.get("person", ""))
            return redirect("received_handover", letter_id)
        except InputRefused as e:
            refusal = e
    try:
        shown = handover_in.show(actor, letter_id)
    except InputRefused as e:
        return render(request, "handovers/gone.html", {"error": refusal or e}, status=404)
    context = {"shown": shown, "letter": shown.letter, "refusal": refusal}
    return render(request, "handovers/received.html", context, status=422 if refusal else 200)
