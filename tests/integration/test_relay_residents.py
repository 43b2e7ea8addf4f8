"""What residents do at the relay: linking by the posted code, answering, stopping, opening, asking; each taken in once."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone

from kizuki.app import relay_tickets
from kizuki.app.relay_exchange import exchange
from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import LineMessenger
from kizuki.app.relay_restore import restored
from kizuki.app.relay_sender import send_due
from kizuki.app.relay_startup import serve_with
from kizuki.engine.keys import KeyRing
from kizuki.push import codes
from kizuki.push.exchange import FIRST, file_name, pack, public_text, unpack
from kizuki.push.lines import (
    Answer,
    Asked,
    Code,
    ConsentText,
    Line,
    Linked,
    Opened,
    Outcome,
    Send,
    Silence,
    Stop,
    Template,
    from_json,
)
from kizuki.records.relay.models import ExchangedFile, Link, Outgoing, Pending, Switch, WrongTries
from kizuki.records.relay.models import Silence as SilenceRow
from kizuki.terms.errors import UsageError
from tests.line_double import LineDouble

pytestmark = pytest.mark.django_db(databases=["default", "relay"])
CORE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
CODE_KEY = b"k" * 32
CODE = codes.draw()
NO = "0123456789abcdef0123456789abcdef"
USER = "U" + "a" * 32
SECRET = "channel-secret"
NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))


@pytest.fixture
def line() -> Iterator[LineDouble]:
    with LineDouble() as double:
        yield double
    assert double.wrong == []


@pytest.fixture
def relay(tmp_path: Path, settings: Any, line: LineDouble) -> Relay:
    from kizuki.web import relay_settings

    settings.ROOT_URLCONF = relay_settings.ROOT_URLCONF
    settings.MIDDLEWARE = relay_settings.MIDDLEWARE
    settings.TEMPLATES = relay_settings.TEMPLATES
    settings.CSRF_FAILURE_VIEW = relay_settings.CSRF_FAILURE_VIEW
    made = Relay(tmp_path, KeyRing.load(tmp_path))
    for name, text in (("line-token", "test-token"), ("line-secret", SECRET), ("registration-code", CODE_KEY.hex())):
        (tmp_path / "keys" / name).write_text(text, encoding="ascii")
    (tmp_path / "core.pub").write_text(public_text(CORE.public_key()))
    for place in (made.incoming, made.outgoing):
        place.mkdir()
    serve_with(made, LineMessenger(line.host, "test-token"))
    return made


class Core:
    """The core's side: hands lines over in numbered files."""

    def __init__(self, relay: Relay) -> None:
        self.relay, self.seq, self.before = relay, 0, FIRST

    def hand(self, *told: Line, now: dt.datetime | None = None) -> None:
        self.seq += 1
        at = now or timezone.localtime()
        data = pack("to_relay", self.seq, self.before, at.isoformat(), told, key=CORE)
        self.before = hashlib.sha256(data).hexdigest()
        (self.relay.incoming / file_name(self.seq)).write_bytes(data)
        done = exchange(self.relay, at)
        assert done.refused == []


@pytest.fixture
def core(relay: Relay) -> Core:
    made = Core(relay)
    until = timezone.localtime() + dt.timedelta(days=60)
    made.hand(
        ConsentText("2026.1", "市は、お知らせを送ります。", ("tax", "programme_name")),
        Template("t-0a", "2026.1", "市からお知らせがあります。{リンク} 担当 000-000-0001", False),
        Code(codes.digest(CODE, CODE_KEY), NO, until.isoformat()),
    )
    return made


def told() -> list[Line]:
    """Every line there is to tell the core, told or not."""
    return [from_json(row.line) for row in Pending.objects.order_by("pk")]


def event(kind: str, number: int, user: str = USER, at: dt.datetime | None = None, **more: Any) -> dict[str, Any]:
    when = int((at or timezone.localtime()).timestamp() * 1000)
    return {
        "type": kind,
        "mode": "active",
        "timestamp": when,
        "source": {"type": "user", "userId": user},
        "webhookEventId": f"01H{number:023d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "r" * 32,
        **more,
    }


def deliver(*events: dict[str, Any], secret: str = SECRET) -> int:
    """LINE's call; its status."""
    body = json.dumps({"destination": "U" + "0" * 32, "events": list(events)}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return (
        Client()
        .post("/line/webhook", body, content_type="application/json", headers={"X-Line-Signature": signature})
        .status_code
    )


def text_event(number: int, text: str, at: dt.datetime | None = None) -> dict[str, Any]:
    return event("message", number, at=at, message={"type": "text", "id": "1", "text": text, "quoteToken": "q"})


def postback(number: int, data: str, at: dt.datetime | None = None) -> dict[str, Any]:
    return event("postback", number, at=at, postback={"data": data})


def link_by_code(client: Client, line_token: str = "linktoken1") -> str:
    page = client.post(f"/code/?t={line_token}", {"code": codes.printed(CODE)})
    assert page.status_code == 200
    body = page.content.decode()
    assert f"https://access.line.me/dialog/bot/accountLink?linkToken={line_token}&amp;nonce=" in body
    return body.split("nonce=")[1].split('"')[0]


def linked(number: int = 1) -> None:
    nonce = link_by_code(Client())
    assert deliver(event("accountLink", number, link={"result": "ok", "nonce": nonce})) == 200


def test_a_posted_code_links_an_account_once(core: Core, relay: Relay, line: LineDouble) -> None:
    deliver(event("follow", 1, follow={"isUnblocked": False}))
    assert "/code/?t=linktoken" in line.replies[0]["messages"][0]["text"]
    first, second = link_by_code(Client()), link_by_code(Client())
    assert deliver(event("accountLink", 2, link={"result": "ok", "nonce": first})) == 200
    found = Link.objects.get()
    assert (found.recipient_no, found.on) == (NO, True)
    assert USER.encode() not in bytes(found.user_sealed)
    assert relay.user_id(bytes(found.user_sealed), NO) == USER
    line_ = told()[-1]
    assert isinstance(line_, Linked)
    assert (line_.recipient_no, line_.on, line_.code_digest) == (NO, True, codes.digest(CODE, CODE_KEY))
    before = len(told())
    deliver(event("accountLink", 3, user="U" + "b" * 32, link={"result": "ok", "nonce": second}))
    deliver(event("accountLink", 4, user="U" + "b" * 32, link={"result": "ok", "nonce": first}))
    assert (Link.objects.count(), len(told())) == (1, before)
    assert Client().post("/code/", {"code": CODE}).status_code == 422


def test_every_wrong_code_gets_the_same_answer_and_many_stop_even_the_right_one(core: Core, relay: Relay) -> None:
    old, back = codes.draw(), codes.draw()
    now = timezone.localtime()
    core.hand(
        Code(codes.digest(old, CODE_KEY), "1" * 32, (now - dt.timedelta(days=1)).isoformat()),
        Code(codes.digest(back, CODE_KEY), "2" * 32, ""),
    )
    wrong = ["", "12345", codes.draw(), old, back, "999999999999", "あ" * 12]
    pages = [Client().post("/code/", {"code": text}) for text in wrong]
    assert {p.status_code for p in pages} == {422}
    plain = {p.content.decode().split('name="csrfmiddlewaretoken"')[0] for p in pages}
    assert len(plain) == 1
    assert WrongTries.objects.filter(place="all").get().count == len(wrong)
    assert "127.0.0.1" not in str(WrongTries.objects.values_list())
    for _ in range(relay_tickets.MOST_WRONG_HERE - len(wrong)):
        Client().post("/code/", {"code": "000000000000"})
    assert Client().post("/code/", {"code": CODE}).status_code == 422
    other = Client(REMOTE_ADDR="192.0.2.7").post("/code/", {"code": CODE})
    assert other.status_code == 200


def test_what_line_did_not_sign_is_refused_and_what_it_repeats_adds_nothing(core: Core) -> None:
    linked()
    before = len(told())
    assert deliver(postback(5, "answer|wanted||2026.1"), secret="another") == 403
    assert Client().post("/line/webhook", b"{}", content_type="application/json").status_code == 403
    assert len(told()) == before
    assert [deliver(postback(5, "answer|wanted|tax|2026.1")) for _ in range(3)] == [200, 200, 200]
    answer = told()[-1]
    assert isinstance(answer, Answer)
    assert len(told()) == before + 1
    assert (answer.recipient_no, answer.answer, answer.scopes, answer.text_version, answer.channel) == (
        NO, "wanted", ("tax",), "2026.1", "line",
    )  # fmt: skip


@pytest.mark.parametrize("word", ["停止", "配信停止", " 停止。"])
def test_a_word_stops_everything_at_once_whatever_arrives_late(core: Core, relay: Relay, line: LineDouble, word: str) -> None:
    linked()
    now = timezone.localtime()
    deliver(postback(5, "answer|wanted||2026.1", at=now))
    core.hand(send("1"), now=NOON)
    deliver(text_event(6, word, at=now + dt.timedelta(minutes=1)))
    deliver(postback(7, "answer|wanted||2026.1", at=now + dt.timedelta(seconds=30)))  # LINE delivers it late
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: NOON)
    assert line.deliveries == []
    assert [x.status for x in told() if isinstance(x, Outcome)] == ["held"]
    assert [x.answer for x in told() if isinstance(x, Answer)] == ["wanted", "withdrawn", "wanted"]


def send(number: str, at: dt.datetime = NOON) -> Send:
    key = f"00000000-0000-4000-8000-00000000000{number}"
    return Send(
        f"10000000-0000-4000-8000-00000000000{number}",
        NO,
        "t-0a",
        "2026.1",
        key,
        at.isoformat(),
        (at + dt.timedelta(hours=6)).isoformat(),
    )


def test_the_cores_release_ends_a_residents_stop_only_after_the_core_knew_of_it(core: Core) -> None:
    linked()
    deliver(text_event(6, "停止"))
    core.hand(Silence(NO, False))
    assert SilenceRow.objects.get().by_answer
    core.hand(Silence(NO, True))
    core.hand(Silence(NO, False))
    assert not SilenceRow.objects.get().by_answer


def test_blocking_and_unblocking_switch_the_link(core: Core, relay: Relay, line: LineDouble) -> None:
    linked()
    at = timezone.localtime() + dt.timedelta(minutes=1)
    deliver(event("unfollow", 8, at=at))
    deliver(event("follow", 9, at=at - dt.timedelta(seconds=30), follow={"isUnblocked": True}))
    assert not Link.objects.get().on
    core.hand(send("2"), now=NOON)
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: NOON)
    assert [x.status for x in told() if isinstance(x, Outcome)] == ["blocked"]
    deliver(event("follow", 10, at=at + dt.timedelta(minutes=1), follow={"isUnblocked": True}))
    assert Link.objects.get().on
    assert [x.on for x in told() if isinstance(x, Linked)] == [True, False, True]


def test_a_stop_holds_until_it_is_lifted(core: Core, relay: Relay, line: LineDouble) -> None:
    linked()
    core.hand(Stop(True), send("3"), now=NOON)
    there = LineMessenger(line.host, "test-token")
    send_due(relay, there, lambda: NOON)
    assert line.deliveries == []
    later = NOON + dt.timedelta(minutes=5)
    core.hand(Stop(False), now=later)
    send_due(relay, there, lambda: later)
    assert len(line.deliveries) == 1


def test_only_a_press_opens_a_notice_and_a_topic_is_asked_once(core: Core, relay: Relay, line: LineDouble) -> None:
    linked()
    core.hand(send("4", at=timezone.localtime() - dt.timedelta(hours=1)))
    Outgoing.objects.update(state="accepted")
    path = f"/n/{relay.page_key(Outgoing.objects.get().notice_id)}"
    page = Client().get(path)
    assert "担当 000-000-0001" not in page.content.decode()
    assert not [x for x in told() if isinstance(x, Opened)]
    shown = Client().post(path).content.decode()
    assert "担当 000-000-0001" in shown and "{リンク}" not in shown
    Client().post(path)
    assert len([x for x in told() if isinstance(x, Opened)]) == 1
    for topic in ("how", "how", "documents"):
        assert Client().post(f"{path}/ask", {"topic": topic}).status_code == 200
    assert [x.topic for x in told() if isinstance(x, Asked)] == ["how", "documents"]
    assert Client().post(f"{path}/stop").status_code == 200
    assert SilenceRow.objects.get().by_answer
    assert [Client().get(p).status_code for p in ("/n/guess", "/consent/guess", "/", "/people/")] == [404, 410, 404, 404]
    Outgoing.objects.update(expires_at=timezone.localtime() - dt.timedelta(days=61))
    assert Client().post(path).status_code == 410


def test_the_form_takes_one_answer_with_its_scopes(core: Core) -> None:
    page = Client().post("/code/", {"code": CODE}).content.decode()
    form = "/consent/" + page.split('href="/consent/')[1].split('"')[0]
    assert "税の情報を使うことに同意する" in Client().get(form).content.decode()
    said = {"answer": "wanted", "scope": ["programme_name", "everything"], "version": "2026.1"}
    assert Client().post(form, said).status_code == 200
    assert Client().post(form, said).status_code == 410
    answers = [x for x in told() if isinstance(x, Answer)]
    assert [(a.channel, a.scopes, a.answer) for a in answers] == [("web", ("programme_name",), "wanted")]


def test_forms_need_their_own_mark_and_pages_their_headers(core: Core) -> None:
    assert Client(enforce_csrf_checks=True).post("/code/", {"code": CODE}).status_code == 403
    page = Client().get("/code/")
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in Client().get("/healthz")


def test_what_goes_to_the_core_is_signed_numbered_and_told_once(core: Core, relay: Relay) -> None:
    linked()
    core.hand(Stop(False))
    core.hand(Stop(False))
    found = [unpack(p.read_bytes(), "from_relay", key=relay.signing_key.public_key()) for p in sorted(relay.outgoing.glob("*"))]
    assert [f.seq for f in found] == [1]
    assert [type(x) for x in found[0].lines] == [Linked]
    assert USER not in "".join(p.read_bytes().decode() for p in relay.outgoing.glob("*"))


def test_a_core_begun_anew_is_refused_instead_of_being_taken_for_what_was_applied(core: Core, relay: Relay) -> None:
    core.hand(Stop(True))
    again = pack("to_relay", 1, FIRST, NOON.isoformat(), [Stop(False)], key=CORE)
    (relay.incoming / file_name(1)).write_bytes(again)
    refused = exchange(relay, NOON).refused
    assert len(refused) == 1 and "K654" in refused[0]
    assert Switch.objects.get().stopped


def test_a_relay_put_back_from_a_copy_sends_nothing_twice(core: Core, relay: Relay, line: LineDouble) -> None:
    linked()
    there = LineMessenger(line.host, "test-token")
    core.hand(send("1"), send("2"), now=NOON)
    for path in relay.outgoing.glob("*.kzr"):
        path.unlink()
    untouched = list(Outgoing.objects.order_by("pk").values())
    send_due(relay, there, lambda: NOON)
    assert len(line.deliveries) == 2
    for row in untouched:
        Outgoing.objects.filter(pk=row["id"]).update(**row)  # as the copy has it: nothing tried yet
    Pending.objects.all().delete()
    last = ExchangedFile.objects.filter(direction="from_relay").order_by("-seq").first()
    assert last is not None
    with pytest.raises(UsageError, match="K664"):
        restored("0:" + "a" * 64, NOON)
    later = NOON + dt.timedelta(hours=1)
    assert restored(f"{last.seq + 3}:{'a' * 64}\n", later) == 2
    assert set(Outgoing.objects.values_list("maybe_sent", "first_tried_at")) == {(True, NOON)}
    line.accepted.pop(send("2").retry_key)  # as if it had never come there
    line.deliveries.pop()
    core.hand(send("3"), now=later)
    send_due(relay, there, lambda: later)
    assert [key for _, _, key in line.deliveries] == [send(n).retry_key for n in ("1", "2")], "the third is over the cap"
    assert line.statuses[409] == 1
    night = NOON + dt.timedelta(hours=7)
    send_due(relay, there, lambda: night)
    exchange(relay, night)
    found = [unpack(p.read_bytes(), "from_relay", key=relay.signing_key.public_key()) for p in relay.outgoing.glob("*.kzr")]
    assert (found[0].seq, found[0].previous) == (last.seq + 4, "a" * 64)
    assert [x.status for x in told() if isinstance(x, Outcome)] == ["accepted", "accepted", "unknown"]
