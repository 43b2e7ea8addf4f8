"""What surrounds every page: menu by role, purpose and user, the demo bar, the as-of date.

Used as a template context processor (`kizuki.web.views.chrome.chrome`). The signed-in `Actor` is `request.actor`,
set by the security middleware after sign-in; pages before sign-in have none.
"""

from typing import Any

from django.http import HttpRequest

ROLE_TITLES = {
    "steering": "総括管理主体",
    "data_owner": "保有・管理主体",
    "analyst": "分析主体",
    "caseworker": "活用主体",
    "it": "IT担当",
    "link_reviewer": "名寄せ審査者",
    "notice_officer": "情報発信",
    "auditor": "監査",
}

TODAY = ("今日の仕事", "/")
CANDIDATES = ("支援候補", "/candidates/")
FEEDS = ("データ受領・鮮度", "/feeds/")
AUDIT = ("操作ログ", "/audit/")
DOCS = ("手引き", "/docs/")

MENU: dict[str, tuple[tuple[str, str], ...]] = {
    "caseworker": (TODAY, CANDIDATES, FEEDS, DOCS),
    "steering": (TODAY, CANDIDATES, FEEDS, DOCS),
    "data_owner": (TODAY, FEEDS, DOCS),
    "analyst": (TODAY, FEEDS, DOCS),
    "it": (TODAY, FEEDS, DOCS),
    "link_reviewer": (TODAY, DOCS),
    "notice_officer": (TODAY, DOCS),
    "auditor": (TODAY, AUDIT, DOCS),
}
"""Entries of the menu by role, at most seven; opening a page is decided by the policy, not by this table."""


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Template context `chrome`: actor, menu, titles, synthetic mark and as-of date of the served snapshot."""
    actor = getattr(request, "actor", None)
    entries = MENU.get(actor.role, (DOCS,)) if actor else ()
    return {
        "chrome": {
            "actor": actor,
            "role_title": ROLE_TITLES.get(actor.role, actor.role) if actor else "",
            "purpose_title": actor.purpose if actor else "",
            "menu": [{"title": t, "href": h, "current": _current(request.path, h)} for t, h in entries],
            "home": "/",
            **_served(),
        }
    }


def _current(path: str, href: str) -> bool:
    """A page belongs to the entry whose address it starts with; a child page belongs to the candidates."""
    if href == "/":
        return path == "/"
    return path.startswith(href) or (href == "/candidates/" and path.startswith("/children/"))


def _served() -> dict[str, Any]:
    """Synthetic mark and as-of date; before the first run there is neither."""
    try:
        from kizuki.app.snapshot_view import current_view
    except ImportError:
        return {"synthetic": False, "as_of": None}
    try:
        view = current_view()
    except Exception:
        return {"synthetic": False, "as_of": None}
    return {"synthetic": view.synthetic, "as_of": view.as_of}
