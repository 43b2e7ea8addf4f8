"""Opens the app of one home for this process: keys, settings, database, snapshot. Used by the verbs that need the app."""

import os
from pathlib import Path

import django
from django.core.management import call_command
from django.urls import get_resolver

from kizuki.engine.keys import KeyRing
from kizuki.terms.errors import NotPermitted

SETTINGS_MODULE = "kizuki.web.settings"


def open_app(home: Path, *, demo: bool | None = None) -> None:
    """Fix the home (and, if given, demo mode) for this process, then bring its database up to date.

    The root key is made first, because sessions are signed with a key derived from it.
    """
    KeyRing.load(home)
    os.environ["KIZUKI_HOME"] = str(home.absolute())
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS_MODULE
    if demo is not None:
        os.environ["KIZUKI_DEMO"] = "1" if demo else "0"
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def open_if_used(home: Path) -> bool:
    """Open the app of a home where people have worked (there is an app database); a home only a night has run in stays so."""
    if not (home / "app.db").exists() and not os.environ.get("KIZUKI_DATABASE_URL"):
        return False
    open_app(home)
    return True


def check_demo() -> None:
    """Raise NotPermitted K711 if demo mode was asked for on data without the synthetic mark."""
    from django.conf import settings

    from kizuki.app.demo_users import synthetic_snapshot

    if settings.KIZUKI_DEMO and not synthetic_snapshot():
        raise NotPermitted(
            "K711",
            "架空の印の無いデータでは、デモの利用者でサインインできません。",
            fix="KIZUKI_DEMO を外して起動してください。デモは ./kizuki demo で作る架空の市で使ってください。",
        )


def warm(home: Path, threads: int = 1) -> str | None:
    """Load the snapshot and prepare every declared query, so that the first page of each thread is as fast as the others.

    Returns the snapshot's id, or None before the first publication.
    """
    from kizuki.app import release_plan, scope
    from kizuki.app.served import served
    from kizuki.app.snapshot_view import current_view
    from kizuki.app.worklist_order import index_of
    from kizuki.terms.errors import RunFailed

    len(get_resolver().url_patterns)  # imports every screen, and with it every declared query
    release_plan.prepare()
    try:
        view = current_view(home)
    except RunFailed:
        return None
    view.prepare(threads)
    scope.people_of(view)
    index_of(served(home))
    return view.id
