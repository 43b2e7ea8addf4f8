"""The manual's pages of criteria and items, made from what is in force: points, why each counts, examples that run as tests."""

from collections.abc import Iterator

from kizuki.definitions.criteria import CriteriaSet, Entry, ExampleText
from kizuki.definitions.items import ItemDefinition
from kizuki.definitions.loader import Definitions
from kizuki.judge.selection import left_out

_BASES = {"years": "満年齢", "fy_end": "年度末の年齢"}


def criteria_page(definitions: Definitions) -> str:
    """Markdown: every set of criteria with its versions, points, protective factors, limits and examples."""
    parts = ["# 判定基準", ""]
    parts += [
        "いまの定義から作っています。配点は、地域の合意で置き換えるための初期値です。例は、読み込むたびに試験として動きます。"
    ]
    if definitions.profile is not None:
        parts += ["", f"プロファイル：{definitions.profile.name}（{definitions.profile.deployment_title}）"]
    for criteria in definitions.criteria.values():
        for version in criteria.versions:
            parts += ["", *_set(version, definitions)]
    return "\n".join(parts) + "\n"


def items_page(definitions: Definitions) -> str:
    """Markdown: every item a condition may name, what its value means, what silence means and whom to ask."""
    parts = [
        "# 項目",
        "",
        "条件に書ける項目です。「期間集計」の語がある項目は、`過去2年の〈語〉` のように、どの期間でも書けます。",
        "",
    ]
    parts += ["| 名称 | 型 | 意味 | 記録が無いとき | 期間集計 | 元データ | 聞き先 |", "|---|---|---|---|---|---|---|"]
    parts += [_item(item, definitions) for item in definitions.items.values()]
    return "\n".join(parts) + "\n"


def _set(criteria: CriteriaSet, definitions: Definitions) -> Iterator[str]:
    text = criteria.text
    until = f"{criteria.valid_to} の前日まで" if criteria.valid_to else "終わりの定めなし"
    low, high = criteria.ages.low, criteria.ages.high
    yield f"## {criteria.name}（`{criteria.id}` 版 {criteria.version}）"
    yield ""
    yield f"- 適用：{criteria.valid_from} から、{until}"
    yield f"- 作成：{_who(text.author, text.written_on)}　承認：{_who(text.approver, text.approved_on)}"
    yield f"- 位置づけ：{text.standing}"
    yield f"- 対象：{_BASES[criteria.ages.basis]} {low}〜{high}歳　閾値：{criteria.threshold}"
    if criteria.combines:
        names = "、".join(definitions.criteria[p].name for p in criteria.combines)
        yield f"- 組合せ：{names}（点は段の高さ。当てはまる段のうち最も高いもの）"
    for family, cap in text.caps.items():
        yield f"- まとまり「{family}」は、合わせて{cap}点まで"
    if text.unknowable:
        yield f"- データでは分からないこと：{'、'.join(text.unknowable)}"
    if text.past_case:
        yield f"- 検証で数える出来事：{text.past_case}"
    yield from _entries(criteria, definitions)
    yield from _examples(criteria)


def _who(name: str, day: object) -> str:
    return f"{name}（{day}）" if day else name


def _entries(criteria: CriteriaSet, definitions: Definitions) -> Iterator[str]:
    unused = {e.id for e in left_out(criteria, definitions)}
    yield ""
    yield "| 項目 | 条件 | 点 | 根拠 | 所管 |"
    yield "|---|---|---|---|---|"
    for e in criteria.entries:
        cells = (_name(e, e.id in unused), _cell(e.text.condition), f"{e.points:+d}", _cell(e.text.ground), e.text.owner)
        yield f"| {' | '.join(cells)} |"


def _name(entry: Entry, unused: bool) -> str:
    marks = [m for m, on in (("下げる要素", entry.text.protective), ("いまは使わない", unused)) if on]
    return f"{entry.name}（{'・'.join(marks)}）" if marks else entry.name


def _examples(criteria: CriteriaSet) -> Iterator[str]:
    yield ""
    yield "| 例 | こどもの状況 | 期待 |"
    yield "|---|---|---|"
    for example in criteria.text.examples:
        points = "" if example.points is None else f"（{example.points}点）"
        yield f"| {_cell(example.name)} | {_situation(example)} | {example.expected.value}{points} |"


def _situation(example: ExampleText) -> str:
    told = [f"{_cell(title)} {_cell(value)}" for title, value in example.situation.items()]
    return "、".join([*told, "ほかは不明" if example.others == "不明" else "ほかは無し"])


def _item(item: ItemDefinition, definitions: Definitions) -> str:
    silence = {"zero": "無し（0）", "unknown": "不明", "not_applicable": "対象外"}[item.silence]
    source = definitions.sources.get(item.source)
    kind = "はい・いいえ" if item.kind == "truth" else f"数（{item.unit}）"
    held = source.name if source is not None else item.source
    cells = (item.title, kind, _cell(item.meaning), silence, item.window_word or "—", held, _cell(item.ask))
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    """Text that cannot break the table it stands in."""
    return text.replace("|", "／").replace("\n", " ")
