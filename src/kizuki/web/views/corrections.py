"""元データの訂正の依頼: the list of the owning office (or of one's own requests), and its answer."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import corrections_asked
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of, snapshot


@require_GET
def corrections(request: HttpRequest) -> HttpResponse:
    """Requests to this office, or those one made."""
    return _list(request)


@require_POST
def answer(request: HttpRequest, request_id: int) -> HttpResponseBase:
    """The office says what it did."""
    try:
        corrections_asked.answer(actor_of(request), snapshot(), request_id, request.POST.get("status", ""))
    except InputRefused as refusal:
        return _list(request, refusal)
    return redirect("corrections")


def _list(request: HttpRequest, refusal: InputRefused | None = None) -> HttpResponse:
    rows = corrections_asked.listing(actor_of(request), snapshot())
    context = {"rows": rows, "answers": corrections_asked.ANSWERS, "refusal": refusal}
    return render(request, "corrections/list.html", context, status=422 if refusal else 200)
