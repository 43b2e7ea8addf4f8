"""Keeps the relay's rows and the core's apart: each kind of table exists in one database only (D11)."""

from typing import Any, Final

ALIAS: Final = "relay"
"""Name of the relay's database, and label of its application."""


class RelayRouter:
    """Sends the relay's models to the relay's database, and makes neither side's tables in the other's."""

    def db_for_read(self, model: type[Any], **_: Any) -> str | None:
        """The relay's database for its models; no opinion on others."""
        return ALIAS if model._meta.app_label == ALIAS else None

    def db_for_write(self, model: type[Any], **_: Any) -> str | None:
        """As for reading."""
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        """Relay tables in the relay's database, all others elsewhere."""
        return (db == ALIAS) == (app_label == ALIAS)
