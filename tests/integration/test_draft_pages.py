"""The pages of a draft, 判定基準 and 制度 alike: what the browser asks, what it is answered, who is offered the approval."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kizuki.app import demo_users
from kizuki.records.models import CriteriaDraft, CriteriaDraftStatus, User
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
KINDS = {
    "criteria": ("/criteria/", "analyst", "absence@2026.1"),
    "programme": ("/programmes/", "programme_office", "school_aid"),
}


@pytest.fixture
def enter(marked_city: MarkedView, settings: Any, client: Client) -> Callable[[str], Client]:
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)

    def sign_in(role: str) -> Client:
        assert client.post("/demo/", {"role": role}).status_code == 302
        client.get("/docs/")
        return client

    return sign_in


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    return KINDS[request.param]


def started(client: Client, root: str, copy: str) -> str:
    """Address of a new draft."""
    return str(client.post(f"{root}new/", {"copy": copy})["Location"])


@pytest.mark.parametrize("day", ["2027-02-30", "2027-13-01", "明日", ""])
def test_a_day_that_does_not_exist_is_refused_and_not_an_error(enter: Any, kind: tuple[str, str, str], day: str) -> None:
    root, writer, copy = kind
    client = enter(writer)
    answer = client.post(started(client, root, copy) + "decide/", {"what": "request", "effective_on": day})
    assert answer.status_code == 422 and "K587" in answer.content.decode()
    assert CriteriaDraft.objects.get().status == CriteriaDraftStatus.WRITING


def test_a_refused_request_keeps_the_day_that_was_chosen(enter: Any, kind: tuple[str, str, str]) -> None:
    root, writer, _ = kind
    client = enter(writer)
    where = started(client, root, "")
    soon = (timezone.localdate() + dt.timedelta(days=3)).isoformat()
    answer = client.post(where + "decide/", {"what": "request", "effective_on": soon})
    assert answer.status_code == 422 and f'value="{soon}" required' in answer.content.decode()


def test_what_waits_is_on_the_first_page_of_whoever_it_waits_for(enter: Any, kind: tuple[str, str, str]) -> None:
    root, writer, copy = kind
    client = enter(writer)
    where = started(client, root, copy)
    assert "差し戻された" not in client.get("/").content.decode()
    soon = (timezone.localdate() + dt.timedelta(days=3)).isoformat()
    client.post(where + "decide/", {"what": "request", "effective_on": soon})
    assert "承認を待つ" not in client.get("/").content.decode(), "not the writer's to decide"
    assert "承認を待つ" not in enter("caseworker").get("/").content.decode()
    title = "判定基準の案" if root == "/criteria/" else "制度の案"
    assert f"承認を待つ{title}" in enter("steering").get("/").content.decode()
    client.post(where + "decide/", {"what": "return", "reason": "試行を先に"})
    assert "承認を待つ" not in client.get("/").content.decode()
    assert f"差し戻された{title}" in enter(writer).get("/").content.decode()


def test_lists_say_names_and_not_identifiers(enter: Any, kind: tuple[str, str, str]) -> None:
    root, writer, copy = kind
    client = enter(writer)
    started(client, root, copy)
    told = client.get(root).content.decode()
    name = {"/criteria/": "不登校 版", "/programmes/": "就学援助"}[root]
    assert re.search(rf"案\d+ {name}", told)
    if root == "/criteria/":
        offered = re.findall(r"<option[^>]*>([^<]*)</option>", client.get("/criteria/compare/").content.decode())
        assert "不登校（版 2026.1・施行中）" in offered and any(o.startswith("案") and "不登校" in o for o in offered)
        assert not any("absence" in o for o in offered)


def test_a_form_opened_before_anothers_change_saves_nothing(enter: Any, kind: tuple[str, str, str]) -> None:
    root, writer, copy = kind
    client = enter(writer)
    where = started(client, root, copy)
    made = CriteriaDraft.objects.get()
    posted = {"what": "yaml", "yaml": made.text + "\n", "revision": str(made.revision)}
    assert client.post(where, posted).status_code == 302
    late = client.post(where, posted | {"yaml": "ID: x"})
    assert late.status_code == 422 and "K586" in late.content.decode()
    assert "ID: x" not in CriteriaDraft.objects.get().text
    told = late.content.decode()
    assert "あなたが書いた内容（保存していません" in told and ">ID: x</textarea>" in told, "what was typed can be taken over"
    assert "あなたが書いた内容" not in client.get(where).content.decode()


def test_the_approval_is_offered_to_another_person_only(enter: Any, kind: tuple[str, str, str]) -> None:
    root, writer, copy = kind
    client = enter(writer)
    where = started(client, root, copy)
    soon = (timezone.localdate() + dt.timedelta(days=3)).isoformat()
    assert client.post(where + "decide/", {"what": "request", "effective_on": soon}).status_code == 302
    assert "自分が書いた案は承認できません" in client.get(where).content.decode()
    offered = enter("steering").get(where).content.decode()
    mark = re.search(r'name="mark" value="([0-9a-f]+)"', offered)
    assert mark and "差し戻しの理由" in offered
    # whoever asked for the approval is not offered it either, as the step itself refuses it
    CriteriaDraft.objects.update(requested_by=User.objects.get(username="steering"))
    own = client.get(where).content.decode()
    assert 'value="approve"' not in own and "自分が書いた案は承認できません" in own
    assert client.post(where + "decide/", {"what": "approve", "mark": mark[1]}).status_code == 403


@pytest.mark.parametrize(("part", "method"), [("", "get"), ("", "post"), ("preview/", "get"), ("decide/", "post")])
def test_a_draft_that_is_not_there_leads_back_to_the_list(
    enter: Any, kind: tuple[str, str, str], part: str, method: str
) -> None:
    root, writer, _ = kind
    answer = getattr(enter(writer), method)(f"{root}drafts/999/{part}", {"what": "withdraw", "reason": "x"})
    assert answer.status_code == 404 and f'href="{root}"' in answer.content.decode()
