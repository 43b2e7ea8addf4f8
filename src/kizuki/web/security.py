"""Sign-in rules of the web face: who the actor is, what stands between sign-in and the first page."""

from contextlib import suppress
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.urls import reverse

from kizuki.app import accounts, audit
from kizuki.govern.actor import Actor
from kizuki.records.models import User
from kizuki.terms.errors import NotPermitted

OPEN_PATHS = ("/accounts/", "/demo/", "/purpose/", "/healthz", "/static/")
"""Addresses that work before a purpose is chosen and a second factor is set."""

_MFA_PURPOSE = "mfa"


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by the administrator (棚卸し); nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False


class SealedSecrets(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps second-factor secrets sealed in the database."""

    def encrypt(self, text: str) -> str:
        """Sealed text, hexadecimal."""
        return audit.keys().seal(text.encode(), _MFA_PURPOSE).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` was given; raises RunFailed if it was altered."""
        return audit.keys().unseal(bytes.fromhex(encrypted_text), _MFA_PURPOSE).decode()


def actor_of(request: HttpRequest) -> Actor | None:
    """The actor of a signed-in request, or None before a purpose is chosen."""
    user, purpose = request.user, request.session.get("purpose", "")
    if not isinstance(user, User) or not purpose:
        return None
    token = audit.keys().token("session", request.session.session_key or "")
    return accounts.actor(user, purpose=purpose, session=token)


def detour(request: HttpRequest) -> str | None:
    """Where a signed-in user must go first: second factor, then purpose; None when nothing is missing."""
    user = request.user
    if not isinstance(user, User):
        return None
    if settings.KIZUKI_MFA_REQUIRED and not user.synthetic and not _has_second_factor(user):
        return reverse("mfa_activate_totp")
    if request.session.get("purpose"):
        return None
    choices = accounts.purposes_of(user)
    if len(choices) == 1:
        choose_purpose(request, choices[0].id)
        return None
    return reverse("purpose")


def choose_purpose(request: HttpRequest, purpose: str) -> None:
    """Fix the purpose of this session and record it; raises NotPermitted if the role does not have it."""
    user = request.user
    assert isinstance(user, User)
    accounts.check_purpose(user, purpose)
    if request.session.session_key is None:
        request.session.save()
    token = audit.keys().token("session", request.session.session_key or "")
    audit.record(accounts.actor(user, purpose=purpose, session=token), "session.start")
    request.session["purpose"] = purpose


def record_refusal(request: HttpRequest, code: str) -> None:
    """Record an attempt that was refused: which page, about whom; a log that cannot be written adds nothing to show."""
    user, match = request.user, request.resolver_match
    if not isinstance(user, User):
        return
    person = match.kwargs.get("person_id") if match else None
    who = getattr(request, "actor", None) or accounts.actor(user)
    page = match.url_name if match else None
    entry = audit.Entry(outcome="refused", subjects=[str(person)] if person else [], fields=[code])
    with suppress(NotPermitted):  # the log is out of order: nothing is shown anyway
        audit.record(who, f"page.{page or 'none'}", entry)


def _has_second_factor(user: User) -> bool:
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(user))


def connect() -> None:
    """Record sign-in, sign-out and failed sign-in."""
    user_logged_in.connect(_on_sign_in, dispatch_uid="kizuki.sign_in")
    user_logged_out.connect(_on_sign_out, dispatch_uid="kizuki.sign_out")
    user_login_failed.connect(_on_failure, dispatch_uid="kizuki.sign_in_failed")


def _on_sign_in(sender: Any, user: User, **_: Any) -> None:
    audit.record(accounts.actor(user), "session.sign_in")


def _on_sign_out(sender: Any, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(accounts.actor(user), "session.sign_out")


def _on_failure(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    # The typed name may be a password typed into the wrong box: only its keyed hash is kept.
    audit.record_failed_sign_in(str(credentials.get("username", "")))
