"""Items: what a criterion may ask of a child, each defined by the records it counts, its window and the meaning of silence.

Staff add an item such as 「過去2年の相談件数」 here, without code: a record kind of the mart, a period and a way to put the
records together.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Key

from kizuki.definitions.banned import banned_input
from kizuki.definitions.expression import Kind, Term
from kizuki.definitions.expression.parse import is_plain_title
from kizuki.definitions.yaml import Definition, Node, YesNo, build, labelled, read_folder, unique
from kizuki.terms.errors import DefinitionError

_PERIOD = re.compile(r"(\d+)か月")
_KINDS = {"はい・いいえ": "truth", "数": "number"}
_ORIGINS = {
    "出来事": "event",
    "継続": "spell",
    "終了": "ended",
    "きょうだいの継続": "sibling_spell",
    "きょうだいの出来事": "sibling_event",
    "成人の継続": "adult_spell",
    "成人の出来事": "adult_event",
    "住民記録": "register",
    "世帯の税": "tax",
    "健診の未受診": "missed_checkup",
    "健診の判定": "checkup_result",
    "妊娠期": "pregnancy",
    "母の年齢": "mother",
    "支援措置": "seal",
}
_REDUCTIONS = {"有無": "any", "すべて": "every", "合計": "sum", "件数": "count", "最大": "max", "最新": "latest"}
_SILENCE = {"ゼロ": "zero", "不明": "unknown", "対象外": "not_applicable"}
_BASES = {"満年齢": "years", "年度末": "fy_end"}
_PARTS = {"": "", "量": "amount", "補足": "detail", "補足の有無": "has_detail"}


def _months(value: Any) -> Any:
    if isinstance(value, str):
        if value in ("現在", "出生から"):
            return {"現在": 0, "出生から": -1}[value]
        match = _PERIOD.fullmatch(value)
        if match is None:
            raise ValueError("「現在」「出生から」か「3か月」のように書いてください。")
        return int(match[1])
    return value


Months = Annotated[int, BeforeValidator(_months)]
"""Length of a window: 0 = in force now, -1 = since birth."""


class Ages(Definition):
    """For which children the question arises at all; others are 対象外."""

    low: int = Key(0, alias="下限")
    high: int = Key(17, alias="上限")
    basis: Annotated[Literal["years", "fy_end"], BeforeValidator(labelled(_BASES))] = Key("years", alias="数え方")


class Record(Definition):
    """Which rows of the mart an item counts."""

    of: Annotated[str, BeforeValidator(labelled(_ORIGINS))] = Key(alias="種別")
    kinds: tuple[str, ...] = Key((), alias="種類")
    codes: tuple[str, ...] = Key((), alias="区分")
    part: Annotated[str, BeforeValidator(labelled(_PARTS))] = Key("", alias="値")


class Difference(Definition):
    """今 minus 前, two items of the same unit."""

    now: str = Key(alias="今")
    before: str = Key(alias="前")


class ItemDefinition(Definition):
    """One item: one value per child, with a state and evidence.

    `guarded_as` is written as the row's source where the item is more sensitive than its source: a source that no role reads
    keeps the row from everyone. `window_word` lets conditions ask the item for any period: 過去2年の〈語〉 (`item_windows`).
    """

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Key(alias="名称")
    kind: Annotated[Literal["truth", "number"], BeforeValidator(labelled(_KINDS))] = Key(alias="型")
    unit: str = Key("", alias="単位")
    source: str = Key(alias="元データ")
    meaning: str = Key(alias="値の意味")
    ask: str = Key(alias="不明の聞き先")
    stale_days: int = Key(alias="古いとみなす日数", gt=0)
    record: Record | None = Key(None, alias="記録")
    difference: Difference | None = Key(None, alias="差")
    reduce: Annotated[str, BeforeValidator(labelled(_REDUCTIONS))] = Key("any", alias="集計")
    months: Months = Key(0, alias="期間")
    shift_months: Months = Key(0, alias="ずらし")
    at_least: float = Key(1.0, alias="以上")
    at_most: float = Key(1e300, alias="以下")
    silence: Annotated[Literal["zero", "unknown", "not_applicable"], BeforeValidator(labelled(_SILENCE))] = Key(
        "zero", alias="記録が無いとき"
    )
    ages: Ages = Key(default_factory=Ages, alias="対象年齢")
    judged: YesNo = Key(True, alias="判定に使える")
    window_word: str = Key("", alias="期間集計")
    guarded_as: str | None = Key(None, alias="機微の区分の元データ")

    @model_validator(mode="after")
    def _consistent(self) -> "ItemDefinition":
        if not is_plain_title(self.title):
            raise ValueError(f"名称「{self.title}」は条件に書けません。空白・かっこ・比較の記号を除いてください。")
        if (self.record is None) == (self.difference is None):
            raise ValueError("「記録」か「差」のどちらか一方を書いてください。")
        if (self.kind == "truth") != (self.reduce in ("any", "every")):
            raise ValueError("「はい・いいえ」の集計は「有無」「すべて」、数の集計は「合計」「件数」「最大」「最新」です。")
        return self

    @model_validator(mode="after")
    def _window_word_works(self) -> "ItemDefinition":
        if self.window_word and (self.record is None or self.kind != "number" or not is_plain_title(self.window_word)):
            raise ValueError("「期間集計」の語は、記録を数える数の項目に、空白・かっこ・比較の記号なしで書いてください。")
        if self.window_word and self.months <= 0:
            raise ValueError("「期間集計」の語は、期間のある項目に書いてください。")
        return self

    @property
    def minimum(self) -> float | None:
        """The least value: counts and amounts start at zero; a difference may be negative."""
        return None if self.difference or self.kind == "truth" else 0.0

    def term(self) -> Term:
        """The item as a word of the condition language."""
        kind = Kind.TRUTH if self.kind == "truth" else Kind.NUMBER
        return Term(self.id, self.title, kind, self.unit, minimum=self.minimum)


class ItemFile(Definition):
    """One file of items of a field."""

    id: str = Key(alias="ID")
    name: str = Key(alias="名称")
    items: tuple[ItemDefinition, ...] = Key(alias="項目")


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, ItemDefinition]:
    """All items by id.

    Raises DefinitionError K804 (form), K501 (an id or title twice, or a difference of nothing) or K502 (a banned input).
    """
    nodes = list(read_folder(folder, overlays).values())
    files = [build(ItemFile, node) for node in nodes]
    for file, node in zip(files, nodes, strict=True):
        _refuse_banned(file, node)
    items = [item for file in files for item in file.items]
    try:
        unique((i.id for i in items), "項目ID")
        unique((i.title for i in items), "項目の名称")
        unique((i.window_word for i in items if i.window_word), "期間集計の語")
    except ValueError as e:
        raise DefinitionError("K501", str(e), str(folder), "IDと名称は一つずつにしてください。") from e
    found = {item.id: item for item in items}
    for item in items:
        if item.difference is not None and not {item.difference.now, item.difference.before} <= found.keys():
            raise DefinitionError(
                "K501", f"「{item.title}」の差のもとの項目がありません。", str(folder), "項目IDを確かめてください。"
            )
    return found


def _refuse_banned(file: ItemFile, node: Node) -> None:
    """A judged item may neither be named after a banned input nor be made from the seal of 支援措置."""
    written = node.get("項目")
    places = written.value if written is not None and isinstance(written.value, list) else []
    for item, place in zip(file.items, places, strict=True):
        sealed = item.record is not None and item.record.of == "seal"
        found = banned_input("支援措置" if sealed else item.title + item.window_word)
        if item.judged and found is not None:
            what = f"項目「{item.title}」は判定に使えません：{found.reason}"
            raise DefinitionError("K502", what, place.where(), "項目を除くか、「判定に使える: いいえ」にしてください。")
