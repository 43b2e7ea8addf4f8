"""The relay's pages for residents, in plain Japanese, and the address LINE calls. One app call each; nobody signs in."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kizuki.app import relay_pages, relay_webhook
from kizuki.app.relay_answers import SCOPES, TOPICS
from kizuki.app.relay_home import Relay
from kizuki.app.relay_startup import serving

MOST_WEBHOOK_BYTES = 1 << 20


def _relay() -> Relay:
    return serving().relay


@require_GET
def healthz(request: HttpRequest) -> HttpResponseBase:
    """200 while the program answers; says nothing of what it holds."""
    return JsonResponse({"role": "relay"})


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> HttpResponseBase:
    """What LINE tells: 403 unless signed by LINE, 400 if it is no JSON, else 200 (also for what was told before)."""
    signature = request.headers.get("X-Line-Signature", "")
    if int(request.headers.get("Content-Length") or 0) > MOST_WEBHOOK_BYTES:
        return HttpResponse(status=413)
    try:
        body = request.body.decode()
        taken = relay_webhook.take_in(_relay(), body, signature, serving().line, timezone.localtime())
    except ValueError:
        return HttpResponse(status=400)
    return HttpResponse(status=200 if taken else 403)


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponseBase:
    """The posted registration code is typed in; every wrong one gets the same answer."""
    token = request.GET.get("t", "")
    if request.method == "GET":
        return _page(request, "code", token=token)
    address = request.META.get("REMOTE_ADDR", "")  # behind the https front: the caller it saw (cli/serve.py)
    way = relay_pages.code_typed(_relay(), request.POST.get("code", ""), address, token, timezone.localtime())
    if way is None:
        return _page(request, "code", token=token, wrong=True, status=422)
    return _page(request, "code_right", way=way)


@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest, shown: str) -> HttpResponseBase:
    """The text of consent, what it covers, and the two answers."""
    now = timezone.localtime()
    if request.method == "POST":
        said, version = request.POST.get("answer", ""), request.POST.get("version", "")
        if relay_pages.consent_given(shown, said, request.POST.getlist("scope"), version, now):
            return _page(request, "consent_done", said=said)
        return _page(request, "gone", status=410)
    text = relay_pages.consent_text(shown, now)
    if text is None:
        return _page(request, "gone", status=410)
    scopes = [(scope, SCOPES[scope]) for scope in text.scopes if scope in SCOPES]
    return _page(request, "consent", text=text, scopes=scopes)


@require_http_methods(["GET", "POST"])
def notice(request: HttpRequest, key: str) -> HttpResponseBase:
    """One notice's own page: the text is there after a press of the button."""
    page = relay_pages.notice_page(key, timezone.localtime(), pressed=request.method == "POST")
    if page is None:
        return not_found(request)
    if page.expired:
        return _page(request, "gone", status=410)
    return _page(request, "notice", page=page, key=key, topics=TOPICS.items())


@require_POST
def ask(request: HttpRequest, key: str) -> HttpResponseBase:
    """A question about a notice, by button."""
    if not relay_pages.notice_asked(key, request.POST.get("topic", ""), timezone.localtime()):
        return not_found(request)
    return _page(request, "asked")


@require_POST
def stop(request: HttpRequest, key: str) -> HttpResponseBase:
    """No more notices."""
    if not relay_pages.notice_stopped(key, timezone.localtime()):
        return not_found(request)
    return _page(request, "consent_done", said="withdrawn")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400 in plain words."""
    return _page(request, "gone", status=400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 in plain words."""
    return _page(request, "gone", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 in plain words."""
    return _page(request, "fault", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was not opened here: open it again."""
    return _page(request, "gone", status=403)


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, f"relay/{name}.html", context, status=status)
