"""The programmes of the city as people read them: all with their state and last night's counts, and one in plain Japanese."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kizuki.app.criteria_board import COMING, ENDED, IN_FORCE
from kizuki.app.criteria_editing_diff import ADDED, CHANGED, GONE, Difference
from kizuki.app.criteria_trial import shown_count
from kizuki.app.programme_checks import CheckedProgramme
from kizuki.app.programme_form import RECEIPT, REGISTRY, household_text
from kizuki.app.served import Served
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import BIRTH_DATE_TITLE, FACTS
from kizuki.definitions.programmes.text import GUIDANCE, PER, UNITS, ParameterTable, ProgrammeText, TableRow
from kizuki.engine.sql import load
from kizuki.programmes.judging import example_holds
from kizuki.terms.states import ProgrammeVerdict

_KINDS: Final = {"TRUTH": "はい・いいえ", "NUMBER": "数", "TEXT": "区分"}
_UNIT_WORDS: Final = {name: label for label, name in UNITS.items()}
_GUIDANCE_WORDS: Final = {name: label for label, name in GUIDANCE.items()}
_PER_WORDS: Final = {name: label for label, name in PER.items()}
_RULE: Final = "すべての条件が成り立つと該当、一つでも成り立たないと非該当、決め手が分からなければ不明です。"


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """One programme in the list: its newest text, its state today, and last night's counts in words (empty = not asked)."""

    programme: Programme
    state: str
    unit: str
    guidance: str
    counts: Mapping[str, str]

    @property
    def eligible(self) -> str:
        """該当 last night."""
        return self.counts.get(ProgrammeVerdict.ELIGIBLE.value, "")

    @property
    def unclaimed(self) -> str:
        """該当 and not in receipt last night."""
        return self.counts.get("unclaimed", "")

    @property
    def unknown(self) -> str:
        """不明 last night."""
        return self.counts.get(ProgrammeVerdict.UNKNOWN.value, "")


@dataclass(frozen=True, slots=True)
class ExampleWords:
    """One example in words, and whether it holds."""

    name: str
    household: tuple[str, ...]
    expected: str
    holds: bool


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One period of one table in words; `state` = いま使う, 前, 後 or 切れている."""

    table: str
    period: str
    values: str
    source: str


@dataclass(frozen=True, slots=True)
class ProgrammeSheet:
    """One text of a programme in plain Japanese."""

    programme: Programme
    state: str
    rule: str
    unit: str
    guidance: str
    period: str
    receipt: str
    amount: str
    figures: tuple[FigureRow, ...]
    lapsed: tuple[str, ...]
    registry: tuple[tuple[str, str], ...]
    examples: tuple[ExampleWords, ...]


@dataclass(frozen=True, slots=True)
class WordRow:
    """One word of the closed vocabulary: unit or choices, who holds it, what it means."""

    title: str
    kind: str
    held_by: str
    meaning: str


def vocabulary_rows() -> tuple[WordRow, ...]:
    """Every fact a condition may name, as the form shows it."""
    rows = []
    for fact in FACTS:
        choices = "・".join((*fact.term.choices, *(f"{u}（不明として扱う）" for u in fact.as_unknown)))
        kind = choices or (f"数（{fact.term.unit}）" if fact.term.unit else _KINDS[fact.term.kind.name])
        held_by = "世帯" if fact.held_by == "household" else "世帯員"
        rows.append(WordRow(fact.term.title, kind, held_by, fact.meaning))
    born = WordRow(BIRTH_DATE_TITLE, "日付", "世帯員", "例にだけ書ける。年齢・年度末年齢・月初年齢を計算する")
    return (*rows, born)


def state_of(programme: Programme, today: dt.date) -> str:
    """施行中, 予定 or 終了, of one text."""
    if programme.in_force(today):
        return IN_FORCE
    return COMING if max(programme.text.validity.start, programme.begins_on) > today else ENDED


def board(definitions: Definitions, served: Served, today: dt.date) -> list[ProgrammeRow]:
    """Every programme by its office; a change still to come stands on the programme's own page."""
    counted = _counts(served)
    rows = [_row(main.on(today), counted, today) for main in definitions.programmes.values()]
    return sorted(rows, key=lambda r: (r.programme.text.owner, r.programme.name))


def _row(programme: Programme, counted: Mapping[str, Mapping[str, int]], today: dt.date) -> ProgrammeRow:
    unit = "人" if programme.of_child else "世帯"
    counts = {name: shown_count(n, unit) for name, n in counted.get(programme.id, {}).items()}
    words = (_UNIT_WORDS[programme.text.unit], _GUIDANCE_WORDS[programme.text.guidance])
    return ProgrammeRow(programme, state_of(programme, today), *words, counts)


def _counts(served: Served) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in served.view.cursor().query(load("kizuki.app", "programme_counts")).to_pylist():
        mine = found.setdefault(row["programme"], {v.value: 0 for v in ProgrammeVerdict} | {"unclaimed": 0})
        mine[row["verdict"]] = row["answers"]
        mine["unclaimed"] += row["unclaimed"]
    return found


def sheet(programme: Programme, today: dt.date, checked: CheckedProgramme | None = None) -> ProgrammeSheet:
    """One text in words; `checked` saves running the examples again."""
    text = programme.text
    end = f"{text.validity.end:%Y/%m/%d} まで" if text.validity.end else "終わりの定めなし"
    held = [r.holds for r in checked.examples] if checked else [example_holds(programme, n) for n in range(len(text.examples))]
    return ProgrammeSheet(
        programme=programme,
        state=state_of(programme, today),
        rule=_RULE,
        unit=_UNIT_WORDS[text.unit],
        guidance=_GUIDANCE_WORDS[text.guidance],
        period=f"{text.validity.start:%Y/%m/%d} から、{end}",
        receipt=_receipt(text),
        amount=_amount(text),
        figures=tuple(_figures(text.tables)),
        lapsed=tuple(t.name for t in text.tables if t.row(max(today, text.validity.start)) is None),
        registry=tuple(_registry(text)),
        examples=tuple(
            ExampleWords(e.name, tuple(household_text(e.household).splitlines()), _expected(text, n), held[n])
            for n, e in enumerate(text.examples)
        ),
    )


def _expected(text: ProgrammeText, number: int) -> str:
    example = text.examples[number]
    amount = "" if example.amount_yen is None else f"（{example.amount_yen:,}円）"
    asks = f"（{'・'.join(a or '所管課の判断' for a in example.asks)}）" if example.asks else ""
    return f"{example.expected.value}{amount}{asks}"


def _receipt(text: ProgrammeText) -> str:
    """How it is seen that somebody is in receipt."""
    receipt = text.receipt
    if receipt is None:
        return "受けているかは、届いているデータでは分かりません（未受給には数えません）"
    told = "・".join(receipt.statuses) or "申請中・却下のほか"
    return f"{receipt.source} の「{receipt.kind}」（{told}）があれば受給中"


def _amount(text: ProgrammeText) -> str:
    amount = text.amount
    if amount is None:
        return ""
    if amount.method != "場合分け":
        return f"{amount.method}の定め（{_PER_WORDS[amount.per]}）：{'、'.join(amount.table_names())}"
    cases = "／".join(f"{c.condition} → {c.table}{f'（{c.key}ごと）' if c.key else ''}" for c in amount.cases)
    return f"{_PER_WORDS[amount.per]}：{cases}"


def _figures(tables: tuple[ParameterTable, ...]) -> Iterator[FigureRow]:
    for table in tables:
        name = f"{table.name}（{table.unit}・{table.decided_by}）"
        for row in sorted(table.rows, key=lambda r: r.valid_from):
            source = f"{row.source}（{row.checked_on:%Y/%m/%d} 確認）"
            yield FigureRow(name, f"{row.valid_from:%Y/%m/%d} ～ {row.last_day:%Y/%m/%d}", _values(row), source)
        if not table.rows:
            yield FigureRow(name, "—", "まだ入力されていません", "")


def _values(row: TableRow) -> str:
    told = "、".join(f"{v:,.0f}" for v in row.values)
    return f"{told}（1増えるごとに {row.increment:,.0f}）" if row.increment else told


def _registry(text: ProgrammeText) -> Iterator[tuple[str, str]]:
    for name, title in REGISTRY.items():
        value = getattr(text.registry, name.removeprefix("registry_"))
        if value:
            yield title, value


def differences(old: Programme | None, new: Programme) -> tuple[Difference, ...]:
    """What changes from `old` to `new`, in the order of the form; without `old` everything is added."""
    before = dict(_parts(old.text)) if old is not None else {}
    after = dict(_parts(new.text))
    pairs = ((about, before.get(about, ""), after.get(about, "")) for about in dict.fromkeys([*before, *after]))
    return tuple(Difference(a, ADDED if not b else GONE if not c else CHANGED, b, c) for a, b, c in pairs if b != c)


def _parts(text: ProgrammeText) -> Iterator[tuple[str, str]]:
    """A text cut into what a reader compares."""
    yield from (("名称", text.name), ("所管課", text.owner), ("問合せ先", text.contact), ("位置づけ", text.standing))
    yield "単位", _UNIT_WORDS[text.unit]
    yield "案内", _GUIDANCE_WORDS[text.guidance]
    yield "有効期間", f"{text.validity.start} ～ {text.validity.end or ''}"
    for rule in text.rules:
        for part, told in (("式", rule.condition), ("説明", rule.explanation), ("根拠", rule.ground), ("確認", rule.ask)):
            yield f"条件「{rule.name}」の{part}", told
    for row in _figures(text.tables):
        yield f"表「{row.table}」{row.period}", f"{row.values}　{row.source}"
    if text.receipt is not None:
        receipt = text.receipt.model_dump(by_alias=True)
        yield "受給", "、".join(f"{key} {receipt[key]}" for key in RECEIPT.values() if receipt[key])
    yield "金額", _amount(text)
    yield "確認事項", "、".join(text.to_confirm)
    yield from (("台帳の" + title, value) for title, value in _registry(text))
    for n, example in enumerate(text.examples):
        yield f"例「{example.name}」", f"{example.day}　{household_text(example.household)} → {_expected(text, n)}"
