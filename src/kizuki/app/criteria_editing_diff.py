"""Two versions of a criteria set side by side in words: what was added, taken out, changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from kizuki.definitions.criteria import CriteriaSet, CriteriaText, EntryText, ExampleText

ADDED, GONE, CHANGED = "加わる", "なくなる", "変わる"
_BASES = {"years": "満年齢", "fy_end": "年度末の年齢"}
ORDER_WORDS = {"younger": "年齢の低い順", "older": "年齢の高い順", "random": "無作為の順"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what it is about, how (加わる, なくなる, 変わる), and both sides in words (empty where there is none)."""

    about: str
    how: str
    before: str
    after: str


def differences(old: CriteriaSet | None, new: CriteriaSet) -> tuple[Difference, ...]:
    """What changes from `old` to `new`, in the order of the form; without `old` everything is added."""
    return (*_heads(old.text if old else None, new.text), *_entries(old, new), *_examples(old, new))


def _heads(old: CriteriaText | None, new: CriteriaText) -> Iterator[Difference]:
    before = dict(_head(old)) if old else {}
    after = dict(_head(new))
    for about in dict.fromkeys([*before, *after]):
        yield from _one(about, before.get(about, ""), after.get(about, ""))


def _head(text: CriteriaText) -> Iterator[tuple[str, str]]:
    yield "名称", text.name
    yield "位置づけ", text.standing
    yield "対象", f"{_BASES[text.ages.basis]} {text.ages.low}〜{text.ages.high}歳"
    yield "閾値", f"{text.threshold}点"
    yield "同点の順", "、".join(ORDER_WORDS[o] for o in text.order)
    yield "試行", "はい（一覧に載せない）" if text.trial else "いいえ"
    yield "組合せ", "、".join(text.combines)
    yield "データでは分からないこと", "、".join(text.unknowable)
    yield "検証で数える出来事", text.past_case
    for family, cap in text.caps.items():
        yield f"まとまり「{family}」の上限", f"{cap}点"


def _entries(old: CriteriaSet | None, new: CriteriaSet) -> Iterator[Difference]:
    before = {e.id: e for e in old.text.entries} if old else {}
    after = {e.id: e for e in new.text.entries}
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        shown = other or one
        assert shown is not None
        if one is None or other is None:
            yield from _one(f"項目「{shown.name}」", _whole(one), _whole(other))
            continue
        told = dict(_entry(other))
        for part, words in _entry(one):
            yield from _one(f"項目「{shown.name}」の{part}", words, told[part])


def _whole(entry: EntryText | None) -> str:
    return f"{entry.condition} → {entry.points:+d}点" if entry is not None else ""


def _entry(entry: EntryText) -> Iterator[tuple[str, str]]:
    yield "名称", entry.name
    yield "条件", entry.condition
    yield "点", f"{entry.points:+d}点"
    yield "説明", entry.explanation
    yield "根拠", entry.ground
    yield "所管", entry.owner
    yield "まとまり", entry.family
    yield "受領していないとき", "外す" if entry.needs_feed else "不明とする"


def _examples(old: CriteriaSet | None, new: CriteriaSet) -> Iterator[Difference]:
    before = {e.name: e for e in old.text.examples} if old else {}
    after = {e.name: e for e in new.text.examples}
    renamed = _renamed([e for n, e in before.items() if n not in after], [e for n, e in after.items() if n not in before])
    for name in dict.fromkeys([*before, *after]):
        if name in renamed:
            continue  # told where its new name stands
        one, other = before.get(name), after.get(name)
        earlier = next((e for e in before.values() if renamed.get(e.name) == name), None)
        said = f"「{earlier.name}」{_example(earlier)}" if earlier else _example(one) if one else ""
        yield from _one(f"例「{name}」", said, _example(other) if other else "")


def _renamed(gone: list[ExampleText], added: list[ExampleText]) -> dict[str, str]:
    """Old name → new name of examples about the same child: one row for the reader, not one that goes and one that comes."""
    found: dict[str, str] = {}
    for example in gone:
        same = (e for e in added if (e.situation, e.others) == (example.situation, example.others))
        name = next((e.name for e in same if e.name not in found.values()), None)
        if name is not None:
            found[example.name] = name
    return found


def _example(example: ExampleText) -> str:
    told = "、".join(f"{title} {value}" for title, value in example.situation.items())
    points = "" if example.points is None else f"（{example.points}点）"
    return f"{told or '状況なし'}（ほかは{example.others}）→ {example.expected.value}{points}"


def _one(about: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(about, ADDED if not before else GONE if not after else CHANGED, before, after)
