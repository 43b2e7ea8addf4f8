"""Programmes: who may use what, as conditions over a closed vocabulary and dated tables of amounts, each with its source.

A table without a row for the day gives nothing: last year's figure is never used, the answer becomes 不明（パラメータ未更新）.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Key

from kizuki.definitions.expression import Condition, StepTable, Vocabulary, parse
from kizuki.definitions.programmes.facts import terms, vocabulary
from kizuki.definitions.yaml import Definition, Node, build, labelled, read_folder, unique
from kizuki.terms.errors import DefinitionError
from kizuki.terms.states import ProgrammeVerdict

EXPIRED = "パラメータ未更新"
_UNITS = {"世帯": "household", "こども": "child"}
_EARLIEST = dt.date(1900, 1, 1)


class TableRow(Definition):
    """One period's figures: `values` for 0, 1, 2 … and what each further one adds."""

    valid_from: dt.date = Key(alias="適用開始")
    valid_to: dt.date | None = Key(None, alias="適用終了")
    values: tuple[float, ...] = Key(alias="値", min_length=1)
    increment: float = Key(0.0, alias="1増えるごとに")
    source: str = Key(alias="出典")
    checked_on: dt.date = Key(alias="確認日")

    def on(self, day: dt.date) -> bool:
        """Whether the row holds on `day` (適用終了 is the last day)."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class ParameterTable(Definition):
    """One named table with its dated rows."""

    name: str = Key(alias="名")
    unit: str = Key(alias="単位")
    note: str = Key("", alias="注")
    rows: tuple[TableRow, ...] = Key(alias="行")

    def row(self, day: dt.date) -> TableRow | None:
        """The row in force on `day`; None if the city has not entered one."""
        return next((r for r in self.rows if r.on(day)), None)

    def on(self, day: dt.date) -> StepTable:
        """The table as conditions see it on `day`."""
        row = self.row(day)
        if row is None:
            return StepTable(self.name, self.unit, (0.0,), expired=True)
        return StepTable(self.name, self.unit, row.values, row.increment)


class RuleText(Definition):
    """One condition; all of a programme's conditions must hold."""

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Key(alias="名称")
    condition: str = Key(alias="式")
    explanation: str = Key(alias="説明")
    ground: str = Key(alias="根拠")
    ask: str = Key(alias="確認すること")


class Receipt(Definition):
    """How the timeline shows that the programme is in use already: spell kinds and statuses, and the source that says so."""

    source: str = Key(alias="元データ")
    kind: str = Key(alias="種類")
    statuses: tuple[str, ...] = Key((), alias="区分")


class Amount(Definition):
    """How much: a method of the law, and its tables in the order the method takes them."""

    method: Literal["児童扶養手当"] = Key(alias="方法")
    counted: str = Key(alias="対象の人数")
    tables: dict[str, str] = Key(alias="表")


class ExampleText(Definition):
    """One household on a day and the answer expected (of the child `person`, where the programme is per child)."""

    name: str = Key(alias="名称")
    day: dt.date = Key(alias="基準日")
    household: dict[str, Any] = Key(alias="世帯")
    person: str | None = Key(None, alias="対象")
    expected: ProgrammeVerdict = Key(alias="期待")
    amount_yen: int | None = Key(None, alias="金額")


class Validity(Definition):
    """From when until when (last day) the programme exists."""

    start: dt.date = Key(alias="開始")
    end: dt.date | None = Key(None, alias="終了")


class ProgrammeText(Definition):
    """One file of `programmes/`."""

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Key(alias="名称")
    owner: str = Key(alias="所管課")
    contact: str = Key(alias="問合せ先")
    standing: str = Key(alias="位置づけ")
    unit: Annotated[Literal["household", "child"], BeforeValidator(labelled(_UNITS))] = Key(alias="単位")
    validity: Validity = Key(alias="有効期間")
    tables: tuple[ParameterTable, ...] = Key((), alias="表")
    rules: tuple[RuleText, ...] = Key(alias="条件", min_length=1)
    receipt: Receipt = Key(alias="受給")
    amount: Amount | None = Key(None, alias="金額")
    to_confirm: tuple[str, ...] = Key((), alias="確認事項")
    examples: tuple[ExampleText, ...] = Key(alias="例", min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "ProgrammeText":
        unique((r.id for r in self.rules), "条件ID")
        unique((t.name for t in self.tables), "表")
        for table in self.tables:
            for row in table.rows:
                if list(row.values) != sorted(row.values) and (
                    self.amount is None or table.name not in self.amount.tables.values()
                ):
                    raise ValueError(f"表「{table.name}」の値は、増える順に書いてください。")
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition as understood on a day; `expired` are the tables it needs that have no figures that day."""

    id: str
    condition: Condition
    expired: tuple[str, ...]
    text: RuleText


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme, understood and checked."""

    id: str
    name: str
    text: ProgrammeText

    @property
    def of_child(self) -> bool:
        """Whether it is answered per child (otherwise per household)."""
        return self.text.unit == "child"

    def in_force(self, day: dt.date) -> bool:
        """Whether the programme exists on `day`."""
        return self.text.validity.start <= day and (self.text.validity.end is None or day <= self.text.validity.end)

    def rules(self, day: dt.date) -> tuple[Rule, ...]:
        """The conditions with the tables of that day."""
        tables = [t.on(day) for t in self.text.tables]
        words = vocabulary(self.of_child, tables)
        gone = [t.name for t in tables if t.expired]
        return tuple(
            Rule(r.id, parse(r.condition, words), tuple(n for n in gone if n in r.condition), r) for r in self.text.rules
        )

    def counted(self) -> Condition | None:
        """The members an amount is paid for."""
        return parse(self.text.amount.counted, Vocabulary(terms())) if self.text.amount else None


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, Programme]:
    """All programmes by id; raises DefinitionError K804 (form) or K51x (a condition that cannot be read).

    Examples are run by the `programmes` stage and its tests, which hold the method of each amount.
    """
    return {name: _understood(build(ProgrammeText, node), node) for name, node in read_folder(folder, overlays).items()}


def _understood(text: ProgrammeText, node: Node) -> Programme:
    written = node.get("条件")
    places: Mapping[str, Node] = {}
    if written is not None and isinstance(written.value, list):
        places = {str(n.get("ID").value): n for n in written.value if n.get("ID") is not None}  # type: ignore[union-attr]
    words = vocabulary(text.unit == "child", [t.on(_EARLIEST) for t in text.tables])
    for rule in text.rules:
        try:
            parse(rule.condition, words)
        except DefinitionError as e:
            place = places.get(rule.id, node)
            raise DefinitionError(e.code, e.what, f"{(place.get('式') or place).where()}　{e.where}", e.fix) from e
    return Programme(text.id, text.name, text)
