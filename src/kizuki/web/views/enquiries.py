"""問合せ: the office's own list with its days to answer by, taking, answering, handing over; counts for those who steer."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from kizuki.app import enquiries as desk
from kizuki.app.accounts import may
from kizuki.app.enquiries import BY_HAND, Question
from kizuki.govern.actor import Actor
from kizuki.terms.errors import InputRefused
from kizuki.web.views.session import actor_of


@require_http_methods(["GET", "POST"])
def enquiries(request: HttpRequest) -> HttpResponseBase:
    """The list; posting enters a question asked by telephone, at the counter or on paper."""
    actor = actor_of(request)
    if request.method == "POST":
        form = request.POST
        question = Question(form.get("topic", ""), form.get("programme", ""), form.get("channel", ""), form.get("number", ""))
        try:
            desk.enter(actor, question)
        except InputRefused as refusal:
            return _list(request, actor, refusal)
        return redirect("enquiries")
    if not may(actor, "enquiry.answer"):
        return render(request, "enquiries/counts.html", {"rows": desk.counts(actor)})
    return _list(request, actor)


def _list(request: HttpRequest, actor: Actor, refusal: InputRefused | None = None) -> HttpResponse:
    done = request.GET.get("done") == "1"
    rules = desk.rules()
    context = {
        "rows": desk.listing(actor, done=done),
        "done": done,
        "office": desk.office_of(actor),
        "offices": desk.offices(),
        "topics": [(t, found.name) for t, found in rules.topics.items()],
        "results": rules.results,
        "programmes": desk.programmes(),
        "channels": [(c.value, c.label) for c in BY_HAND],
        "refusal": refusal,
    }
    return render(request, "enquiries/list.html", context, status=422 if refusal else 200)


@require_POST
def act(request: HttpRequest, enquiry_id: int) -> HttpResponseBase:
    """Take, answer or hand over one enquiry."""
    actor, form = actor_of(request), request.POST
    try:
        if form.get("what") == "take":
            desk.take(actor, enquiry_id)
        elif form.get("what") == "hand_over":
            desk.hand_over(actor, enquiry_id, form.get("office", ""))
        else:
            desk.answer(actor, enquiry_id, form.get("result", ""))
    except InputRefused as refusal:
        return _list(request, actor, refusal)
    return redirect("enquiries")
