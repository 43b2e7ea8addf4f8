"""Staff accounts: the actor of a session, the purposes open to a role, what an actor may do."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from kizuki.app.snapshot_view import current_view
from kizuki.definitions import governance as governance_files
from kizuki.definitions.governance import Governance, Role
from kizuki.definitions.shipped import shipped_definitions
from kizuki.govern import may as rules
from kizuki.govern.actor import Actor
from kizuki.records.models import User
from kizuki.terms.errors import InputRefused, KizukiError


@dataclass(frozen=True, slots=True)
class PurposeChoice:
    """One purpose a user may choose, as the page shows it."""

    id: str
    title: str
    description: str
    legal_basis: str


def governance() -> Governance:
    """The matrix in force: shipped definitions with this home's overlay."""
    return _governance(Path(settings.KIZUKI_HOME))


@cache
def _governance(home: Path) -> Governance:
    folder = governance_files.FOLDER
    return governance_files.load(shipped_definitions() / folder, (home / "definitions" / folder,))


def actor(user: User, *, purpose: str = "", session: str = "") -> Actor:
    """The actor of a user; a grant past its date leaves no role."""
    name = f"{user.last_name} {user.first_name}".strip() or user.username
    role = user.role if rules.still_granted(user.granted_until, timezone.localdate()) else ""
    return Actor(user.pk, user.username, name, role, purpose, session)


def actor_named(login: str, *, prefer: str = "") -> Actor:
    """A user as actor of the command line, for the purpose `prefer` where they have it; raises InputRefused K776."""
    found = User.objects.filter(username=login, is_active=True).first()
    if found is None:
        raise InputRefused("K776", "その利用者はいません。", login, "--user に、権限のある利用者のIDを指定してください。")
    purposes = [p.id for p in purposes_of(found)]
    return actor(found, purpose=prefer if prefer in purposes else next(iter(purposes), ""), session="cli")


def role_of(user: User) -> Role | None:
    """The role as defined, or None."""
    return governance().roles.get(user.role)


def purposes_of(user: User) -> list[PurposeChoice]:
    """Purposes open to the user's role, in the order of the definitions."""
    role = role_of(user)
    known = governance().purposes
    return [PurposeChoice(p, known[p].title, known[p].description, known[p].legal_basis) for p in (role.grants if role else ())]


def check_purpose(user: User, purpose: str) -> None:
    """Raise NotPermitted unless the user's role has this purpose and the grant has not ended."""
    ended = rules.still_granted(user.granted_until, timezone.localdate())
    if isinstance(ended, rules.Refused):
        raise ended.error()
    if purpose not in {p.id for p in purposes_of(user)}:
        raise rules.Refused(
            "この利用目的は、あなたの役割にはありません。", fix="表示された利用目的から選ぶか、総括管理主体に相談してください。"
        ).error()


def may(actor: Actor, action: str, subject: rules.Subject | None = None) -> rules.Allowed | rules.Refused:
    """`govern.may` with the matrix in force."""
    return rules.may(actor, action, subject, governance=governance())


def allow(actor: Actor, action: str) -> None:
    """Raise NotPermitted K701 unless the actor may do this."""
    verdict = may(actor, action)
    if isinstance(verdict, rules.Refused):
        raise verdict.error()


def may_be_about(subject: rules.Subject) -> rules.Allowed | rules.Refused:
    """Whether a person within or outside the actor's scope may be asked about."""
    return rules.about(subject)


def policy_version() -> str:
    """A short hash of the matrix in force, written in every audit event."""
    return _policy_version(Path(settings.KIZUKI_HOME))


@cache
def _policy_version(home: Path) -> str:
    digest = hashlib.sha256()
    for folder in (shipped_definitions(), home / "definitions"):
        for path in sorted((folder / governance_files.FOLDER).glob("*.yaml")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def end_of_fiscal_year(day: dt.date) -> dt.date:
    """31 March at or after `day`."""
    return dt.date(day.year + (day.month > 3), 3, 31)


def served_snapshot() -> str | None:
    """Id of the snapshot being served, or None before the first publication."""
    try:
        return current_view().id
    except KizukiError:
        return None
