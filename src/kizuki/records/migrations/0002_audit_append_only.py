"""The database itself refuses to change or delete what the audit log holds."""

from importlib.resources import files

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def _forbid_change(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    name = f"audit_append_only.{editor.connection.vendor}.sql"
    text = files("kizuki.records.migrations").joinpath("sql", name).read_text(encoding="utf-8")
    for statement in text.split("\n\n"):  # one statement per paragraph
        editor.execute(statement.strip(), params=None)


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [migrations.RunPython(_forbid_change, elidable=False)]
