"""Pages around the screens: purpose, demo chooser, health, errors. One app call each."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from kizuki.app import accounts, demo_users
from kizuki.records.models import User
from kizuki.web import security

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@login_not_required
@require_GET
def healthz(request: HttpRequest) -> HttpResponseBase:
    """`{"snapshot": id}`; 503 while nothing has been published."""
    snapshot = accounts.served_snapshot()
    return JsonResponse({"snapshot": snapshot}, status=200 if snapshot else 503)


@require_http_methods(["GET", "POST"])
def purpose(request: HttpRequest) -> HttpResponseBase:
    """Choose the purpose of this session (利用目的); it is shown on every page and written in every audit event."""
    user = request.user
    assert isinstance(user, User)
    if request.method == "POST":
        security.choose_purpose(request, request.POST.get("purpose", ""))
        return redirect("/")
    return render(request, "account/purpose.html", {"purposes": accounts.purposes_of(user), "role": accounts.role_of(user)})


@login_not_required
@require_http_methods(["GET", "POST"])
def demo(request: HttpRequest) -> HttpResponseBase:
    """Choose one of the demo users; exists only in demo mode on a synthetic city."""
    if not demo_users.demo_allowed():
        raise Http404
    if request.method == "POST":
        user = demo_users.demo_user(request.POST.get("role", ""))
        if user is None:
            raise Http404
        login(request, user, backend=_BACKEND)
        return redirect("/")
    return render(request, "demo/chooser.html", {"users": demo_users.chooser()})


@login_not_required
def closed(request: HttpRequest) -> HttpResponseBase:
    """Self-service pages of the sign-in library that do not exist here."""
    raise Http404


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long or came from elsewhere."""
    return render(request, "errors/csrf.html", status=403)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return render(request, "errors/400.html", status=400)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403 raised by Django itself."""
    return render(request, "errors/403.html", status=403)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; says nothing about whether the thing exists for others."""
    return render(request, "errors/404.html", status=404)


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """500; needs nothing that may have failed."""
    return render(request, "errors/500.html", status=500)
