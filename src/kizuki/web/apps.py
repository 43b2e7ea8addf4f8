"""The web face as a Django application (templates, static files)."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Screens and sign-in."""

    name = "kizuki.web"
    label = "web"
    verbose_name = "画面"

    def ready(self) -> None:
        """Connect sign-in and sign-out to the audit log."""
        from kizuki.web import security

        security.connect()
