"""Fixtures of the web and governance tests: a home of its own per test, the marked city behind the door, one user per role."""

import datetime as dt
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis_settings

if TYPE_CHECKING:
    from kizuki.govern.actor import Actor
    from tests.marked_city import MarkedView

# Playwright's own event loop runs in the worker that drives the browser; tests of the database in that worker are not async
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# learning multiplies small matrices: threads would only wait for each other (as `judge learn` sets it for itself)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# how long one example takes says nothing on a machine that does other work too
hypothesis_settings.register_profile("kizuki", deadline=None)
hypothesis_settings.load_profile("kizuki")

ROLES = ("steering", "data_owner", "analyst", "caseworker", "it", "link_reviewer", "notice_officer")
ROLES = (*ROLES, "programme_desk", "programme_office", "auditor")


@pytest.fixture
def app_home(tmp_path: Path, settings: Any) -> Path:
    """An empty home for the app database's keys and audit head."""
    settings.KIZUKI_HOME = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, tests only
    return tmp_path


@pytest.fixture(scope="session")
def marked_view() -> "Iterator[MarkedView]":
    """The marked city, loaded once."""
    from tests.marked_city import MarkedView

    view = MarkedView()
    yield view
    view.engine.close()


@pytest.fixture
def marked_city(app_home: Path, marked_view: "MarkedView", monkeypatch: pytest.MonkeyPatch) -> "MarkedView":
    """The marked city as the served snapshot of every part of the app."""
    import kizuki.web.urls  # noqa: F401 (a module imported later would keep the stand-in for ever)

    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: marked_view)
    return marked_view


@pytest.fixture
def actor_for(db: None, app_home: Path) -> "Callable[..., Actor]":
    """Makes the actor of a role with its first (or the given) purpose."""
    from kizuki.app import accounts
    from kizuki.records.models import User

    def make(role: str, purpose: str | None = None, login: str | None = None) -> "Actor":
        user, _ = User.objects.get_or_create(
            username=login or role, defaults={"role": role, "last_name": "職員", "first_name": role}
        )
        chosen = purpose or next(iter(accounts.governance().roles[role].grants), "")
        return accounts.actor(user, purpose=chosen, session="s" * 32)

    return make


@pytest.fixture(scope="session")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated city after one night and one day of use: received, published, every page opened as every demo user.

    What the crawl saw is in `crawl.jsonl` beside the data (it names fields and true persons, never a value).
    Workers of one test run share it: the first to ask builds it, the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with open(shared / "used_home.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = shared / "used_home"
        if not (home / "crawl.jsonl").exists():
            _night_and_day(home)
    return home


def _night_and_day(home: Path) -> None:
    from kizuki.app.run import run
    from kizuki.cli.options import definitions_of
    from kizuki.synth.city import build_city
    from kizuki.synth.write import write_city

    write_city(build_city(1500, 7), home)
    run(home, definitions_of(home), dt.date(2026, 11, 20), dt.datetime(2026, 11, 20, 22, tzinfo=dt.UTC))
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.night_and_crawl", str(home)],
        cwd=root, env=os.environ | {"PYTHONPATH": f"{root}/src{os.pathsep}{root}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (home / "crawl.jsonl").write_text(done.stdout, encoding="utf-8")
