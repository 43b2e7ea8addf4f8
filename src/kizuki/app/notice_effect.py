"""効果測定: what became of every notice by the records of the city since, told as counts from which nobody is recognised.

A receipt or refusal counts from the first delivery that showed it after the notice: by the mart, never by asking the resident.
"""

import csv
import datetime as dt
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
from django.utils import timezone

from kizuki.app.accounts import allow
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.text import Receipt
from kizuki.engine.sql import load
from kizuki.push.effect import Difference, Fate, Suspect, difference, funnel, to_review
from kizuki.push.small_cells import LEAST, row, shown
from kizuki.records.notice_models import Notice, NoticeStatus

SENT: Final = frozenset({NoticeStatus.ACCEPTED.value, NoticeStatus.PRINTED.value, NoticeStatus.TOLD.value})
RECENT_DAYS: Final = 180
"""A household the data say cannot use the programme counts as wrongly told this long; later its life may have changed."""
_COLUMNS: Final = ("制度", "まとまり", "作った", "送った", "開いた", "申請", "受給", "却下・非該当")
_OF_WAVES: Final = ("先に送った週", "最後の週", "答え")


@dataclass(frozen=True, slots=True)
class Line:
    """One programme, or one batch of it (`batch` 0 = all of them), as a page tells it: every count already fit to be told."""

    programme: str
    batch: int
    made: str
    sent: str
    opened: str
    applied: str
    received: str
    wrong: str
    early: str = ""
    late: str = ""
    answer: str = ""
    interval: str = ""


_COUNTS: Final = ("made", "sent", "opened", "applied", "received", "wrong")


@dataclass(frozen=True, slots=True)
class Effect:
    """Everything on the page."""

    programmes: tuple[Line, ...]
    batches: tuple[Line, ...]
    suspects: tuple[Suspect, ...]
    known_until: dt.date


def effect(actor: Actor, served: Served, *, reason: str = "お知らせの効果") -> Effect:
    """The counts of every programme and batch; recorded as one output about nobody. Raises NotPermitted K701."""
    allow(actor, "effect.view")
    found = fates(served)
    by_programme: dict[str, list[Fate]] = defaultdict(list)
    by_batch: dict[int, list[Fate]] = defaultdict(list)
    for fate in found:
        by_programme[fate.programme].append(fate)
        by_batch[fate.batch].append(fate)
    record_output(actor, "effect.view", subjects=[], fields=["notice.counts"], count=len(by_batch), reason=reason)
    name = served.definitions.programme_title
    batches = tuple(_line(name(f[0].programme), b, f, difference(f, served.as_of)) for b, f in sorted(by_batch.items()))
    programmes = (_line(name(p), 0, f, None) for p, f in sorted(by_programme.items()))
    return Effect(tuple(_sum_of(line, batches) for line in programmes), batches, to_review(found), served.as_of)


def _sum_of(total: Line, batches: Iterable[Line]) -> Line:
    """A programme's line without the sums from which a count kept back in one of its batches could be reckoned."""
    parts = [line for line in batches if line.programme == total.programme]
    if len(parts) < 2:
        return total
    kept: dict[str, Any] = {c: "—" for c in _COUNTS if any(not _plain(getattr(part, c)) for part in parts)}
    return replace(total, **kept)


def _plain(told: str) -> bool:
    return told.replace(",", "").isdigit()


def _line(programme: str, batch: int, told: Sequence[Fate], found: Difference | None) -> Line:
    counts = funnel(told)
    made, sent, applied, received = row((counts.made, counts.sent, counts.applied, counts.received))
    opened, wrong = row((counts.sent, counts.opened))[1], row((counts.sent, counts.wrong))[1]
    line = Line(programme, batch, made, sent, opened, applied, received, wrong)
    if found is None or found.until is None:
        return line
    early, late = (" / ".join(reversed(row((a.households, a.applied)))) for a in (found.early, found.late))
    small = any(0 < n < LEAST for n in (found.early.applied, found.late.applied))
    interval = "" if found.low is None or found.high is None or small else _per_hundred(found.low, found.high)
    return Line(programme, batch, made, sent, opened, applied, received, wrong, early, late, found.answer, interval)


def _per_hundred(low: float, high: float) -> str:
    """The interval of the difference in households of a hundred."""
    return f"100世帯あたり {low * 100:+.1f} 〜 {high * 100:+.1f} 世帯"


def as_csv(actor: Actor, served: Served) -> bytes:
    """The same numbers as the page, as a file (UTF-8 with a mark for spreadsheets)."""
    found = effect(actor, served, reason="お知らせの効果のCSV出力")
    target = io.StringIO()
    out = csv.writer(target, lineterminator="\r\n")
    out.writerow((*_COLUMNS, *_OF_WAVES))
    for line in (*found.programmes, *found.batches):
        batch = f"まとまり {line.batch}" if line.batch else "すべて"
        counts = (line.made, line.sent, line.opened, line.applied, line.received, line.wrong)
        out.writerow((line.programme, batch, *counts, line.early, line.late, " ".join((line.answer, line.interval)).strip()))
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def fates(served: Served) -> list[Fate]:
    """What became of every notice, by the served snapshot."""
    notices = list(Notice.objects.order_by("pk").iterator())
    if not notices:
        return []
    programmes = {p: found.on(served.as_of) for p, found in served.definitions.loaded.programmes.items()}
    homes = {n.household_id for n in notices}
    receipts = {p: found.text.receipt for p, found in programmes.items() if found.text.receipt is not None}
    spells = _spells(served, homes, {r.kind for r in receipts.values()})
    answers = _answers(served, homes)
    return [_fate(n, programmes.get(n.programme), spells, answers, served.as_of) for n in notices]


def _fate(
    notice: Notice,
    programme: Programme | None,
    spells: Mapping[tuple[str, str], list[Mapping[str, Any]]],
    answers: Mapping[tuple[str, str, str], str],
    as_of: dt.date,
) -> Fate:
    day = timezone.localdate(notice.not_before)
    sent = notice.status in SENT or notice.opened_at is not None
    receipt = programme.text.receipt if programme is not None else None
    since = _since(notice, receipt, spells, day)
    reasons = answers.get((notice.programme, notice.household_id, notice.child_id))
    still = programme is not None and reasons is not None and since.get("received") is None
    lately = (as_of - day).days <= RECENT_DAYS
    failed = _failed(programme, reasons or "[]") if programme is not None and still and lately and as_of >= day else ()
    return Fate(
        programme=notice.programme,
        batch=notice.batch_id,
        wave=notice.wave,
        household_id=notice.household_id,
        not_before=day,
        sent=sent,
        opened=notice.opened_at is not None,
        applied_on=min(since.values(), default=None),
        received_on=since.get("received"),
        refused="refused" in since and "received" not in since,
        contradicted=failed,
    )


def _since(
    notice: Notice, receipt: Receipt | None, spells: Mapping[tuple[str, str], list[Mapping[str, Any]]], day: dt.date
) -> dict[str, dt.date]:
    """First day after the notice on which a delivery showed each of received, applied, refused."""
    if receipt is None:
        return {}
    found: dict[str, dt.date] = {}
    for spell in spells.get((notice.household_id, receipt.kind), ()):
        if spell["first_known"] <= day or (notice.child_id and spell["person_id"] != notice.child_id):
            continue
        state = _state(receipt, spell["status"])
        if state:
            found[state] = min(found.get(state, spell["first_known"]), spell["first_known"])
    return found


def _state(receipt: Receipt, status: str | None) -> str:
    """received, applied or refused; blank for a status the programme does not know."""
    if status in receipt.refused:
        return "refused"
    if status in receipt.applied:
        return "applied"
    return "received" if not receipt.statuses or status in receipt.statuses else ""


def _failed(programme: Programme, reasons: str) -> tuple[str, ...]:
    """Names of the conditions that no longer hold."""
    holding = {r.get("条件") for r in json.loads(reasons)}
    return tuple(r.name for r in programme.text.rules if r.id not in holding)


def _spells(served: Served, homes: Iterable[str], kinds: Iterable[str]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for spell in _asked(served, "effect_spells", homes, kinds):
        found[spell["household_id"], spell["kind"]].append(spell)
    return found


def _answers(served: Served, homes: Iterable[str]) -> dict[tuple[str, str, str], str]:
    rows = _asked(served, "effect_answers", homes, ())
    return {(r["programme"], r["household_id"], r["child_id"]): r["reasons"] for r in rows}


def _asked(served: Served, name: str, homes: Iterable[str], kinds: Iterable[str]) -> list[dict[str, Any]]:
    engine = served.view.cursor()
    asked = pa.table({"household_id": pa.array(sorted(homes), pa.string())})
    asked_kind = pa.table({"kind": pa.array(sorted(kinds), pa.string())})
    with engine.holding(asked=asked, asked_kind=asked_kind):
        return list(engine.query(load("kizuki.app", name)).to_pylist())


def suspects_told(found: Sequence[Suspect], served: Served) -> list[tuple[str, str, str]]:
    """(programme, condition, wrong of sent) as a page tells them."""
    name = served.definitions.programme_title
    return [(name(s.programme), s.condition, f"{shown(s.wrong)} / {shown(s.sent)}") for s in found]
