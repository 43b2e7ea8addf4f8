"""Addresses: sign-in, purpose, demo chooser, health; every screen comes from `kizuki.web.views.urls`."""

from allauth.account import views as account
from django.urls import include, path

from kizuki.web import auth_views
from kizuki.web.views.urls import urlpatterns as screens

handler400 = "kizuki.web.auth_views.bad_request"
handler403 = "kizuki.web.auth_views.forbidden"
handler404 = "kizuki.web.auth_views.not_found"
handler500 = "kizuki.web.auth_views.server_error"

# allauth needs these names; kizuki has no self-service accounts and no mail, so they answer 404.
_CLOSED = (
    "account_signup",
    "account_email",
    "account_reset_password",
    "account_set_password",
    "account_email_verification_sent",
)

urlpatterns = [
    path("healthz", auth_views.healthz, name="healthz"),
    path("purpose/", auth_views.purpose, name="purpose"),
    path("demo/", auth_views.demo, name="demo"),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/password/change/", account.password_change, name="account_change_password"),
    *[path(f"accounts/closed/{name}/", auth_views.closed, name=name) for name in _CLOSED],
    path("accounts/2fa/", include("allauth.mfa.urls")),
    *screens,
]
