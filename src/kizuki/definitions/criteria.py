"""Criteria sets: who should be looked at, and why, as a points table that staff write and a committee approves.

A set only ever adds children to a list for people to look at. Every entry says what it rests on; every set carries
examples that run as tests. Nationality, religion, free text and the seal of 支援措置 are refused as inputs.

A set either adds up points over items, with a cap on entries that tell of the same event (まとまり), or combines other sets
(組合せ): there each line names a level, 点 is its height, and the highest line that holds is the answer. Versions of a set to
come, or gone, lie complete in `criteria/versions/`; on any day at most one is in force. A version marked 試行 is judged beside
it every night and lists nobody.
"""

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Key

from kizuki.definitions.banned import banned_input
from kizuki.definitions.expression import (
    AtLeast,
    Condition,
    Kind,
    NotApplicable,
    Term,
    Value,
    Vocabulary,
    evaluate,
    parse,
)
from kizuki.definitions.item_windows import ItemWords
from kizuki.definitions.items import Ages, ItemDefinition
from kizuki.definitions.items import load as load_items
from kizuki.definitions.yaml import Definition, Node, YesNo, build, labelled, read_folder, read_yaml, unique
from kizuki.terms.errors import DefinitionError
from kizuki.terms.states import JudgementVerdict

VERSIONS = "versions"
_ORDERS = {"年齢の低い順": "younger", "年齢の高い順": "older", "無作為の順": "random"}
_OUTCOMES = {"継続の開始": "start", "出来事": "event", "一年の合計": "sum"}
_WHOSE = {"本人": "child", "世帯": "household"}
_PLACE = re.compile(r"\{([^{}]*)\}")

Order = Annotated[Literal["younger", "older", "random"], BeforeValidator(labelled(_ORDERS))]


class EntryText(Definition):
    """One line of the points table, as written."""

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Key(alias="名称")
    condition: str = Key(alias="条件")
    points: int = Key(alias="点")
    explanation: str = Key(alias="説明")
    ground: str = Key(alias="根拠")
    owner: str = Key(alias="所管")
    protective: YesNo = Key(False, alias="保護要因")
    needs_feed: YesNo = Key(False, alias="受領していなければ外す")
    family: str = Key("", alias="まとまり")

    @model_validator(mode="after")
    def _sign(self) -> "EntryText":
        if (self.points < 0) != self.protective or self.points == 0:
            raise ValueError("点は、保護要因なら負の数、それ以外は正の数で書いてください。")
        if self.family and self.protective:
            raise ValueError("保護要因は「まとまり」に入れられません。")
        return self


class ExampleText(Definition):
    """A child's situation and the answer staff expect; items not mentioned are いいえ or 0 (with ほか: 不明, unknown)."""

    name: str = Key(alias="名称")
    situation: dict[str, str] = Key(alias="状況")
    others: Literal["なし", "不明"] = Key("なし", alias="ほか")
    expected: JudgementVerdict = Key(alias="期待")
    points: int | None = Key(None, alias="点")


class OutcomeText(Definition):
    """One kind of record that shows the difficulty began (検証の記録): a spell that starts, an event, or a sum over a year.

    A child who already had it in the year before the as-of day is not at risk of its beginning and is left out. Where the
    records come every month (`monthly`), a child without recent ones was not watched: silence then says nothing. A spell that
    can only begin within another (`within`: school aid within enrolment) counts as new only where the other had already run
    for a year; what begins together with it tells nothing, neither yes nor no. `whose` = household: a record of anybody who
    lives with the child that day (an adult's consultation).
    """

    of: Annotated[Literal["start", "event", "sum"], BeforeValidator(labelled(_OUTCOMES))] = Key(alias="種別")
    source: str = Key(alias="元データ")
    kind: str = Key(alias="種類")
    codes: tuple[str, ...] = Key((), alias="区分")
    at_least: float = Key(1.0, alias="以上")
    monthly: YesNo = Key(False, alias="毎月届く")
    whose: Annotated[Literal["child", "household"], BeforeValidator(labelled(_WHOSE))] = Key("child", alias="だれの")
    within: str = Key("", alias="一年前から続く継続")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "OutcomeText":
        if self.whose == "household" and (self.of != "event" or self.monthly):
            raise ValueError("「だれの: 世帯」は、毎月届くもの以外の「出来事」にだけ書けます。")
        if self.within and self.of != "start":
            raise ValueError("「一年前から続く継続」は「継続の開始」にだけ書けます。")
        return self


class CriteriaText(Definition):
    """One file of `criteria/`."""

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Key(alias="名称")
    version: str = Key(alias="版")
    valid_from: dt.date = Key(alias="施行日")
    valid_to: dt.date | None = Key(None, alias="終了日")
    author: str = Key(alias="作成者")
    approver: str = Key(alias="承認者")
    written_on: dt.date | None = Key(None, alias="作成日")
    approved_on: dt.date | None = Key(None, alias="承認日")
    trial: YesNo = Key(False, alias="試行")
    standing: str = Key(alias="位置づけ")
    ages: Ages = Key(default_factory=Ages, alias="対象年齢")
    threshold: int = Key(alias="閾値", gt=0)
    order: tuple[Order, ...] = Key(("younger", "random"), alias="同点の順", min_length=1)
    unknowable: tuple[str, ...] = Key((), alias="データでは分からないこと")
    past_case: str = Key("", alias="検証で数える出来事")
    learned_from: str = Key("", alias="学んだ採点表")
    told_to_family: YesNo = Key(True, alias="本人・保護者に知らせる")
    outcomes: tuple[OutcomeText, ...] = Key((), alias="検証の記録")
    combines: tuple[str, ...] = Key((), alias="組合せ")
    caps: dict[str, int] = Key(default_factory=dict, alias="まとまりの上限")
    entries: tuple[EntryText, ...] = Key(alias="項目", min_length=1)
    examples: tuple[ExampleText, ...] = Key(alias="例", min_length=1)

    @model_validator(mode="after")
    def _entries_once(self) -> "CriteriaText":
        unique((e.id for e in self.entries), "項目ID")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("終了日は施行日より後にしてください。")
        if self.approved_on is not None and self.approved_on > self.valid_from:
            raise ValueError("承認日は施行日までの日にしてください。")
        return self

    @model_validator(mode="after")
    def _families_capped(self) -> "CriteriaText":
        used = {e.family for e in self.entries if e.family}
        if used != self.caps.keys():
            odd = "、".join(sorted(used ^ self.caps.keys()))
            raise ValueError(f"「まとまりの上限」と項目の「まとまり」が合いません：{odd}")
        for e in self.entries:
            if e.family and e.points > self.caps[e.family]:
                raise ValueError(f"「{e.name}」の点が、まとまり「{e.family}」の上限を超えています。")
        if self.combines and (self.caps or any(e.protective for e in self.entries)):
            raise ValueError("組合せでは、まとまりの上限と保護要因は使えません。")
        return self


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the points table: when `condition` holds, `points` count; `explanation` is text and the terms to fill in."""

    id: str
    name: str
    condition: Condition
    points: int
    explanation: tuple[str | Term, ...]
    text: EntryText


@dataclass(frozen=True, slots=True)
class Example:
    """One example with its situation as values by item id."""

    name: str
    facts: Mapping[str, Value]
    expected: JudgementVerdict
    points: int | None


@dataclass(frozen=True, slots=True)
class Score:
    """What is certain and what is possible: no unknown can take the points below `points` or above `most`."""

    points: int
    most: int
    verdict: JudgementVerdict


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One difficulty's criteria, understood and checked."""

    id: str
    name: str
    version: str
    valid_from: dt.date
    valid_to: dt.date | None
    ages: Ages
    threshold: int
    order: tuple[str, ...]
    entries: tuple[Entry, ...]
    examples: tuple[Example, ...]
    text: CriteriaText
    derived: tuple[ItemDefinition, ...] = ()
    others: tuple["CriteriaSet", ...] = ()

    @property
    def combines(self) -> tuple[str, ...]:
        """The sets whose answers this one combines; empty for a set over items."""
        return self.text.combines

    @property
    def versions(self) -> tuple["CriteriaSet", ...]:
        """This version and the others of the same set, by date."""
        return tuple(sorted((self, *self.others), key=lambda c: c.valid_from))

    def on(self, day: dt.date) -> "CriteriaSet | None":
        """The version in force on `day`; None if there is none. A version on trial is never the one in force."""
        return next((c for c in self.versions if not c.text.trial and c.in_force(day)), None)

    def trials_on(self, day: dt.date) -> "tuple[CriteriaSet, ...]":
        """The versions judged on trial (試行) on `day`."""
        return tuple(c for c in self.versions if c.text.trial and c.in_force(day))

    def families(self) -> list[tuple[int | None, list[Entry]]]:
        """Entries that count together with their cap; the rest, uncapped, as one more group."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.text.family, []).append(entry)
        return [(self.text.caps[name] if name else None, entries) for name, entries in groups.items()]

    def in_force(self, day: dt.date) -> bool:
        """Whether this version applies on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def score(self, facts: Mapping[str, Value]) -> Score:
        """The answer for one child in plain Python; the set-based SQL of `judge` must agree.

        An unknown entry counts against certainty both ways: a possible sign is not in `points`, a possible protective
        factor is. Entries that tell of the same event count up to their family's cap. A combination answers with its
        highest line.
        """
        certain: dict[str, int] = {}
        possible: dict[str, int] = {}
        for entry in self.entries:
            answer = evaluate(entry.condition, facts)
            certain[entry.id] = entry.points if answer or (answer is None and entry.points < 0) else 0
            possible[entry.id] = entry.points if answer or (answer is None and entry.points > 0) else 0
        points, most = (self._together(found) for found in (certain, possible))
        return Score(points, most, verdict_of(points, most, self.threshold))

    def _together(self, found: Mapping[str, int]) -> int:
        if self.combines:
            return max(found.values())
        total = 0
        for cap, entries in self.families():
            part = sum(found[e.id] for e in entries)
            total += part if cap is None else min(part, cap)
        return total


def verdict_of(points: int, most: int, threshold: int) -> JudgementVerdict:
    """該当 if certain, 非該当 if impossible, 要確認 if the unknown could decide (G2)."""
    if points >= threshold:
        return JudgementVerdict.CANDIDATE
    return JudgementVerdict.TO_CONFIRM if most >= threshold else JudgementVerdict.NOT_CANDIDATE


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, CriteriaSet]:
    """All criteria sets by id, with the items folders beside them.

    Raises DefinitionError: K804 form, K502 a banned input, K503 a template naming no item, K504 an example that does not
    hold, K507 versions that overlap, K508 a combination of sets that are not there, K51x a condition that cannot be read.
    """
    items = load_items(folder.parent / "items", [o.parent / "items" for o in overlays])
    nodes = read_folder(folder, overlays)
    names = {name: str(title.value) for name, node in nodes.items() if (title := node.get("名称")) is not None}
    found = {name: _understood(build(CriteriaText, node), node, items, names) for name, node in nodes.items()}
    for name, criteria in found.items():
        _check_parts(criteria.combines, {n for n, c in found.items() if not c.combines}, nodes[name])
    for version, node in _other_versions([folder, *overlays], items, names):
        main = found.get(version.id)
        if main is None:
            what = f"版「{version.version}」のもとの判定基準「{version.id}」がありません。"
            raise DefinitionError("K508", what, node.where(), "もとの判定基準を、上のフォルダに置いてください。")
        found[version.id] = replace(main, others=(*main.others, version))
    for name, criteria in found.items():
        _check_versions(criteria, nodes[name])
    return found


def read_set(
    node: Node, items: Mapping[str, ItemDefinition], sets: Mapping[str, CriteriaSet], *, examples: bool = True
) -> CriteriaSet:
    """One set not yet among the files, as `load` would understand it beside the given items and sets.

    Raises DefinitionError as `load`; with `examples` False, examples that do not hold are left to `failed_examples`.
    """
    names = {name: c.name for name, c in sets.items() if not c.combines}
    return _understood(build(CriteriaText, node), node, items, names, examples=examples)


def part_terms(criteria: str, name: str) -> tuple[Term, Term]:
    """What a combination may ask of a part: whether it holds (名称), and its points (名称の点)."""
    return (
        Term(f"{criteria}__holds", name, Kind.TRUTH),
        Term(f"{criteria}__score", f"{name}の点", Kind.NUMBER, "点"),
    )


def _check_parts(parts: Sequence[str], known: Collection[str], node: Node) -> None:
    strange = [p for p in parts if p not in known]
    if strange:
        what = f"組合せの「{strange[0]}」という判定基準はありません（組合せどうしは重ねられません）。"
        raise DefinitionError("K508", what, node.where(), "項目を持つ判定基準のIDを書いてください。")


def _other_versions(
    layers: Sequence[Path], items: Mapping[str, ItemDefinition], names: Mapping[str, str]
) -> list[tuple[CriteriaSet, Node]]:
    """Versions to come or gone, each a whole file; the same version in a later layer replaces it."""
    found: dict[tuple[str, str], tuple[CriteriaSet, Node]] = {}
    for layer in layers:
        for path in sorted((layer / VERSIONS).glob("*.yaml")):
            node = read_yaml(path)
            criteria = _understood(build(CriteriaText, node), node, items, names)
            found[criteria.id, criteria.version] = (criteria, node)
    return list(found.values())


def _check_versions(criteria: CriteriaSet, node: Node) -> None:
    named = [c.version for c in criteria.versions]
    twice = next((v for v in named if named.count(v) > 1), None)
    if twice is not None:
        what = f"「{criteria.name}」の版 {twice} が二つあります。"
        raise DefinitionError("K507", what, node.where(), "版の名を、それぞれ別にしてください。")
    in_turn = [c for c in criteria.versions if not c.text.trial]
    for earlier, later in pairwise(in_turn):
        if earlier.valid_to is None or earlier.valid_to > later.valid_from:
            what = f"「{criteria.name}」の版 {earlier.version} と {later.version} の適用期間が重なっています。"
            raise DefinitionError("K507", what, node.where(), "前の版の終了日を、次の版の施行日にしてください。")


def failed_examples(criteria: CriteriaSet) -> list[str]:
    """Names of the examples whose expectation does not hold."""
    return [e.name for e in criteria.examples if not _holds(criteria, e)]


def _holds(criteria: CriteriaSet, example: Example) -> bool:
    score = criteria.score(example.facts)
    return score.verdict == example.expected and (example.points is None or score.points == example.points)


def _understood(
    text: CriteriaText, node: Node, items: Mapping[str, ItemDefinition], names: Mapping[str, str], *, examples: bool = True
) -> CriteriaSet:
    of_items = ItemWords(items)
    _check_parts(text.combines, names, node)
    parts = {t.title: t for p in text.combines for t in part_terms(p, names.get(p, p))}
    words = Vocabulary(parts if text.combines else of_items)
    withheld = () if text.combines else tuple(i.title for i in items.values() if not i.judged)
    entry_nodes = node.get("項目")
    lines = entry_nodes.value if entry_nodes is not None and isinstance(entry_nodes.value, list) else []
    entries = tuple(_entry(e, place, words, withheld) for e, place in zip(text.entries, lines, strict=True))
    criteria = CriteriaSet(
        id=text.id,
        name=text.name,
        version=text.version,
        valid_from=text.valid_from,
        valid_to=text.valid_to,
        ages=text.ages,
        threshold=text.threshold,
        order=text.order,
        entries=entries,
        examples=tuple(_example(e, node, words) for e in text.examples),
        text=text,
        derived=tuple(of_items.derived.values()),
    )
    failed = failed_examples(criteria) if examples else []
    if failed:
        raise DefinitionError(
            "K504", f"例のとおりになりません：{'、'.join(failed)}", node.where(), "例か、条件・点・閾値を直してください。"
        )
    return criteria


def _entry(text: EntryText, place: Node, words: Vocabulary, withheld: Sequence[str]) -> Entry:
    written = place.get("条件") or place
    banned = banned_input(text.condition) or banned_input("".join(_PLACE.findall(text.explanation)))
    if banned is not None:
        what = f"「{banned.word}」は判定に使えません：{banned.reason}"
        raise DefinitionError("K502", what, written.where(), "その入力によらない条件にしてください。")
    kept_back = next((title for title in withheld if title in text.condition), None)
    if kept_back is not None:
        what = f"「{kept_back}」は、判定に使わないと決めた項目です。"
        raise DefinitionError("K502", what, written.where(), "その入力によらない条件にしてください。")
    try:
        condition = parse(text.condition, words)
    except DefinitionError as e:
        raise DefinitionError(e.code, e.what, f"{written.where()}　{e.where}", e.fix) from e
    return Entry(text.id, text.name, condition, text.points, _template(text.explanation, words, place), text)


def _template(text: str, words: Vocabulary, place: Node) -> tuple[str | Term, ...]:
    """The explanation cut at `{項目名}`."""
    parts: list[str | Term] = []
    for n, piece in enumerate(_PLACE.split(text)):
        if n % 2 == 0:
            parts.append(piece)
        elif piece in words.terms:
            parts.append(words.terms[piece])
        else:
            where = (place.get("説明") or place).where()
            raise DefinitionError(
                "K503", f"説明の「{{{piece}}}」という項目はありません。", where, "項目の名称を { } で囲んでください。"
            )
    return tuple(p for p in parts if p != "")


def _example(text: ExampleText, node: Node, words: Vocabulary) -> Example:
    facts: dict[str, Value] = {}
    for term in words.terms.values():
        rest: Value = False if term.kind is Kind.TRUTH else 0.0
        facts[term.id] = None if text.others == "不明" else rest
    for title, written in text.situation.items():
        term_ = words.terms.get(title)
        value = None if term_ is None else value_of(written, term_)
        if term_ is None or value == written:
            raise DefinitionError(
                "K504", f"例「{text.name}」の「{title}」を読めません。", node.where(), "項目名と値を確かめてください。"
            )
        facts[term_.id] = value
    return Example(text.name, facts, text.expected, text.points)


def value_of(written: str, term: Term) -> Value:
    """A value as written in an example: はい, 12, 不明, 対象外, 3以上; the text itself if it cannot be read."""
    if written in ("不明", ""):
        return None
    if written == "対象外":
        return NotApplicable()
    if term.kind is Kind.TRUTH:
        return {"はい": True, "いいえ": False}.get(written, written)
    if term.kind is Kind.TEXT:
        return written
    number = written.removesuffix("以上").replace(",", "").removesuffix(term.unit)
    try:
        value = float(number)
    except ValueError:
        return written
    return AtLeast(value) if written.endswith("以上") else value
