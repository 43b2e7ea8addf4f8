"""Takes in what LINE tells: signature over the raw body first, each event once in its own transaction, replies afterwards."""

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from kizuki.app import relay_answers
from kizuki.app.relay_home import LINE_SECRET, Relay
from kizuki.app.relay_line import Choice, Messenger
from kizuki.app.relay_tickets import CONSENT, take_link_ticket, ticket
from kizuki.records.relay.models import ConsentText
from kizuki.records.relay.router import ALIAS

STOP_WORDS: Final = frozenset({"停止", "配信停止", "やめる", "お知らせ停止"})
REGISTER_WORDS: Final = frozenset({"登録", "登録番号"})
_MOST_CHARACTERS: Final = 4000
_STOPPED = "お知らせを止めました。これからは届きません。また受け取りたくなったら、いつでも「登録」と送ってください。"
_THANKS = {
    relay_answers.WANTED: "ありがとうございます。使える可能性のある制度があれば、お知らせします。"
    "やめたいときは「停止」と送ってください。",
    relay_answers.UNWANTED: "わかりました。お知らせは送りません。制度の利用や申請で不利になることはありません。",
    relay_answers.WITHDRAWN: _STOPPED,
}
_ASKED = "担当の課に伝えました。返事まで数日かかることがあります。お急ぎのときは、市役所に電話してください。"


@dataclass(frozen=True, slots=True)
class Event:
    """One event as LINE's client read it, with who it is about and when it happened."""

    raw: Any
    id: str
    user_id: str
    at: dt.datetime
    reply_token: str


@dataclass(slots=True)
class Answering:
    """What to say once the event is on disk: text and buttons, or that the way to register is to be told."""

    text: str = ""
    choices: tuple[Choice, ...] = ()
    how_to_register: bool = False


@dataclass(slots=True)
class Taken:
    """What one delivery held: events taken in, and those that had been before."""

    new: int = 0
    again: int = 0
    kinds: list[str] = field(default_factory=list)


def take_in(relay: Relay, body: str, signature: str, line: Messenger, now: dt.datetime) -> Taken | None:
    """One delivery of LINE's; None if its signature is not LINE's (nothing is done). Raises ValueError: not LINE's JSON."""
    from linebot.v3 import WebhookParser
    from linebot.v3.exceptions import InvalidSignatureError

    try:
        events = WebhookParser(relay.secret(LINE_SECRET)).parse(body, signature)
    except InvalidSignatureError:
        return None
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError("signed, but not what LINE describes") from e
    done = Taken()
    for raw in events:
        event = _event(raw, now)
        with transaction.atomic(using=ALIAS):
            if not relay_answers.first_time(event.id, now):
                done.again += 1
                continue
            answering = _ON.get(str(raw.type), _nothing)(relay, event) if event.user_id else Answering()
        done.new += 1
        done.kinds.append(str(raw.type))
        _answer(line, event, answering)
    return done


def _event(raw: Any, now: dt.datetime) -> Event:
    source = getattr(raw, "source", None)
    stamp = getattr(raw, "timestamp", None)
    at = dt.datetime.fromtimestamp(stamp / 1000, dt.UTC).astimezone(now.tzinfo) if stamp else now
    return Event(
        raw,
        str(raw.webhook_event_id),
        # what is said in a group is no one's answer, and a reply there would show one person's page to all
        str(getattr(source, "user_id", "") or "") if getattr(source, "type", "") == "user" else "",
        at,
        str(getattr(raw, "reply_token", "") or ""),
    )


def _answer(line: Messenger, event: Event, answering: Answering) -> None:
    if not event.reply_token:
        return
    if answering.how_to_register:
        token = line.link_ticket(event.user_id)
        page = f"{settings.KIZUKI_RELAY_ADDRESS}/code/?t={token}"
        line.reply(event.reply_token, f"市から届いた手紙の登録番号を、次の画面に入れてください（10分以内）。\n{page}")
    elif answering.text:
        line.reply(event.reply_token, answering.text, answering.choices)


def _nothing(relay: Relay, event: Event) -> Answering:
    return Answering()


def _follow(relay: Relay, event: Event) -> Answering:
    found = relay_answers.linked(relay, event.user_id)
    if found is None:
        return Answering(how_to_register=True)
    relay_answers.switch_link(found, on=True, at=event.at)
    return Answering("おかえりなさい。お知らせをやめたいときは「停止」と送ってください。")


def _unfollow(relay: Relay, event: Event) -> Answering:
    found = relay_answers.linked(relay, event.user_id)
    if found is not None:
        relay_answers.switch_link(found, on=False, at=event.at)
    return Answering()


def _account_link(relay: Relay, event: Event) -> Answering:
    told = event.raw.link
    taken = take_link_ticket(told.nonce, event.at) if told.result == "ok" else None
    if taken is None:
        return Answering("登録できませんでした。もう一度「登録」と送り、登録番号を入れてください。")
    relay_answers.link(relay, event.user_id, taken.recipient_no, taken.code_digest, event.at)
    return _question(taken.recipient_no, event)


def _question(recipient_no: str, event: Event) -> Answering:
    text = ConsentText.objects.order_by("pk").last()
    if text is None:
        return Answering("登録しました。")
    page = f"{settings.KIZUKI_RELAY_ADDRESS}/consent/{ticket(CONSENT, recipient_no, '', event.at)}"
    ask = f"税の情報や制度の名前についても選ぶときは、次の画面で答えてください。\n{page}"
    buttons = (
        Choice("要（お知らせを受け取る）", f"answer|{relay_answers.WANTED}||{text.version}"),
        Choice("不要（受け取らない）", f"answer|{relay_answers.UNWANTED}||{text.version}"),
    )
    return Answering(f"{text.text[:_MOST_CHARACTERS]}\n\n{ask}", buttons)


def _postback(relay: Relay, event: Event) -> Answering:
    found = relay_answers.linked(relay, event.user_id)
    if found is None:
        return Answering(how_to_register=True)
    match str(event.raw.postback.data).split("|"):
        case ["answer", said, scopes, version] if said in relay_answers.ANSWERS:
            given = (tuple(scopes.split(",")), version, "line")
            relay_answers.answer(event.id, found.recipient_no, said, given, event.at)
            return Answering(_THANKS[said])
        case ["ask", topic]:
            relay_answers.asked(event.id, found.recipient_no, "", topic, event.at)
            return Answering(_ASKED)
    return Answering()


def _message(relay: Relay, event: Event) -> Answering:
    text = getattr(event.raw.message, "text", "")
    word = unicodedata.normalize("NFKC", str(text)).strip(" 　。「」")
    found = relay_answers.linked(relay, event.user_id)
    if word in STOP_WORDS:
        if found is not None:
            relay_answers.answer(event.id, found.recipient_no, relay_answers.WITHDRAWN, ((), "", "line"), event.at)
        return Answering(_STOPPED)
    if found is None:
        return Answering(how_to_register=True)
    if word in REGISTER_WORDS:
        return _question(found.recipient_no, event)
    buttons = tuple(Choice(label, f"ask|{topic}") for topic, label in relay_answers.TOPICS.items())
    return Answering(
        "この窓口では、文章での相談は受け取っていません。聞きたいことを下から選ぶか、市役所に電話してください。", buttons
    )


_ON: Final[dict[str, Callable[[Relay, Event], Answering]]] = {
    "follow": _follow,
    "unfollow": _unfollow,
    "accountLink": _account_link,
    "postback": _postback,
    "message": _message,
}
