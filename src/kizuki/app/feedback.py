"""確かめた結果: what staff found when they looked at a child a criteria set had judged, and the table of labels made of it.

The only writer of `Feedback`. A later answer replaces an earlier one; undoing it brings the earlier one back. 情報誤り goes to
the office that owns the record (`corrections_asked`) and never counts as a label.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from sqlglot import exp

from kizuki.app import accounts, audit, corrections_asked
from kizuki.app.accounts import allow
from kizuki.app.cases import UNDO_HOURS
from kizuki.app.child_queries import REASONS
from kizuki.app.current_person import current_person, ids_of
from kizuki.app.release import Actor, record_output, release
from kizuki.app.served import Served
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.governance import Scope
from kizuki.govern.policy import grant_of
from kizuki.records.models import Feedback, FeedbackAnswer
from kizuki.terms.errors import InputRefused

_PURPOSE: Final = "note"
MAX_NOTE: Final = 500
LABEL_COLUMNS: Final = (
    "person",
    "household",
    "criteria",
    "version",
    "as_of",
    "listed",
    "answer",
    "label",
    "already_known",
    "answered_on",
)
_LABELS: Final = {
    FeedbackAnswer.RIGHT: "1",
    FeedbackAnswer.WRONG: "0",
    FeedbackAnswer.KNOWN: "1",
    FeedbackAnswer.FALSE_DATA: "",
}


@dataclass(frozen=True, slots=True)
class Given:
    """One answer as typed: `entry` names the entry that rests on wrong data (情報誤り only)."""

    answer: str
    note: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as the page shows it."""

    id: int
    answer: str
    entry: str
    note: str
    by: str
    at: dt.datetime
    version: str
    as_of: dt.date
    mine: bool
    correction: str


def give(actor: Actor, served: Served, person_id: str, criteria: str, given: Given) -> Feedback:
    """Record what was found about one judgement.

    Raises NotPermitted (K701, K702) and InputRefused K772 (no answer, nothing judged, or no entry named for 情報誤り).
    """
    rows = [
        row for row in release(actor, REASONS, action="feedback.write", person_id=person_id).rows if row["criteria"] == criteria
    ]
    _check(rows, given)
    with transaction.atomic():
        made = Feedback.objects.create(
            person_id=person_id,
            criteria=criteria,
            version=rows[0]["version"],
            as_of=served.as_of,
            listed=rows[0]["rank"] is not None,
            answer=given.answer,
            entry=given.entry if given.answer == FeedbackAnswer.FALSE_DATA else "",
            note=_sealed(given.note, person_id, criteria),
            by_id=actor.user_id,
        )
        corrections_asked.withdraw(_standing(person_id, criteria).exclude(pk=made.pk))
        if made.entry:
            row = next(r for r in rows if r["entry"] == made.entry)
            corrections_asked.ask(made, row, what=served.definitions.entry_title(criteria, made.entry))
    return made


def _check(rows: Sequence[dict[str, Any]], given: Given) -> None:
    if not rows:
        raise InputRefused("K772", "この判定は、いまはありません。", "確かめた結果", "個票から開き直してください。")
    if given.answer not in FeedbackAnswer.values:
        raise InputRefused("K772", "確かめた結果が選ばれていません。", "確かめた結果", "四つから一つ選んでください。")
    with_record = {r["entry"] for r in rows if r["answer"] == "true"}
    if given.answer == FeedbackAnswer.FALSE_DATA and given.entry not in with_record:
        raise InputRefused(
            "K772", "誤りのある項目が選ばれていません。", "誤りのある項目", "当てはまった項目から一つ選んでください。"
        )


@transaction.atomic
def undo(actor: Actor, feedback_id: int) -> Feedback:
    """Take back the actor's own answer of the last day; the one before it stands again.

    Raises InputRefused K724 (not one's own, too old, undone already) and NotPermitted (K702 out of scope by now).
    """
    recent = timezone.now() - dt.timedelta(hours=UNDO_HOURS)
    mine = Feedback.objects.select_for_update().filter(pk=feedback_id, by_id=actor.user_id, undone_at=None, at__gte=recent)
    found = mine.first()
    if found is None:
        raise InputRefused("K724", "元に戻せる変更がありません。", "元に戻す", "いまの内容を確かめてください。")
    release(actor, REASONS, action="feedback.write", person_id=current_person(found.person_id))
    found.undone_at = timezone.now()
    found.save(update_fields=["undone_at"])
    corrections_asked.withdraw([found])
    corrections_asked.reopen(_standing(found.person_id, found.criteria).first())
    return found


def answers(actor: Actor, person_id: str, criteria: str) -> tuple[Answer, ...]:
    """Answers about one judgement, the one that counts first; for a page whose release is recorded already."""
    return tuple(_shown(actor, f) for f in _standing(person_id, criteria)[:20])


def _standing(person_id: str, criteria: str) -> Any:
    found = Feedback.objects.select_related("by", "correction")
    return found.filter(person_id__in=ids_of(person_id), criteria=criteria, undone_at=None).order_by("-pk")


def _shown(actor: Actor, found: Feedback) -> Answer:
    correction = getattr(found, "correction", None)
    name = f"{found.by.last_name} {found.by.first_name}".strip() or found.by.username
    return Answer(
        id=found.pk,
        answer=found.answer,
        entry=found.entry,
        note=_opened(found),
        by=name,
        at=found.at,
        version=found.version,
        as_of=found.as_of,
        mine=found.by_id == actor.user_id,
        correction=f"訂正の依頼 {correction.pk}：{correction.status}" if correction is not None else "",
    )


def _sealed(note: str, person_id: str, criteria: str) -> bytes | None:
    text = note.strip()[:MAX_NOTE]
    return audit.keys().seal(text.encode(), _PURPOSE, f"feedback|{person_id}|{criteria}") if text else None


def _opened(found: Feedback) -> str:
    if not found.note:
        return ""
    return audit.keys().unseal(bytes(found.note), _PURPOSE, f"feedback|{found.person_id}|{found.criteria}").decode()


def newest(criteria: str = "") -> list[Feedback]:
    """The answer that counts for each child, set and version, oldest first."""
    found = Feedback.objects.filter(undone_at=None).order_by("pk")
    kept: dict[tuple[str, str, str], Feedback] = {}
    for one in found.filter(criteria=criteria) if criteria else found:
        kept[(current_person(one.person_id), one.criteria, one.version)] = one
    return sorted(kept.values(), key=lambda f: f.pk)


def labels(actor: Actor) -> str:
    """The table of labels as CSV, one row per child × set × version; written in the log before it is handed out.

    `label`: 1 当たり and 既知, 0 外れ, blank 情報誤り (it says nothing about the child). Notes stay behind. For those who work
    with pseudonymised data `person` is their token; `household` is opaque for everybody. Raises NotPermitted K701.
    """
    allow(actor, "labels.export")
    found = newest()
    people = [current_person(f.person_id) for f in found]
    fields = ["feedback.answer", "feedback.criteria", "feedback.as_of"]
    record_output(actor, "labels.export", subjects=people, fields=fields, count=len(found), reason="judge labels")
    token = grant_of(accounts.governance(), actor).scope is Scope.PSEUDONYMOUS
    named = [audit.keys().token("pseudonym", p) if token else p for p in people]
    homes = _households(people)
    return _csv(zip(named, homes, found, strict=True))


def _households(people: Sequence[str]) -> list[str]:
    """An opaque mark of each person's present household, for samples drawn by household; a person in none is alone in one."""
    now = exp.column("known_to").is_(exp.null()).and_(exp.column("valid_to").is_(exp.null()))
    wanted = exp.column("person_id").isin(*(exp.Literal.string(p) for p in sorted(set(people)) or [""]))
    rows = exp.select("person_id", "household_id").from_("household_member").where(now.and_(wanted))
    homes = {r["person_id"]: r["household_id"] for r in current_view().cursor().query(rows).to_pylist()} if people else {}
    return [audit.keys().token("pseudonym", "household", homes.get(p, p)) for p in people]


def _csv(rows: Iterable[tuple[str, str, Feedback]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LABEL_COLUMNS)
    for person, home, f in rows:
        label, known = _LABELS[FeedbackAnswer(f.answer)], int(f.answer == FeedbackAnswer.KNOWN)
        day = timezone.localdate(f.at).isoformat()
        writer.writerow((person, home, f.criteria, f.version, f.as_of.isoformat(), int(f.listed), f.answer, label, known, day))
    return text.getvalue()
