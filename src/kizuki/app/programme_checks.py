"""What is wrong with the draft of a programme, told beside the field it is about; the loader itself is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kizuki.app.criteria_editing_checks import ExampleResult, Finding, by_field, findings_of
from kizuki.app.criteria_editing_form import DRAFT_PATH
from kizuki.app.programme_form import THE_OFFICE, field_lines
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme, understood
from kizuki.definitions.programmes.facts import BY_ID
from kizuki.definitions.programmes.households import read_household
from kizuki.definitions.programmes.text import ExampleText
from kizuki.definitions.yaml import read_text
from kizuki.programmes.judging import Answer, example_answer, example_holds
from kizuki.terms.errors import DefinitionError, InputRefused

FEWEST_EXAMPLES: Final = 8
_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class CheckedProgramme:
    """A draft as the loader understands it; `programme` is None while it cannot be read at all."""

    programme: Programme | None
    findings: tuple[Finding, ...]
    examples: tuple[ExampleResult, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether approval may be asked for."""
        return self.programme is not None and not self.findings

    def by_field(self) -> Mapping[str, str]:
        """The findings of each field in one sentence."""
        return by_field(self.findings)


def check(text: str, definitions: Definitions, *, new: bool) -> CheckedProgramme:
    """Everything the loader refuses in a draft, and its examples with their answers; `new` = the city has no such ID yet."""
    if len(text) > _LIMIT:
        fix = f"{_LIMIT:,}字までにしてください。"
        return CheckedProgramme(None, (Finding("", 0, "本文が長すぎます。", fix, "K581"),))
    try:
        node = read_text(text, DRAFT_PATH)
    except DefinitionError as e:
        return CheckedProgramme(None, tuple(findings_of(e, {})))
    places = field_lines(node)
    try:
        programme = understood(node)
    except DefinitionError as e:
        return CheckedProgramme(None, tuple(findings_of(e, places)))
    except RecursionError:
        fix = "条件をいくつかの行に分けてください。"
        return CheckedProgramme(None, (Finding("", 0, "条件のかっこが深すぎます。", fix, "K581"),))
    lines = {name: line for line, name in places.items()}
    results, failed = [], []
    for number in range(len(programme.text.examples)):
        result, finding = _tried(programme, number, lines)
        results.append(result)
        failed += [finding] if finding is not None else []
    findings = (*_names(programme, definitions, new=new), *_enough(programme), *failed)
    return CheckedProgramme(programme, findings, tuple(results))


def _tried(programme: Programme, number: int, lines: Mapping[str, int]) -> tuple[ExampleResult, Finding | None]:
    """One example with the answer it gets, and what is wrong with it."""
    example, wanted = programme.text.examples[number], _wanted(programme.text.examples[number])
    place = f"example-{number}-household"
    try:
        answer = example_answer(programme, number)
        hints = read_household(example.household, example.day).hints
    except InputRefused as e:
        told = ExampleResult(example.name, wanted, "読めません", holds=False)
        what = f"例「{example.name}」の世帯を読めません：{e.what}"
        return told, Finding(place, lines.get(place, 0), what, e.fix, e.code)
    said = _said(answer) if answer is not None else "答えが一つに決まりません（「対象」でこどもを指してください）"
    told = ExampleResult(example.name, wanted, said, holds=example_holds(programme, number) and not hints)
    if hints:
        what = f"例「{example.name}」：{'　'.join(hints)}"
        return told, Finding(place, lines.get(place, 0), what, "条件に書ける項目の一覧にある名前で書いてください。", "K605")
    if told.holds:
        return told, None
    place = f"example-{number}-expected"
    what = f"例「{example.name}」は、{wanted}のはずが{said}になります。"
    return told, Finding(place, lines.get(place, 0), what, "例か、条件・表を直してください。", "K504")


def _wanted(example: ExampleText) -> str:
    return _words(example.expected.value, example.amount_yen, example.asks)


def _said(answer: Answer) -> str:
    asks = [str(u["fact"]) for u in answer.unknown]
    return _words(answer.verdict.value, answer.amount_yen, [BY_ID[a].term.title if a in BY_ID else a for a in asks] or None)


def _words(verdict: str, amount_yen: int | None, asks: "tuple[str, ...] | list[str] | None") -> str:
    amount = "" if amount_yen is None else f"（{amount_yen:,}円）"
    asked = "・".join(dict.fromkeys(a or THE_OFFICE for a in asks)) if asks else ""
    return f"{verdict}{amount}{f'（{asked}）' if asked else ''}"


def _enough(programme: Programme) -> Iterator[Finding]:
    count = len(programme.text.examples)
    if count < FEWEST_EXAMPLES:
        what = f"例が{FEWEST_EXAMPLES}つ要ります（いま{count}）。"
        fix = "境目（ちょうど・1足りない）と、分からない場合（期待：不明）を入れてください。"
        yield Finding(f"example-{count}-name", 0, what, fix, "K606")


def _names(programme: Programme, definitions: Definitions, *, new: bool) -> Iterator[Finding]:
    """What only matters once the draft becomes a file of this city."""
    known = definitions.programmes.get(programme.id)
    if known is not None and new:
        what = f"ID「{programme.id}」は「{known.name}」が使っています。"
        yield Finding("id", 0, what, "別のIDにするか、その制度の画面から案を作ってください。", "K581")
    if known is None and not new:
        yield Finding("id", 0, "もとの制度とIDが違います。", "IDはもとのままにしてください。", "K581")
    same = next((p for p in definitions.programmes.values() if p.id != programme.id and p.name == programme.name), None)
    if same is not None:
        what = f"名称「{programme.name}」は、別の制度（{same.id}）が使っています。"
        yield Finding("name", 0, what, "別の名称にしてください。", "K581")
    receipt = programme.text.receipt
    if receipt is not None and receipt.source not in definitions.sources:
        what = f"受給の元データ「{receipt.source}」は、受け取っていないデータです。"
        yield Finding(
            "receipt_source", 0, what, "一覧から選ぶか、空にしてください（受けているかは分からない、となります）。", "K581"
        )
