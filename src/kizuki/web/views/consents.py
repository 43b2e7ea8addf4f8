"""同意と宛先: counts, invitations and their letters, and one recipient's answer given on paper or at the counter."""

import datetime as dt

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import consent_desk, invitations, letter_pdf, letters
from kizuki.app.accounts import may
from kizuki.app.consent_desk import BY_HAND, SCOPE_TITLES, Wish
from kizuki.app.letters import Printing
from kizuki.push.small_cells import shown
from kizuki.records.notice_models import ConsentAnswer
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, snapshot


@require_GET
def consents(request: HttpRequest) -> HttpResponse:
    """同意状況 and the lists."""
    return _overview(request)


def _overview(request: HttpRequest, refusal: InputRefused | None = None) -> HttpResponse:
    actor, served = actor_of(request), snapshot()
    overview = consent_desk.overview(actor)
    rows = [
        {
            "invitation": i,
            "programme": served.definitions.programme_title(i.programme),
            "waiting": letters.waiting(i),
            "left_out": [(why, shown(n)) for why, n in sorted(i.counts.get("left_out", {}).items())],
        }
        for i in invitations.listing(actor)
    ]
    context = {
        "overview": overview,
        "invitations": rows,
        "programmes": invitations.choices(served),
        "waiting_notices": letters.waiting_notices(),
        "may_make": bool(may(actor, "invitation.make")),
        "may_print": bool(may(actor, "letter.print")),
        "may_enter": bool(may(actor, "consent.enter")),
        "refusal": refusal,
    }
    return render(request, "consents/overview.html", context, status=422 if refusal else 200)


@require_POST
def find(request: HttpRequest) -> HttpResponseBase:
    """Open the recipient of a number or code; POST, so that a code is in no address."""
    try:
        number = consent_desk.find(actor_of(request), request.POST.get("number", ""))
    except InputRefused as refusal:
        return _overview(request, refusal)
    return redirect("consent", number)


@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest, number: str) -> HttpResponseBase:
    """One recipient; posting records an answer."""
    actor, refusal = actor_of(request), None
    if request.method == "POST":
        try:
            consent_desk.record(actor, number, _wish(request))
            return redirect("consent", number)
        except InputRefused as e:
            refusal = e
    try:
        page = consent_desk.recipient_page(actor, number)
    except InputRefused as e:
        return _overview(request, e)
    context = {
        "page": page,
        "scopes": [t for s, t in SCOPE_TITLES.items() if s in page.scopes],
        "answers": ConsentAnswer.choices,
        "channels": [(c.value, c.label) for c in BY_HAND],
        "scope_titles": SCOPE_TITLES.items(),
        "today": timezone.localdate(),
        "may_print": bool(may(actor, "letter.print")),
        "refusal": refusal,
        "typed": request.POST if refusal else {},
    }
    return render(request, "consents/recipient.html", context, status=422 if refusal else 200)


def _wish(request: HttpRequest) -> Wish:
    form = request.POST
    try:
        on = dt.date.fromisoformat(form.get("on", ""))
    except ValueError:
        raise InputRefused("K675", "答えた日が読めません。", "同意の受付", "2026-11-20 のように入れてください。") from None
    return Wish(form.get("answer", ""), form.getlist("scope"), form.get("channel", ""), on, form.get("version", ""))


@require_POST
def revoke(request: HttpRequest, number: str) -> HttpResponseBase:
    """Take back the codes of one recipient."""
    consent_desk.revoke_codes(actor_of(request), number)
    return redirect("consent", number)


@require_POST
def make(request: HttpRequest) -> HttpResponseBase:
    """Draw a list."""
    try:
        invitations.make(actor_of(request), snapshot(), request.POST.get("name", ""), request.POST.get("programme", ""))
    except InputRefused as refusal:
        return _overview(request, refusal)
    return redirect("consents")


@require_POST
def close(request: HttpRequest, invitation_id: int) -> HttpResponseBase:
    """End a list."""
    try:
        invitations.close(actor_of(request), invitation_id)
    except InputRefused as refusal:
        return _overview(request, refusal)
    return redirect("consents")


@require_POST
def print_invitations(request: HttpRequest, invitation_id: int) -> HttpResponseBase:
    """The next letters of a list, or one again."""
    form = request.POST
    try:
        as_pdf = _pdf_wanted(request)
        made = letters.print_invitations(
            actor_of(request), invitation_id, number=form.get("number", ""), reason=form.get("reason", "")
        )
    except InputRefused as refusal:
        return _overview(request, refusal)
    return _sheets(request, made, f"annai_{invitation_id}.pdf", as_pdf=as_pdf)


@require_POST
def print_notices(request: HttpRequest) -> HttpResponseBase:
    """The notices that wait for paper, or one again."""
    form = request.POST
    try:
        as_pdf = _pdf_wanted(request)
        made = letters.print_notices(actor_of(request), notice_id=form.get("notice", ""), reason=form.get("reason", ""))
    except InputRefused as refusal:
        return _overview(request, refusal)
    return _sheets(request, made, "oshirase.pdf", as_pdf=as_pdf)


def _pdf_wanted(request: HttpRequest) -> bool:
    """Whether a PDF is asked for; then it must be possible, before any letter counts as printed."""
    if request.POST.get("form") != "pdf":
        return False
    letters.check_may_print(actor_of(request))
    letter_pdf.ready()
    return True


def _sheets(request: HttpRequest, made: Printing, name: str, *, as_pdf: bool) -> HttpResponse:
    if not as_pdf:
        return render(request, "letters/print.html", {"printing": made})
    body = letter_pdf.pdf(render_to_string("letters/pdf.html", {"printing": made}), _style())
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """The style sheet of the letters: the window of this city's envelope to the millimetre."""
    actor_of(request)
    return HttpResponse(_style(), content_type="text/css; charset=utf-8")


def _style() -> str:
    return render_to_string("letters/letter.css", {"w": letters.form().window})
