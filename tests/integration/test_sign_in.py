"""Sign-in, purpose, demo chooser, session limits, headers: what stands around every page."""

import json
import logging
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from kizuki.app import accounts, demo_users
from kizuki.records.models import AuditEvent, User
from kizuki.terms.errors import NotPermitted, UsageError
from kizuki.web import environment
from kizuki.web.quiet_log import QuietFormatter
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
PASSWORD = "ながい合言葉12345"


@pytest.fixture
def staff(marked_city: MarkedView, settings: Any) -> User:
    """A real (non-demo) member of staff, second factor not required."""
    settings.KIZUKI_MFA_REQUIRED = False
    cache.clear()
    return User.objects.create_user("tanto", password=PASSWORD, role="caseworker", last_name="担当", first_name="者")


def sign_in(client: Client, login: str = "tanto", password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": login, "password": password})


def actions() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", "outcome"))


def test_nothing_is_shown_before_sign_in(client: Client, marked_city: MarkedView) -> None:
    for path in ("/", "/candidates/", "/children/c1/", "/feeds/", "/docs/", "/audit/", "/purpose/"):
        response = client.get(path)
        assert response.status_code == 302 and response["Location"].startswith("/accounts/login/"), path


def test_signing_in_fixes_the_only_purpose_and_is_recorded(client: Client, staff: User) -> None:
    assert sign_in(client).status_code == 302
    page = client.get("/feeds/")
    assert page.status_code == 200 and "こどもと家庭の支援" in page.content.decode()
    assert actions()[:2] == [("session.sign_in", "allowed"), ("session.start", "allowed")]
    body = json.loads(AuditEvent.objects.get(action="session.start").body)
    assert body["purpose"] == "support" and body["session"] and client.session.session_key not in body["session"]


def test_a_failed_sign_in_is_recorded_without_what_was_typed(client: Client, staff: User) -> None:
    assert sign_in(client, password="wrong password 1").status_code == 200
    assert actions() == [("session.sign_in", "refused")]
    assert "tanto" not in AuditEvent.objects.get().body


def test_guessing_is_slowed_down(client: Client, staff: User) -> None:
    for _ in range(12):
        response = sign_in(client, password="wrong password 1")
    assert sign_in(client).status_code == 200  # even the right password waits now
    assert response.status_code == 200 and not client.session.get("_auth_user_id")


def test_several_purposes_are_chosen_by_hand_and_others_refused(
    client: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = accounts.governance()
    both = matrix.roles["caseworker"].model_copy(
        update={"grants": matrix.roles["caseworker"].grants | matrix.roles["steering"].grants}
    )
    changed = matrix.model_copy(update={"roles": matrix.roles | {"caseworker": both}})
    monkeypatch.setattr(accounts, "governance", lambda: changed)
    sign_in(client)
    assert client.get("/feeds/")["Location"] == "/purpose/"
    assert "利用目的を選んで" in client.get("/purpose/").content.decode()
    assert client.post("/purpose/", {"purpose": "audit"}).status_code == 403
    assert client.post("/purpose/", {"purpose": "steering"}).status_code == 302
    assert client.session["purpose"] == "steering"


def test_an_ended_grant_opens_nothing(client: Client, staff: User) -> None:
    from django.utils import timezone

    User.objects.filter(pk=staff.pk).update(granted_until=timezone.localdate() - timedelta(days=1))
    sign_in(client)
    response = client.get("/feeds/")
    assert response.status_code == 403 and "K704" in response.content.decode()


def test_a_grant_that_ends_during_a_session_closes_it(client: Client, staff: User) -> None:
    from django.utils import timezone

    sign_in(client)
    assert client.get("/feeds/").status_code == 200
    User.objects.filter(pk=staff.pk).update(granted_until=timezone.localdate() - timedelta(days=1))
    assert client.get("/feeds/").status_code == 403


def test_staff_need_a_second_factor_where_it_is_required(client: Client, staff: User, settings: Any) -> None:
    settings.KIZUKI_MFA_REQUIRED = True
    sign_in(client)
    assert client.get("/feeds/")["Location"] == "/accounts/2fa/totp/activate/"
    setup = client.get("/accounts/2fa/totp/activate/")
    assert setup.status_code in (200, 302)  # 302: the password is asked again first


def test_second_factor_secrets_are_sealed(app_home: Path) -> None:
    from kizuki.web.security import SealedSecrets

    sealed = SealedSecrets().encrypt("JBSWY3DP")
    assert "JBSWY3DP" not in sealed and SealedSecrets().decrypt(sealed) == "JBSWY3DP"


def _age_session(client: Client, **changes: float) -> None:
    session = client.session
    session.update({k: session[k] - v for k, v in changes.items()})
    session.save()


@pytest.mark.parametrize("changes", [{"seen_at": 15 * 60 + 1}, {"started_at": 12 * 3600 + 1}])
def test_a_session_ends_when_idle_and_after_its_length(client: Client, staff: User, changes: dict[str, float]) -> None:
    sign_in(client)
    client.get("/feeds/")
    _age_session(client, **changes)
    assert client.get("/feeds/")["Location"] == "/accounts/login/?locked=1"
    assert client.get("/feeds/")["Location"].startswith("/accounts/login/?next")


def test_nobody_signs_up_and_self_service_is_closed(client: Client, marked_city: MarkedView) -> None:
    for name in ("account_signup", "account_email", "account_reset_password"):
        assert client.get(f"/accounts/closed/{name}/").status_code == 404


# demo


def test_the_chooser_exists_only_with_flag_and_mark(client: Client, marked_city: MarkedView, settings: Any) -> None:
    settings.KIZUKI_DEMO = False
    assert client.get("/demo/").status_code == 404
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    page = client.get("/demo/").content.decode()
    assert all(r.title in page for r in accounts.governance().roles.values())
    marked_city.synthetic = False
    try:
        assert client.get("/demo/").status_code == 404
        assert client.post("/demo/", {"role": "caseworker"}).status_code == 404
    finally:
        marked_city.synthetic = True


def test_demo_users_are_made_only_beside_the_mark(marked_city: MarkedView) -> None:
    with pytest.raises(NotPermitted, match="K711"):
        demo_users.ensure_demo_users(False)
    made = demo_users.ensure_demo_users(True)
    assert [m["role"] for m in made] == [m["login"] for m in made] and len(made) == 10
    again = demo_users.ensure_demo_users(True)
    assert User.objects.filter(username__in=[m["role"] for m in made]).count() == 10
    colleagues = User.objects.exclude(username__in=[m["role"] for m in made])
    assert {c.role for c in colleagues} == {"link_reviewer"} and not any(c.has_usable_password() for c in colleagues)
    assert {m["password"] for m in made}.isdisjoint({m["password"] for m in again})


def test_a_real_account_cannot_be_entered_through_the_chooser(client: Client, marked_city: MarkedView, settings: Any) -> None:
    settings.KIZUKI_DEMO = True
    User.objects.create_user("it", password=PASSWORD, role="it")
    assert client.post("/demo/", {"role": "it"}).status_code == 404


@pytest.mark.parametrize("role", ["caseworker", "auditor", "it"])
def test_each_demo_user_enters_with_one_click(role: str, client: Client, marked_city: MarkedView, settings: Any) -> None:
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    assert client.post("/demo/", {"role": role}).status_code == 302
    assert accounts.governance().roles[role].title in client.get("/docs/").content.decode()


def test_startup_refuses_demo_mode_without_the_mark(marked_city: MarkedView, settings: Any) -> None:
    from kizuki.app.startup import check_demo

    settings.KIZUKI_DEMO = True
    check_demo()
    marked_city.synthetic = False
    try:
        with pytest.raises(NotPermitted, match="K711"):
            check_demo()
    finally:
        marked_city.synthetic = True


# headers, errors, logs, settings


@pytest.mark.parametrize("path", ["/accounts/login/", "/feeds/", "/healthz", "/nowhere/"])
def test_every_page_is_strict_and_never_stored(path: str, client: Client, staff: User) -> None:
    sign_in(client)
    response = client.get(path)
    assert response["Cache-Control"] == "no-store"
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert response["X-Frame-Options"] == "DENY" and response["Referrer-Policy"] == "same-origin"
    text = response.content.decode()
    assert "style=" not in text and "<style" not in text and "onclick" not in text and "<script>" not in text


def test_health_names_the_snapshot(client: Client, marked_city: MarkedView) -> None:
    assert client.get("/healthz").json() == {"snapshot": "marked-1"}


def test_cookies_are_closed_to_scripts(client: Client, staff: User) -> None:
    response = sign_in(client)
    cookie = response.cookies["kizuki"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_a_refusal_is_a_page_that_names_who_can_grant_and_is_recorded(client: Client, staff: User) -> None:
    sign_in(client)
    response = client.get("/audit/")
    assert response.status_code == 403
    page = response.content.decode()
    assert "K701" in page and "総括管理主体" in page
    assert actions()[-1][1] == "refused"


def test_unknown_addresses_answer_in_japanese(client: Client, staff: User) -> None:
    sign_in(client)
    response = client.get("/nowhere/")
    assert response.status_code == 404 and "見つかりません" in response.content.decode()


def test_a_fault_shows_and_logs_no_value(client: Client, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client)
    client.raise_request_exception = False

    def fault(*_: Any, **__: Any) -> None:
        raise RuntimeError("印氏名印")

    monkeypatch.setattr("kizuki.web.views.feeds.feeds_board", fault, raising=False)
    monkeypatch.setattr("kizuki.app.feeds_board.feeds_board", fault, raising=False)
    response = client.get("/feeds/")
    assert response.status_code == 500 and "印" not in response.content.decode()
    try:
        fault()
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "Internal Server Error", (), sys.exc_info())
    assert "印" not in QuietFormatter().format(record) and "RuntimeError" in QuietFormatter().format(record)


@pytest.mark.parametrize(
    "env",
    [{"KIZUKI_DEMO": "maybe"}, {"KIZUKI_DATABASE_URL": "mysql://x/y"}, {"KIZUKI_DATABASE_URL": "postgresql://host"}],
)
def test_an_environment_that_means_nothing_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="K790"):
        environment.read(env)


def test_the_environment_is_read_once_into_one_object(tmp_path: Path) -> None:
    read = environment.read({"KIZUKI_HOME": str(tmp_path), "KIZUKI_DATABASE_URL": "postgresql://u:p%40@db:5433/kizuki"})
    assert read.home == tmp_path and read.mfa_required and not read.demo
    assert (read.database["PASSWORD"], read.database["PORT"], read.database["NAME"]) == ("p@", "5433", "kizuki")
    assert not list(tmp_path.iterdir())  # reading settings creates nothing


def test_django_finds_nothing_to_warn_about_in_production(tmp_path: Path) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('check', deploy=True, fail_level='WARNING')\n"
    )
    env = os.environ | {
        "KIZUKI_HOME": str(tmp_path), "KIZUKI_HTTPS": "1", "KIZUKI_HOSTS": "kizuki.example.lg.jp",
        "DJANGO_SETTINGS_MODULE": "kizuki.web.settings",
    }  # fmt: skip
    env.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # of this test run, not of a production machine
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
