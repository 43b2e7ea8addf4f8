"""Core and relay share no table: the core's database cannot hold a LINE user id, the relay's holds nothing of the core."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

_OPEN = "from pathlib import Path; from kizuki.app.relay_startup import open_relay; open_relay(Path({home!r}))"


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as db:
        return {name for (name,) in db.execute("select name from sqlite_master where type='table'")}


@pytest.mark.django_db(databases=["default", "relay"])
def test_no_table_of_one_side_exists_on_the_other() -> None:
    core = set(connections["default"].introspection.table_names())
    relay = set(connections["relay"].introspection.table_names())
    assert {t for t in core if t.startswith("relay_")} == set()
    assert {t for t in relay if not t.startswith("relay_")} <= {"django_migrations"}
    assert "relay_link" in relay


@pytest.mark.django_db(databases=["default"])
def test_no_column_of_the_core_could_be_meant_for_a_line_user() -> None:
    connection = connections["default"]
    with connection.cursor() as cursor:
        names = {
            (table, column.name)
            for table in connection.introspection.table_names(cursor)
            for column in connection.introspection.get_table_description(cursor, table)
        }
    marks = ("line_user", "user_sealed", "user_token", "lineid", "line_id")
    assert names
    assert {n for n in names if any(m in n[1].lower().replace("userid", "line_user") for m in marks)} == set()


def test_a_relay_opens_with_only_its_own_tables_and_refuses_the_cores_home(tmp_path: Path) -> None:
    home = tmp_path / "relay"
    script = _OPEN.format(home=str(home))
    run = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert all(t.startswith("relay_") or t in {"django_migrations", "sqlite_sequence"} for t in tables(home / "relay.db"))
    assert not (home / "app.db").exists()
    (home / "app.db").touch()
    run = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "K657" in run.stderr


def test_django_finds_nothing_to_warn_about_in_a_relay_in_production(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('check', deploy=True, fail_level='WARNING')\n"
    )
    env = os.environ | {
        "KIZUKI_HOME": str(tmp_path), "KIZUKI_HTTPS": "1", "KIZUKI_HOSTS": "oshirase.example.lg.jp",
        "DJANGO_SETTINGS_MODULE": "kizuki.web.relay_settings",
    }  # fmt: skip
    env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
