"""What is wrong with a draft, told beside the field it is about; the loader itself is asked, so nothing is judged twice."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kizuki.app.criteria_editing_form import DRAFT_PATH, field_lines
from kizuki.definitions.criteria import CriteriaSet, failed_examples, read_set
from kizuki.definitions.loader import Definitions
from kizuki.definitions.yaml import Node, read_text
from kizuki.terms.errors import DefinitionError

VERSION_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,19}")
"""Also the name of a file, so nothing that means something to a file system."""
_PLACE: Final = re.compile(rf"{re.escape(str(DRAFT_PATH))}:(\d+)\s*(.*)")
_LIMIT: Final = 40_000
_SIGNATURES: Final = {"施行日": "2999-01-01", "作成者": "（承認のときに入ります）", "承認者": "（承認のときに入ります）"}
"""Stand in for what approval writes, so that a draft without them can be read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right: the field of the form (empty = the whole), the line of the YAML (0 = none), what and how."""

    field: str
    line: int
    what: str
    fix: str
    code: str


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One example and whether the draft answers it as expected; `said` is the answer the draft gives."""

    name: str
    expected: str
    said: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft as the loader understands it; `criteria` is None while it cannot be read at all."""

    criteria: CriteriaSet | None
    findings: tuple[Finding, ...]
    examples: tuple[ExampleResult, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether approval may be asked for."""
        return self.criteria is not None and not self.findings

    def by_field(self) -> Mapping[str, str]:
        """The findings of each field in one sentence."""
        return by_field(self.findings)


def by_field(findings: Iterable[Finding]) -> dict[str, str]:
    """The findings of each field in one sentence."""
    told: dict[str, str] = {}
    for finding in findings:
        told[finding.field] = f"{told[finding.field]}　{finding.what}" if finding.field in told else finding.what
    return told


def check(text: str, definitions: Definitions, base_version: str = "") -> Checked:
    """Everything the loader refuses in a draft, and the examples with the answers they get."""
    if len(text) > _LIMIT:
        what = "本文が長すぎます。"
        return Checked(None, (Finding("", 0, what, f"{_LIMIT:,}字までにしてください。", "K581"),))
    try:
        node = _signed(read_text(text, DRAFT_PATH))
    except DefinitionError as e:
        return Checked(None, tuple(findings_of(e, {})))
    places = field_lines(node)
    try:
        criteria = read_set(node, definitions.items, definitions.criteria, examples=False)
    except DefinitionError as e:
        return Checked(None, tuple(findings_of(e, places)))
    except RecursionError:
        what = "条件のかっこが深すぎます。"
        return Checked(None, (Finding("", 0, what, "条件をいくつかの項目に分けてください。", "K581"),))
    examples = tuple(_answers(criteria))
    lines = {name: line for line, name in places.items()}
    failed = [_example_finding(n, e, lines) for n, e in enumerate(examples) if not e.holds]
    return Checked(criteria, (*_names(criteria, definitions, base_version), *failed), examples)


def _signed(node: Node) -> Node:
    """The draft with stand-ins for what approval writes."""
    if isinstance(node.value, dict):
        for key, value in _SIGNATURES.items():
            node.value.setdefault(key, Node(value, node.path, node.line))
    return node


def findings_of(error: DefinitionError, places: Mapping[int, str]) -> Iterator[Finding]:
    """One finding per place the error names."""
    found = False
    for line in error.where.splitlines():
        match = _PLACE.search(line)
        if match is not None:
            found = True
            number, said = int(match[1]), match[2].strip("\u3000 ")
            what = f"{error.what}{said}" if said and error.code != "K804" else said or error.what
            yield Finding(places.get(number, ""), number, what, error.fix, error.code)
    if not found:
        yield Finding("", 0, error.what, error.fix, error.code)


def _answers(criteria: CriteriaSet) -> Iterator[ExampleResult]:
    failed = set(failed_examples(criteria))
    for example in criteria.examples:
        score = criteria.score(example.facts)
        wanted = example.expected.value + ("" if example.points is None else f"（{example.points}点）")
        yield ExampleResult(example.name, wanted, f"{score.verdict.value}（{score.points}点）", example.name not in failed)


def _example_finding(number: int, example: ExampleResult, lines: Mapping[str, int]) -> Finding:
    what = f"例「{example.name}」は、{example.expected}のはずが{example.said}になります。"
    place = f"example-{number}-expected"
    return Finding(place, lines.get(place, 0), what, "例か、条件・点・閾値を直してください。", "K504")


def _names(criteria: CriteriaSet, definitions: Definitions, base_version: str) -> Iterator[Finding]:
    """What only matters once the draft becomes a file: its name must be free, its title its own."""
    if VERSION_NAME.fullmatch(criteria.version) is None:
        fix = "2027.1 のように、20字までの英数字と . - _ で書いてください。"
        yield Finding("version", 0, "版の名が、ファイルの名に使えません。", fix, "K581")
    known = definitions.criteria.get(criteria.id)
    if known is not None and criteria.version in {c.version for c in known.versions}:
        what = f"「{known.name}」には、版 {criteria.version} がもうあります。"
        yield Finding("version", 0, what, "別の版の名にしてください。", "K507")
    if known is not None and not base_version:
        what = f"ID「{criteria.id}」は「{known.name}」が使っています。"
        yield Finding("id", 0, what, "別のIDにするか、その基準の画面から新しい版を作ってください。", "K581")
    if known is None and base_version:
        what = "もとの判定基準とIDが違います。"
        yield Finding("id", 0, what, "IDはそのままにするか、新しい基準として作り直してください。", "K581")
    same = next((c for c in definitions.criteria.values() if c.id != criteria.id and c.name == criteria.name), None)
    if same is not None:
        what = f"名称「{criteria.name}」は、別の判定基準（{same.id}）が使っています。"
        yield Finding("name", 0, what, "別の名称にしてください。", "K581")
