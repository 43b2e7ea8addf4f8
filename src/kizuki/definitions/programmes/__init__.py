"""Programmes: who may use what, as conditions over a closed vocabulary and dated tables of amounts, each with its source.

A table without a row for the day gives nothing: last year's figure is never used, the answer becomes 不明（パラメータ未更新）.
The figures of a year may stand in the programme's file or in one file of `parameters/` for all programmes together. A change
approved on a screen is a whole new text in `versions/`, in force from its 施行日; until then the text before answers.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kizuki.definitions.expression import Condition, Term, Vocabulary, parse
from kizuki.definitions.expression.nodes import Lookup, walk
from kizuki.definitions.programmes.facts import CHILD, terms, vocabulary
from kizuki.definitions.programmes.text import AmountCase, ParameterTable, ProgrammeText, RuleText
from kizuki.definitions.yaml import Node, build, read_folder, read_yaml
from kizuki.terms.errors import DefinitionError

EXPIRED = "パラメータ未更新"
PARAMETERS, VERSIONS = "parameters", "versions"
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
    later: tuple["Programme", ...] = ()
    """The texts of `versions/`, by 施行日; each replaces the one before."""

    def on(self, day: dt.date) -> "Programme":
        """The text that answers on `day`: the newest whose 施行日 has come."""
        return next((v for v in reversed(self.later) if v.begins_on <= day), self)

    def as_written(self) -> "Programme":
        """This text alone and at once, as its examples and a trial ask it: without 施行日 and without what comes later."""
        return replace(self, text=self.text.model_copy(update={"effective_on": None}), later=())

    @property
    def versions(self) -> tuple["Programme", ...]:
        """Every text, the oldest first."""
        return (self, *self.later)

    @property
    def begins_on(self) -> dt.date:
        """From when this text answers."""
        return self.text.effective_on or self.text.validity.start

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
        start = max(self.text.validity.start, self.text.effective_on or _EARLIEST)
        return start <= day and (self.text.validity.end is None or day <= self.text.validity.end)

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


def in_force(programmes: Mapping[str, Programme], day: dt.date) -> list[Programme]:
    """The texts that answer on `day`, by id."""
    texts = (main.on(day) for _, main in sorted(programmes.items()))
    return [text for text in texts if text.in_force(day)]


def lapses(programmes: Mapping[str, Programme], day: dt.date) -> list[Lapse]:
    """Every table of a programme in force that gives 不明（パラメータ未更新） on `day`."""
    return list(_lapses(programmes, day))


def _lapses(programmes: Mapping[str, Programme], day: dt.date) -> Iterator[Lapse]:
    for programme in in_force(programmes, day):
        for table in programme.text.tables:
            if table.row(day) is None:
                past = [r.last_day for r in table.rows if r.last_day < day]
                yield Lapse(programme.name, table.name, max(past, default=None))


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, Programme]:
    """All programmes by id; raises DefinitionError K804 (form) or K51x (a condition that cannot be read).

    Examples are run by `programmes.judging.failed_examples`: in `programme list` and the tests.
    """
    nodes = read_folder(folder, overlays)
    later = _versions((folder, *overlays), nodes)
    for layer in (folder, *overlays):
        for _, page in sorted(read_folder(layer / PARAMETERS).items()):
            _enter(page, nodes, later)
    texts = {name: understood(node) for name, node in nodes.items()}
    made = {name: sorted((understood(n) for n in later.get(name, ())), key=lambda v: v.begins_on) for name in texts}
    return {name: replace(text, later=tuple(made[name])) for name, text in texts.items()}


def _versions(layers: Sequence[Path], programmes: Mapping[str, Node]) -> dict[str, list[Node]]:
    """The files of `versions/` by programme; each needs a 施行日 of its own and a programme to be a version of."""
    found: dict[str, list[Node]] = {}
    days: dict[tuple[str, str], str] = {}
    for path in (p for layer in layers for p in sorted((layer / VERSIONS).glob("*.yaml"))):
        node = read_yaml(path)
        name, day = _text(node, "ID"), _text(node, "施行日")
        if name not in programmes or not day or (name, day) in days:
            what = f"制度「{name}」の版として読めません（もとの制度が無いか、施行日が無いか、同じ施行日の版があります）。"
            raise DefinitionError("K804", what, node.where(), "「ID」と「施行日」を確かめてください。")
        days[name, day] = path.name
        found.setdefault(name, []).append(node)
    return found


def _enter(page: Node, programmes: Mapping[str, Node], later: Mapping[str, Sequence[Node]]) -> None:
    """The rows of one parameter file, put into the tables they belong to, in every text of the programme that has the table."""
    listed = page.get("表")
    for entry in listed.value if listed is not None and isinstance(listed.value, list) else ():
        name = _text(entry, "制度")
        texts = [*([programmes[name]] if name in programmes else []), *later.get(name, ())]
        tables = [t for text in texts for t in _tables(text) if _text(t, "名") == _text(entry, "名")]
        own = {id(t) for text in later.get(name, ()) for t in _tables(text)}
        rows = entry.get("行") if isinstance(entry, Node) else None
        if not tables or rows is None or not isinstance(rows.value, list):
            place = entry.where() if isinstance(entry, Node) else page.where()
            fix = "「制度」に制度ID、「名」にその制度の表の名、「行」に値を書いてください。"
            raise DefinitionError("K804", "どの制度の表に入れる値か分かりません。", place, fix)
        for table in tables:
            _add_rows(table, rows, keeps_own=id(table) in own)


def _tables(text: Node) -> list[Node]:
    written = text.get("表")
    tables = written.value if written is not None and isinstance(written.value, list) else []
    return [t for t in tables if isinstance(t, Node) and isinstance(t.value, dict)]


def _add_rows(table: Node, rows: Node, *, keeps_own: bool) -> None:
    """The rows, except (in a text of `versions/`, copied from what was in force) those whose first day the table has itself."""
    assert isinstance(table.value, dict) and isinstance(rows.value, list)
    old = table.get("行")
    before = old.value if old is not None and isinstance(old.value, list) else []
    held = {_text(row, "適用開始") for row in before} if keeps_own else set()
    added = [row for row in rows.value if _text(row, "適用開始") not in held]
    table.value["行"] = Node([*before, *added], rows.path, rows.line)


def _text(node: object, key: str) -> str:
    found = node.get(key) if isinstance(node, Node) else None
    return found.value if found is not None and isinstance(found.value, str) else ""


def understood(node: Node) -> Programme:
    """One text checked and typed; raises DefinitionError K804 (form) or K51x (a condition that cannot be read)."""
    text = build(ProgrammeText, node)
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
