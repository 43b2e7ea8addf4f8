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
    ("制度", "/programmes/", "programme.view"),
    ("確認リスト", "/confirmations/", "confirmation.view"),
    ("データ受領・鮮度", "/feeds/", "feed.view"),
    ("判定基準の説明", "/sheets/", "sheet.view"),
    ("訂正の依頼", "/corrections/", "correction.answer"),
    ("検証", "/validation/", "validation.view"),
    ("操作ログ", "/audit/", "audit.view"),
    ("手引き", "/docs/", "docs.read"),
)
"""Title, address and the action that opens it; at most seven, so that the menu is read at a glance."""


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Template context `chrome`: actor, menu, titles, synthetic mark and as-of date of the served snapshot."""
    actor: Actor | None = getattr(request, "actor", None)
    return {"chrome": {"actor": actor, **_who(actor), "menu": _menu(actor, request.path), **_served()}}


def _menu(actor: Actor | None, path: str) -> list[dict[str, Any]]:
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
