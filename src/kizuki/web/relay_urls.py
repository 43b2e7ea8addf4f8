"""Addresses of the relay: what LINE calls, the residents' pages, health. Nothing else of the program answers there."""

from django.urls import path

from kizuki.web.views import relay

handler400 = "kizuki.web.views.relay.bad_request"
handler404 = "kizuki.web.views.relay.not_found"
handler500 = "kizuki.web.views.relay.server_error"

urlpatterns = [
    path("healthz", relay.healthz, name="healthz"),
    path("line/webhook", relay.webhook, name="webhook"),
    path("code/", relay.code, name="code"),
    path("consent/<str:shown>", relay.consent, name="consent"),
    path("n/<str:key>", relay.notice, name="notice"),
    path("n/<str:key>/ask", relay.ask, name="ask"),
    path("n/<str:key>/stop", relay.stop, name="stop"),
]
