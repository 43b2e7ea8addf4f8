"""What surrounds every page: menu by role, purpose and user, the demo bar, the as-of date.

Used as a template context processor (`kizuki.web.views.chrome.chrome`); pages before sign-in have no actor and no menu.
"""

from typing import Any, Final

from django.http import HttpRequest

from kizuki.app import accounts
from kizuki.app.snapshot_view import current_view
from kizuki.govern.actor import Actor
from kizuki.terms.errors import KizukiError

ENTRIES: Final = (
    ("今日の仕事", "/", "today.view"),
    ("支援候補", "/candidates/", "candidates.view"),
    ("引継ぎ", "/handovers/", "handover.receive"),
    ("名寄せの審査", "/review/", "link.review"),
    ("名寄せの確かさ", "/link-quality/", "link.quality"),
    ("判定基準", "/criteria/", "criteria.view"),
    ("お知らせ", "/notices/", "notice.view"),
    ("制度", "/programmes/", "programme.view"),
    ("確認リスト", "/confirmations/", "confirmation.view"),
    ("データ受領・鮮度", "/feeds/", "feed.view"),
    ("判定基準の説明", "/sheets/", "sheet.view"),
    ("訂正の依頼", "/corrections/", "correction.answer"),
    ("同意と宛先", "/consents/", "consent.view"),
    ("問合せ", "/enquiries/", "enquiry.answer"),
    ("問合せの件数", "/enquiries/", "enquiry.counts"),
    ("窓口で伝える", "/counter/", "counter.tell"),
    ("お知らせの効果", "/effect/", "effect.view"),
    ("検証", "/validation/", "validation.view"),
    ("操作ログ", "/audit/", "audit.view"),
    ("手引き", "/docs/", "docs.read"),
)
"""Title, address and the action that opens it, the work of the day first."""

AT_A_GLANCE: Final = 5
"""So many entries stand in the menu; where a role has more than one beyond, the rest is behind 「ほか」."""


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Template context `chrome`: actor, menu, titles, synthetic mark and as-of date of the served snapshot."""
    actor: Actor | None = getattr(request, "actor", None)
    return {"chrome": {"actor": actor, **_who(actor), **_menus(_entries(actor, request.path)), **_served()}}


def _menus(entries: list[dict[str, Any]]) -> dict[str, Any]:
    shown = len(entries) if len(entries) <= AT_A_GLANCE + 1 else AT_A_GLANCE
    rest = entries[shown:]
    return {"menu": entries[:shown], "more": rest, "more_current": next((e["title"] for e in rest if e["current"]), "")}


def _entries(actor: Actor | None, path: str) -> list[dict[str, Any]]:
    if actor is None:
        return []
    return [{"title": t, "href": h, "current": _current(path, h)} for t, h, action in ENTRIES if accounts.may(actor, action)]


def _current(path: str, href: str) -> bool:
    """A page belongs to the entry whose address it starts with; a child page belongs to the candidates."""
    if href == "/":
        return path == "/"
    return path.startswith(href) or (href == "/candidates/" and path.startswith("/children/"))


def _who(actor: Actor | None) -> dict[str, str]:
    if actor is None:
        return {"role_title": "", "purpose_title": ""}
    matrix = accounts.governance()
    role, purpose = matrix.roles.get(actor.role), matrix.purposes.get(actor.purpose)
    return {"role_title": role.title if role else "役割なし", "purpose_title": purpose.title if purpose else "未選択"}


def _served() -> dict[str, Any]:
    """Synthetic mark and as-of date; before the first run there is neither."""
    try:
        view = current_view()
    except KizukiError:
        return {"synthetic": False, "as_of": None}
    return {"synthetic": view.synthetic, "as_of": view.as_of}
