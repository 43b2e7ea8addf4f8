"""The app database as a Django application."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Human decisions: cases, grants, seals, audit. Facts stay in the snapshot."""

    name = "kizuki.records"
    label = "records"
    verbose_name = "記録"
