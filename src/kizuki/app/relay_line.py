"""How the relay speaks to LINE: its own client over HTTP, or nobody at all (`--dry-run`). Nothing of an answer is logged.

The client is the extra `[line]`, imported when first used. It is told not to retry by itself: only `push.retry` decides that.
"""

import datetime as dt
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol

from kizuki.app.relay_home import LINE_TOKEN, Relay
from kizuki.push.retry import NOT_REACHED, Reply
from kizuki.terms.errors import UsageError

_SECONDS: Final = (5, 15)
_NO_ANSWER: Final = Reply(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """One button under a message: what it says and what comes back when it is pressed."""

    label: str
    data: str


class Messenger(Protocol):
    """Whoever carries messages to a LINE account."""

    def push(self, user_id: str, text: str, retry_key: str) -> Reply:
        """One attempt; never raises for what the network or LINE does."""

    def reply(self, token: str, text: str, choices: tuple[Choice, ...] = ()) -> None:
        """Answer something a resident just did; lost without trace if LINE does not take it."""

    def link_ticket(self, user_id: str) -> str:
        """A link token of LINE's (ten minutes, once), blank if there was none to be had."""

    def time(self) -> dt.datetime | None:
        """What time it is there; None if nobody answers."""


class LineMessenger:
    """LINE itself."""

    def __init__(self, host: str, token: str) -> None:
        try:
            from linebot.v3.messaging import ApiClient, Configuration, MessagingApi
        except ImportError as e:
            raise UsageError(
                "K659", "LINEに送る部品が入っていません。", "line-bot-sdk", "pip install 'kizuki[line]' で入れてください。"
            ) from e
        configuration = Configuration(host=host, access_token=token)
        configuration.retries = False
        self._api = MessagingApi(ApiClient(configuration))

    def push(self, user_id: str, text: str, retry_key: str) -> Reply:
        """One push with the retry key."""
        from linebot.v3.messaging import PushMessageRequest, TextMessage

        message = TextMessage(text=text, quickReply=None, quoteToken=None)
        request = PushMessageRequest(to=user_id, messages=[message], notificationDisabled=False, customAggregationUnits=None)
        return _answer_of(
            lambda: self._api.push_message_with_http_info(request, x_line_retry_key=retry_key, _request_timeout=_SECONDS)
        )

    def reply(self, token: str, text: str, choices: tuple[Choice, ...] = ()) -> None:
        """One reply; a reply token lives for about a minute, so it is tried once."""
        from linebot.v3.messaging import PostbackAction, QuickReply, QuickReplyItem, ReplyMessageRequest, TextMessage

        items = [
            QuickReplyItem(
                action=PostbackAction(
                    label=c.label, data=c.data, displayText=c.label, text=None, inputOption=None, fillInText=None
                ),
                imageUrl=None,
            )
            for c in choices
        ]
        message = TextMessage(text=text, quickReply=QuickReply(items=items) if items else None, quoteToken=None)
        request = ReplyMessageRequest(replyToken=token, messages=[message], notificationDisabled=False)
        _answer_of(lambda: self._api.reply_message_with_http_info(request, _request_timeout=_SECONDS))

    def link_ticket(self, user_id: str) -> str:
        """Asks LINE for a link token."""
        found: list[str] = []

        def ask() -> Any:
            answer = self._api.issue_link_token_with_http_info(user_id, _request_timeout=_SECONDS)
            found.append(answer.data.link_token)
            return answer

        _answer_of(ask)
        return found[0] if found else ""

    def time(self) -> dt.datetime | None:
        """The `Date` of LINE's answer about the quota, whatever it answers otherwise."""
        import urllib3
        from linebot.v3.messaging.exceptions import ApiException

        try:
            headers: Any = self._api.get_message_quota_with_http_info(_request_timeout=_SECONDS).headers
        except ApiException as e:
            headers = e.headers
        except (urllib3.exceptions.HTTPError, OSError, ValueError, TypeError):
            return None
        try:
            return parsedate_to_datetime(str((headers or {}).get("Date", "")))
        except ValueError:
            return None


def _answer_of(ask: Any) -> Reply:
    import urllib3
    from linebot.v3.messaging.exceptions import ApiException

    try:
        return Reply(int(ask().status_code))
    except ApiException as e:
        return Reply(int(e.status or 0), _seconds(e.headers))
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
        return Reply(NOT_REACHED)
    except (urllib3.exceptions.HTTPError, OSError, ValueError, TypeError):  # also an answer that is not what LINE describes
        return _NO_ANSWER


def _seconds(headers: Any) -> int | None:
    text = str((headers or {}).get("Retry-After", ""))
    return int(text) if text.isascii() and text.isdigit() else None


@dataclass(slots=True)
class NobodyThere:
    """`--dry-run`: every push counts as accepted, nothing leaves this process."""

    pushed: int = 0
    replies: list[str] = field(default_factory=list)

    def push(self, user_id: str, text: str, retry_key: str) -> Reply:
        """Counted."""
        self.pushed += 1
        return Reply(200)

    def reply(self, token: str, text: str, choices: tuple[Choice, ...] = ()) -> None:
        """Kept for whoever looks (the last only)."""
        self.replies[:] = [text]

    def link_ticket(self, user_id: str) -> str:
        """One that LINE does not know."""
        return "dry-run"

    def time(self) -> dt.datetime | None:
        """This machine's."""
        return dt.datetime.now(dt.UTC)


def messenger(relay: Relay, host: str, *, dry_run: bool) -> Messenger:
    """Whom this relay speaks through; raises UsageError K658 (no access token), K659 (the part is not installed)."""
    return NobodyThere() if dry_run else LineMessenger(host, relay.secret(LINE_TOKEN))
