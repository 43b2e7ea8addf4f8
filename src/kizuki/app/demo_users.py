"""Demo users: one per role, only ever beside a synthetic city."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from kizuki.app import accounts
from kizuki.app.snapshot_view import current_view
from kizuki.records.models import User
from kizuki.terms.errors import KizukiError, NotPermitted

_PEOPLE = {
    "caseworker": ("気付 ひかり", "こども家庭センター"),
    "steering": ("若葉 総一", "子育て支援室"),
    "data_owner": ("台帳 まもる", "保育課"),
    "analyst": ("分析 あゆみ", "政策企画室"),
    "it": ("運用 たくみ", "情報政策課"),
    "link_reviewer": ("照合 つばさ", "市民課"),
    "notice_officer": ("案内 かなで", "広報課"),
    "programme_desk": ("窓口 つなぐ", "こども給付課"),
    "programme_office": ("制度 さやか", "こども給付課"),
    "auditor": ("監査 しずか", "監査委員事務局"),
}
_COLLEAGUES = {
    "link_reviewer_2": ("link_reviewer", "照合 みのり", "市民課"),
    "link_reviewer_3": ("link_reviewer", "照合 たすく", "こども家庭センター"),
}
"""Further demo users, by login: some work takes two people, and a third when they differ."""


@dataclass(frozen=True, slots=True)
class DemoChoice:
    """One person of the demo chooser."""

    login: str
    role: str
    title: str
    name: str
    department: str
    description: str


def synthetic_snapshot() -> bool:
    """Whether the served snapshot carries the synthetic mark."""
    try:
        return current_view().synthetic
    except KizukiError:  # nothing published: no mark
        return False


def demo_allowed() -> bool:
    """Demo sign-in exists only when asked for and only on a synthetic city."""
    return bool(settings.KIZUKI_DEMO) and synthetic_snapshot()


def ensure_demo_users(synthetic: bool) -> list[dict[str, str]]:
    """Make (or renew) one user per role and their colleagues; returns login, role and the new password of each role's user.

    Colleagues have no password: they are entered through the chooser alone.

    Raises NotPermitted K711 unless the data carries the synthetic mark.
    """
    if not synthetic:
        raise NotPermitted(
            "K711",
            "架空の印の無いデータでは、デモ利用者を作れません。",
            fix="デモは ./kizuki demo で作る架空の市で使ってください。",
        )
    until = accounts.end_of_fiscal_year(timezone.localdate())
    made = []
    for login, role, name, department in _everybody():
        password = secrets.token_urlsafe(12)
        # a real account of the same name is never taken over: its unique login makes the insert fail
        user = User.objects.filter(username=login, synthetic=True).first() or User(username=login)
        user.role, user.department, user.synthetic, user.granted_until = role, department, True, until
        user.last_name, _, user.first_name = name.partition(" ")
        user.set_password(password if login == role else None)
        user.save()
        if login == role:
            made.append({"login": login, "role": role, "password": password})
    return made


def _everybody() -> list[tuple[str, str, str, str]]:
    """(login, role, name, office) of every demo user, colleagues beside the first of their role."""
    found = []
    for role, (name, office) in _PEOPLE.items():
        found.append((role, role, name, office))
        found += [(login, *rest) for login, rest in _COLLEAGUES.items() if rest[0] == role]
    return found


def demo_user(login: str) -> User | None:
    """The demo user of a login (a role's first one is called as the role); never a real account, whatever it is called."""
    known = {name: role for name, role, _, _ in _everybody()}
    return User.objects.filter(username=login, role=known.get(login), synthetic=True, is_active=True).first()


def chooser() -> list[DemoChoice]:
    """Demo users in the order of the chooser."""
    roles = accounts.governance().roles
    people = [(login, roles[r], r, name, office) for login, r, name, office in _everybody() if r in roles]
    return [DemoChoice(login, r, role.title, name, office, role.description) for login, role, r, name, office in people]
