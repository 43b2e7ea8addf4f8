"""Programmes: who may use what, as conditions over a closed vocabulary and dated tables of amounts, each with its source.

A table without a row for the day gives nothing: last year's figure is never used, the answer becomes 不明（パラメータ未更新）.
The figures of a year may stand in the programme's file or in one file of `parameters/` for all programmes together.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kizuki.definitions.expression import Condition, Term, Vocabulary, parse
from kizuki.definitions.expression.nodes import Lookup, walk
from kizuki.definitions.programmes.facts import CHILD, terms, vocabulary
from kizuki.definitions.programmes.text import AmountCase, ParameterTable, ProgrammeText, RuleText
from kizuki.definitions.yaml import Node, build, read_folder
from kizuki.terms.errors import DefinitionError

EXPIRED = "パラメータ未更新"
PARAMETERS = "parameters"
SUBJECT, AMOUNT = "subject", "amount"
"""Conditions every programme has without writing them: the one asked about is a child; the amount's figures are entered."""
_EARLIEST = dt.date(1900, 1, 1)
_IS_CHILD = RuleText.model_validate(
    {
        "ID": SUBJECT,
        "名称": "こどもである",
        "式": f"役割 ＝「{CHILD}」",
        "説明": "",
        "根拠": "制度の単位",
        "確認すること": "続柄と養育の状況を確かめる",
    }
)


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

    @property
    def notifiable(self) -> bool:
        """Whether a notice may be sent of it without anybody asking (案内のみ and 相談案内のみ: never)."""
        return self.text.guidance == "notice"

    @property
    def consultation_only(self) -> bool:
        """Whether only the office can say 該当: the system then answers 不明 or 非該当."""
        return self.text.guidance == "consultation"

    def in_force(self, day: dt.date) -> bool:
        """Whether the programme exists on `day`."""
        return self.text.validity.start <= day and (self.text.validity.end is None or day <= self.text.validity.end)

    def rules(self, day: dt.date) -> tuple[Rule, ...]:
        """The conditions with the tables of that day; a child's programme asks first whether it is one."""
        words = vocabulary(self.of_child, [t.on(day) for t in self.text.tables])
        texts = (_IS_CHILD, *self.text.rules) if self.of_child else self.text.rules
        return tuple(_rule(text, words) for text in texts)

    def counted(self) -> Condition | None:
        """The members an amount is paid for."""
        amount = self.text.amount
        return parse(amount.counted, Vocabulary(terms())) if amount and amount.counted else None

    def cases(self) -> tuple[tuple[Condition, Term | None, AmountCase], ...]:
        """The branches of an amount, each with the fact its table is read at."""
        words = vocabulary(self.of_child, ())
        found = self.text.amount.cases if self.text.amount else ()
        return tuple((parse(c.condition, words), words.terms[c.key] if c.key else None, c) for c in found)

    def table(self, name: str) -> ParameterTable:
        """One table by name."""
        return next(t for t in self.text.tables if t.name == name)

    def amount_expired(self, day: dt.date) -> tuple[str, ...]:
        """The tables of the amount without figures on `day`."""
        names = self.text.amount.table_names() if self.text.amount else ()
        return tuple(n for n in names if self.table(n).row(day) is None)


def _rule(text: RuleText, words: Vocabulary) -> Rule:
    condition = parse(text.condition, words)
    gone = (n.table.name for n in walk(condition) if isinstance(n, Lookup) and n.table.expired)
    return Rule(text.id, condition, tuple(dict.fromkeys(gone)), text)


@dataclass(frozen=True, slots=True)
class Lapse:
    """A table of a programme without usable figures on a day, or soon without; `last_day` is None if it never had any."""

    programme: str
    table: str
    last_day: dt.date | None

    def text(self) -> str:
        """One line for doctor and the run summary."""
        until = f"{self.last_day.isoformat()} まで" if self.last_day else "一度も入力されていません"
        return f"{self.programme}「{self.table}」（{until}）"


def lapses(programmes: Mapping[str, Programme], day: dt.date) -> list[Lapse]:
    """Every table of a programme in force that gives 不明（パラメータ未更新） on `day`."""
    return list(_lapses(programmes, day))


def _lapses(programmes: Mapping[str, Programme], day: dt.date) -> Iterator[Lapse]:
    for _, programme in sorted(programmes.items()):
        for table in programme.text.tables if programme.in_force(day) else ():
            if table.row(day) is None:
                past = [r.last_day for r in table.rows if r.last_day < day]
                yield Lapse(programme.name, table.name, max(past, default=None))


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, Programme]:
    """All programmes by id; raises DefinitionError K804 (form) or K51x (a condition that cannot be read).

    Examples are run by `programmes.judging.failed_examples`: in `programme list` and the tests.
    """
    nodes = read_folder(folder, overlays)
    for layer in (folder, *overlays):
        for _, page in sorted(read_folder(layer / PARAMETERS).items()):
            _enter(page, nodes)
    return {name: _understood(build(ProgrammeText, node), node) for name, node in nodes.items()}


def _enter(page: Node, programmes: Mapping[str, Node]) -> None:
    """The rows of one parameter file, put into the tables they belong to."""
    listed = page.get("表")
    for entry in listed.value if listed is not None and isinstance(listed.value, list) else ():
        target = programmes.get(_text(entry, "制度"))
        written = target.get("表") if target is not None else None
        tables = written.value if written is not None and isinstance(written.value, list) else []
        table = next((t for t in tables if isinstance(t, Node) and _text(t, "名") == _text(entry, "名")), None)
        rows = entry.get("行") if isinstance(entry, Node) else None
        if table is None or rows is None or not isinstance(rows.value, list) or not isinstance(table.value, dict):
            place = entry.where() if isinstance(entry, Node) else page.where()
            fix = "「制度」に制度ID、「名」にその制度の表の名、「行」に値を書いてください。"
            raise DefinitionError("K804", "どの制度の表に入れる値か分かりません。", place, fix)
        old = table.get("行")
        before = old.value if old is not None and isinstance(old.value, list) else []
        table.value["行"] = Node([*before, *rows.value], rows.path, rows.line)


def _text(node: object, key: str) -> str:
    found = node.get(key) if isinstance(node, Node) else None
    return found.value if found is not None and isinstance(found.value, str) else ""


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
    programme = Programme(text.id, text.name, text)
    try:
        programme.counted()
        programme.cases()
    except (DefinitionError, KeyError) as e:
        place = node.get("金額") or node
        what = e.what if isinstance(e, DefinitionError) else "金額の「項目」は語彙にありません。"
        raise DefinitionError("K804", what, place.where(), "語彙にある項目で書いてください。") from e
    return programme
