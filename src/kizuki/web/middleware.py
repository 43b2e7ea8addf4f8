"""What every request passes: response headers, session limits, the actor with a purpose, refusals as pages."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from kizuki.terms.errors import KizukiError, NotPermitted
from kizuki.web import security
from kizuki.web.headers import CONTENT_SECURITY_POLICY, ResponseHeaders

__all__ = ["CONTENT_SECURITY_POLICY", "ActorOfSession", "RefusalPages", "ResponseHeaders", "SessionLimits", "refusal"]

_SEEN_EVERY_SECONDS = 30  # a session row is written (and synced) at most this often
_Next = Callable[[HttpRequest], HttpResponseBase]


class SessionLimits:
    """Ends a session left idle, and any session after its absolute length."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and self._over(request, time.time()):
            logout(request)
            return redirect(reverse(settings.LOGIN_URL) + "?locked=1")
        return self.get_response(request)

    def _over(self, request: HttpRequest, now: float) -> bool:
        started = request.session.setdefault("started_at", now)
        seen = request.session.get("seen_at", now)
        if now - started > settings.KIZUKI_SESSION_SECONDS or now - seen > settings.KIZUKI_IDLE_SECONDS:
            return True
        if "seen_at" not in request.session or now - seen > _SEEN_EVERY_SECONDS:
            request.session["seen_at"] = now
        return False


class ActorOfSession:
    """Sets `request.actor`; sends staff without second factor or without a purpose to the page that asks for it."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = None  # type: ignore[attr-defined]
        try:
            if request.user.is_authenticated and not request.path.startswith(security.OPEN_PATHS):
                detour = security.detour(request)
                if detour is not None:
                    return redirect(detour)
            if request.user.is_authenticated:
                request.actor = security.actor_of(request)  # type: ignore[attr-defined]
        except NotPermitted as error:
            return refusal(request, error)
        return self.get_response(request)


class RefusalPages:
    """Turns a refusal into a Japanese page with its code, its reason and who can grant the right."""

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A KizukiError raised by a view becomes a page; anything else goes on to the 500 page."""
        if isinstance(error, NotPermitted):
            return refusal(request, error)
        if isinstance(error, KizukiError):
            return render(request, "errors/503.html", {"error": error}, status=503)
        return None


def refusal(request: HttpRequest, error: NotPermitted) -> HttpResponse:
    """The page of a refusal; the attempt is recorded with the person it was about, if the address names one."""
    security.record_refusal(request, error.code)
    return render(request, "errors/403.html", {"error": error}, status=403)
