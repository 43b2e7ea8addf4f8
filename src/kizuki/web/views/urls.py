"""Addresses of the screens; included by `kizuki.web.urls`."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
