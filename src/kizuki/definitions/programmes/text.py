"""The file of one programme as pydantic reads it: conditions, dated tables with sources, receipts, amounts, examples."""

import datetime as dt
import itertools
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Key

from kizuki.definitions.expression import StepTable
from kizuki.definitions.yaml import Definition, labelled, unique
from kizuki.terms.states import ProgrammeVerdict

UNITS = {"世帯": "household", "こども": "child"}
GUIDANCE = {"通知できる": "notice", "案内のみ": "information", "相談案内のみ": "consultation"}
PER = {"月額": "month", "年額": "year", "一時金": "once"}


class TableRow(Definition):
    """One period's figures: `values` for 0, 1, 2 … and what each further one adds."""

    valid_from: dt.date = Key(alias="適用開始")
    valid_to: dt.date | None = Key(None, alias="適用終了")
    values: tuple[float, ...] = Key(alias="値", min_length=1)
    increment: float = Key(0.0, alias="1増えるごとに", ge=0)
    source: str = Key(alias="出典", min_length=1)
    checked_on: dt.date = Key(alias="確認日")

    @property
    def last_day(self) -> dt.date:
        """The last day the figures may be used: 適用終了, or else the end of the fiscal year of the last check."""
        return self.valid_to or dt.date(self.checked_on.year + (self.checked_on.month >= 4), 3, 31)

    def on(self, day: dt.date) -> bool:
        """Whether the row may be used on `day`."""
        return self.valid_from <= day <= self.last_day


class ParameterTable(Definition):
    """One named table with its dated rows; `decided_by` says whose decision the figures are."""

    name: str = Key(alias="名")
    unit: str = Key(alias="単位")
    decided_by: Literal["国", "都道府県の定め", "市の定め（初期値）"] = Key(alias="定め")
    note: str = Key("", alias="注")
    rows: tuple[TableRow, ...] = Key((), alias="行")

    @model_validator(mode="after")
    def _apart(self) -> "ParameterTable":
        rows = sorted(self.rows, key=lambda r: r.valid_from)
        for before, after in itertools.pairwise(rows):
            if before.valid_to is None or before.valid_to >= after.valid_from:
                raise ValueError(f"表「{self.name}」の適用期間が重なっています。前の行に「適用終了」を書いてください。")
        return self

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
    """How the timeline shows that the programme is in use: spell kinds and statuses, and the source that says so.

    No statuses = any but those of `applied` (asked for or decided on, yet not paid) and `refused`. A refusal counts for
    `refused_days`.
    """

    source: str = Key(alias="元データ")
    kind: str = Key(alias="種類")
    statuses: tuple[str, ...] = Key((), alias="区分")
    applied: tuple[str, ...] = Key((), alias="申請済の区分")
    refused: tuple[str, ...] = Key(("却下",), alias="却下の区分")
    refused_days: int = Key(180, alias="却下後の日数", ge=0)


class AmountCase(Definition):
    """One branch: where `condition` holds the amount is the table's, at `key` (0 without one)."""

    condition: str = Key(alias="式")
    table: str = Key(alias="表")
    key: str | None = Key(None, alias="項目")


class Amount(Definition):
    """How much: a method of the law, and its tables in the order the method takes them."""

    method: Literal["児童扶養手当", "児童手当", "場合分け"] = Key(alias="方法")
    per: Annotated[Literal["month", "year", "once"], BeforeValidator(labelled(PER))] = Key(alias="単位")
    counted: str | None = Key(None, alias="対象の人数")
    tables: dict[str, str] = Key(default_factory=dict, alias="表")
    cases: tuple[AmountCase, ...] = Key((), alias="場合")

    @model_validator(mode="after")
    def _complete(self) -> "Amount":
        if self.method == "場合分け" and not self.cases:
            raise ValueError("「場合」がありません。")
        if self.method != "場合分け" and (self.counted is None or not self.tables):
            raise ValueError("「対象の人数」と「表」を書いてください。")
        return self

    def table_names(self) -> tuple[str, ...]:
        """Every table the amount is read from, once."""
        return tuple(dict.fromkeys((*self.tables.values(), *(c.table for c in self.cases))))


class ExampleText(Definition):
    """One household on a day and the answer expected (of the child `person`, where the programme is per child).

    `asks` are the facts (titles) or tables that must be named as what would decide, and no others.
    """

    name: str = Key(alias="名称")
    day: dt.date = Key(alias="基準日")
    household: dict[str, Any] = Key(alias="世帯")
    person: str | None = Key(None, alias="対象")
    expected: ProgrammeVerdict = Key(alias="期待")
    amount_yen: int | None = Key(None, alias="金額")
    asks: tuple[str, ...] | None = Key(None, alias="確認")


class Validity(Definition):
    """From when until when (last day) the programme exists."""

    start: dt.date = Key(alias="開始")
    end: dt.date | None = Key(None, alias="終了")


class RegistryText(Definition):
    """What the registry of programmes (子育て支援制度レジストリ, ユニバーサルメニュー) says of one; no answer depends on it.

    Every value is text as the registry writes it, in the registry's own words for the columns; blank = nothing said.
    """

    psid: str = Key("", alias="PSID")
    number: str = Key("", alias="制度番号")
    former_number: str = Key("", alias="元制度番号")
    change: str = Key("", alias="制度変更区分")
    prefecture: str = Key("", alias="都道府県")
    municipality: str = Key("", alias="市町村")
    summary: str = Key("", alias="概要")
    support: str = Key("", alias="支援内容")
    target: str = Key("", alias="対象者")
    how_to_apply: str = Key("", alias="利用・申請方法")
    opens_on: str = Key("", alias="受付開始日")
    closes_on: str = Key("", alias="受付終了日")
    link: str = Key("", alias="詳細参照先")
    published_on: str = Key("", alias="公開日")
    tags: str = Key("", alias="タグ")


class ProgrammeText(Definition):
    """One file of `programmes/` or of `programmes/versions/`; the last five keys are written by an approval on a screen."""

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Key(alias="名称")
    owner: str = Key(alias="所管課")
    contact: str = Key(alias="問合せ先")
    standing: str = Key(alias="位置づけ")
    unit: Annotated[Literal["household", "child"], BeforeValidator(labelled(UNITS))] = Key(alias="単位")
    guidance: Annotated[Literal["notice", "information", "consultation"], BeforeValidator(labelled(GUIDANCE))] = Key(
        "notice", alias="案内"
    )
    validity: Validity = Key(alias="有効期間")
    tables: tuple[ParameterTable, ...] = Key((), alias="表")
    rules: tuple[RuleText, ...] = Key(alias="条件", min_length=1)
    receipt: Receipt | None = Key(None, alias="受給")
    amount: Amount | None = Key(None, alias="金額")
    to_confirm: tuple[str, ...] = Key((), alias="確認事項")
    registry: RegistryText = Key(default_factory=RegistryText, alias="台帳")
    examples: tuple[ExampleText, ...] = Key(alias="例", min_length=1)
    effective_on: dt.date | None = Key(None, alias="施行日")
    author: str = Key("", alias="作成者")
    written_on: dt.date | None = Key(None, alias="作成日")
    approver: str = Key("", alias="承認者")
    approved_on: dt.date | None = Key(None, alias="承認日")

    @model_validator(mode="after")
    def _consistent(self) -> "ProgrammeText":
        unique((r.id for r in self.rules), "条件ID")
        unique((t.name for t in self.tables), "表")
        unique((e.name for e in self.examples), "例")
        paid = self.amount.table_names() if self.amount else ()
        names = {t.name for t in self.tables}
        for name in paid:
            if name not in names:
                raise ValueError(f"金額の表「{name}」がありません。")
        for table in self.tables:
            for row in table.rows:
                if list(row.values) != sorted(row.values) and table.name not in paid:
                    raise ValueError(f"表「{table.name}」の値は、増える順に書いてください。")
        return self
