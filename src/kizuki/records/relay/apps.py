"""The relay's own database as a Django application."""

from django.apps import AppConfig


class RelayConfig(AppConfig):
    """Rows of the relay; `router.RelayRouter` keeps them in the relay's own file."""

    name = "kizuki.records.relay"
    label = "relay"
    verbose_name = "中継"
