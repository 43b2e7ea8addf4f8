"""確認リスト: for the office of a programme, whose answer is 不明, which fact is missing and what to ask.

Counts come from answers alone; rows with names pass the one door. An office sees the programmes whose 所管課 it is.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.accounts import allow
from kizuki.app.programme_unknowns import Missing, missing, settled_by
from kizuki.app.release import Actor, Query, release
from kizuki.app.served import Served, shown
from kizuki.app.worklist_export import safe_text, workbook
from kizuki.definitions.programmes import Programme
from kizuki.engine.sql import load
from kizuki.records.models import User

PAGE: Final = 50
_ALL: Final = 1_000_000
ACTION: Final = "confirmation.view"
LIST: Final = Query(
    name="confirmation_list",
    tables=("eligibility", "household_member", "person"),
    columns={
        "person_id": "person.person_id",
        "household_id": "eligibility.household_id",
        "programme": "eligibility.programme",
        "name": "person.name",
        "kana": "person.kana",
        "birth_date": "person.birth_date",
        "unknown": "eligibility.unknown",
    },
    subject="person_id",
)
COLUMNS: Final = (
    ("制度", 22), ("所管課", 16), ("氏名", 16), ("カナ", 20), ("生年月日", 12), ("年齢", 7), ("分からないこと", 40),
    ("確かめること", 60), ("これだけで決まる", 14), ("世帯", 20),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FactCount:
    """One missing fact of one programme: answers that name it, and answers that it alone would settle."""

    programme: Programme
    fact: str
    title: str
    asks: tuple[str, ...]
    named: int
    settles: int


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """One answer to settle."""

    programme: Programme
    person_id: str
    household: Any
    name: Any
    kana: Any
    birth: Any
    age: str
    unknown: tuple[Missing, ...]

    @property
    def settles(self) -> bool:
        """Whether the one fact named would decide."""
        return bool(settled_by(self.unknown))


@dataclass(frozen=True, slots=True)
class ConfirmationBoard:
    """The counts of the office's programmes, the fact that settles most first; `total` = answers that are 不明."""

    department: str
    programmes: tuple[Programme, ...]
    facts: tuple[FactCount, ...]
    total: int


def board(actor: Actor, served: Served) -> ConfirmationBoard:
    """The counts of the actor's office; no person is in them. Raises NotPermitted K701."""
    allow(actor, ACTION)
    department, mine = _own(actor, served)
    counts: dict[tuple[str, str], list[int]] = {}
    asked: dict[tuple[str, str], Missing] = {}
    total = 0
    for row in served.view.cursor().query(load("kizuki.app", "confirmation_counts")).to_pylist():
        if row["programme"] not in mine:
            continue
        found = missing(row["unknown"])
        total += row["answers"]
        for one in found:
            key = (row["programme"], one.fact)
            counted = counts.setdefault(key, [0, 0])
            counted[0] += row["answers"]
            counted[1] += row["answers"] * (settled_by(found) == one.fact)
            asked.setdefault(key, one)
    facts = [FactCount(mine[p], f, asked[p, f].title, asked[p, f].asks, *n) for (p, f), n in counts.items()]
    facts.sort(key=lambda c: (-c.settles, -c.named, c.programme.name, c.fact))
    return ConfirmationBoard(department, tuple(mine.values()), tuple(facts), total)


def page(actor: Actor, served: Served, programme: str, fact: str = "", number: int = 1) -> tuple[list[ToConfirm], bool]:
    """One page of the answers of one programme that lack a fact (empty = any), and whether there is a next one."""
    first = (max(number, 1) - 1) * PAGE
    rows = _released(actor, served, [programme], fact, first=first, most=PAGE + 1, reason="確認リスト")
    return rows[:PAGE], len(rows) > PAGE


def export(actor: Actor, served: Served, programme: str, *, kind: str, now: dt.datetime) -> bytes:
    """All answers of one programme (empty = every one of the office) as Excel or CSV; recorded as one output first."""
    _, mine = _own(actor, served)
    chosen = [programme] if programme else list(mine)
    rows = _released(
        actor, served, chosen, "", first=0, most=_ALL, reason=f"確認リストの{'CSV' if kind == 'csv' else 'Excel'}出力"
    )
    cells = [_cells(row) for row in rows]
    if kind == "csv":
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\r\n")
        writer.writerow([title for title, _ in COLUMNS])
        writer.writerows([[safe_text(value) for value in row] for row in cells])
        return target.getvalue().encode("utf-8-sig")
    cover = {
        "帳票": "確認リスト（使えるかどうかの決め手が分からない世帯）",
        "制度": "、".join(mine[p].name for p in chosen if p in mine),
        "データ基準日": served.as_of.isoformat(),
        "件数": f"{len(rows)}件",
        "出力者": actor.name,
        "利用目的": actor.purpose,
        "出力日時": now.strftime("%Y/%m/%d %H:%M"),
        "取扱い": "不明は、該当でも非該当でもありません。確かめる用が済んだら消してください。",
    }
    return workbook(cover, COLUMNS, cells)


def _own(actor: Actor, served: Served) -> tuple[str, dict[str, Programme]]:
    """The actor's office and the programmes in force whose 所管課 it is."""
    user = User.objects.filter(pk=actor.user_id).first()
    department = user.department.strip() if user is not None else ""
    texts = (served.definitions.programme(name) for name in served.definitions.loaded.programmes)
    mine = [t for t in texts if t is not None and department and t.text.owner == department and t.in_force(served.as_of)]
    return department, {t.id: t for t in sorted(mine, key=lambda t: t.name)}


def _released(
    actor: Actor, served: Served, programmes: Iterable[str], fact: str, *, first: int, most: int, reason: str
) -> list[ToConfirm]:
    """Rows through the door, of the office's own programmes only."""
    _, mine = _own(actor, served)
    asked = [p for p in programmes if p in mine]
    like = f'%"項目": "{fact}"%' if fact.replace("_", "").isalnum() else "%"
    found = release(actor, LIST, action=ACTION, reason=reason, programmes=asked, fact=like, first=first, most=most)
    return [_row(row, mine[row["programme"]], served.as_of) for row in found.rows]


def _row(row: Mapping[str, Any], programme: Programme, as_of: dt.date) -> ToConfirm:
    birth = row["birth_date"] if isinstance(row["birth_date"], dt.date) else None
    return ToConfirm(
        programme=programme,
        person_id=row["person_id"],
        household=row["household_id"],
        name=row["name"],
        kana=row["kana"],
        birth=words.date_text(birth) if birth else row["birth_date"],
        age=words.age_text(birth, as_of),
        unknown=missing(shown(row["unknown"])),
    )


def _cells(row: ToConfirm) -> Sequence[Any]:
    return (
        row.programme.name, row.programme.text.owner, row.name, row.kana, row.birth, row.age,
        "、".join(m.text for m in row.unknown), " ／ ".join(a for m in row.unknown for a in m.asks),
        "はい" if row.settles else "", row.household,
    )  # fmt: skip
