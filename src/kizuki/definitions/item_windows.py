"""期間集計 and 変化: items a condition may name without anyone having defined them one by one.

An item that gives itself a word (期間集計: 相談件数) can be asked for any period, and for its change:

    過去2年の相談件数 ≥ 2件
    過去3か月の欠席日数の前年からの変化 ≥ 5日      the same months a year earlier
    過去6か月の欠席日数の前回からの変化 ≥ 5日      the six months before those

Each becomes an ordinary item, so that blanks, windows and evidence follow the rules of every other item.
"""

import re
from collections.abc import Iterator, Mapping

from kizuki.definitions.expression import Term
from kizuki.definitions.items import Ages, Difference, ItemDefinition

_WINDOW = re.compile(r"(?:過去|直近)(?P<length>[1-9]\d?)(?P<unit>年|か月)の(?P<word>.+?)(?:の(?P<since>前年|前回)からの変化)?")
_YEAR = 12
_DERIVED = "__"
"""In the id of every item derived here, and of no item of a file."""
MAX_MONTHS = 120
"""Longer windows than retention allows would never be covered."""


class ItemWords(Mapping[str, Term]):
    """The titles a condition may use: defined items, and windows derived on first use (see `derived`)."""

    def __init__(self, items: Mapping[str, ItemDefinition]) -> None:
        self._items = items
        self._terms = {i.title: i.term() for i in items.values() if i.judged}
        self._roots = {i.window_word: i for i in items.values() if i.window_word and i.judged}
        self.derived: dict[str, ItemDefinition] = {}

    def __getitem__(self, title: str) -> Term:
        if title not in self._terms:
            item = self._derive(title)
            if item is None:
                raise KeyError(title)
            self._terms[title] = item.term()
        return self._terms[title]

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def _derive(self, title: str) -> ItemDefinition | None:
        match = _WINDOW.fullmatch(title)
        root = self._roots.get(match["word"]) if match else None
        if match is None or root is None:
            return None
        months = int(match["length"]) * (_YEAR if match["unit"] == "年" else 1)
        if months > MAX_MONTHS:
            return None
        now = self._window(root, months, 0)
        if match["since"] is None:
            return now
        return self._change(root, now, months, _YEAR if match["since"] == "前年" else months)

    def _window(self, root: ItemDefinition, months: int, shift: int) -> ItemDefinition:
        """The root's records over `months`, ending `shift` months ago; a defined item that is the same is used as it is."""
        for item in (*self._items.values(), *self.derived.values()):
            same = (item.record, item.reduce, item.months, item.shift_months) == (root.record, root.reduce, months, shift)
            if same and item.ages == _ages(root, shift):
                return item
        period = f"過去{months}か月の{root.window_word}"
        name = f"{root.id}__{months}m"
        update = {
            "id": f"{name}__{shift}m_ago" if shift else name,
            "title": f"{shift}か月前までの{period}" if shift else period,
            "months": months,
            "shift_months": shift,
            "ages": _ages(root, shift),
            "meaning": f"{root.window_word}（{shift}か月前までの{months}か月間）"
            if shift
            else f"{root.window_word}（{months}か月間）",
        }
        return self._keep(root.model_copy(update=update))

    def _change(self, root: ItemDefinition, now: ItemDefinition, months: int, shift: int) -> ItemDefinition:
        before = self._window(root, months, shift)
        for item in self._items.values():
            if item.difference == Difference(now=now.id, before=before.id):
                return item
        update = {
            "id": f"{root.id}__{months}m__change_{shift}m",
            "title": f"過去{months}か月の{root.window_word}の{'前年' if shift == _YEAR else '前回'}からの変化",
            "record": None,
            "difference": Difference(now=now.id, before=before.id),
            "reduce": "latest",
            "silence": "unknown",
            "ages": _ages(root, shift),
            "meaning": f"{now.meaning}から{before.meaning}を引いたもの",
        }
        return self._keep(root.model_copy(update=update))

    def _keep(self, item: ItemDefinition) -> ItemDefinition:
        plain = item.model_copy(update={"window_word": ""})
        return self.derived.setdefault(plain.id, plain)


def sayable(items: Mapping[str, ItemDefinition]) -> frozenset[str]:
    """Ids of the items a condition can name: those of the files, and derived ones whose title says the whole period.

    A window that ended months ago exists only as one side of a change; nobody can ask for it.
    """
    words = ItemWords({name: item for name, item in items.items() if _DERIVED not in name})
    return frozenset(name for name, item in items.items() if item.judged and words.get(item.title) is not None)


def _ages(root: ItemDefinition, shift: int) -> Ages:
    """Where counting starts with a school year, nobody can have earlier figures in the first one: 対象外, not unknown."""
    if not shift or root.ages.low == 0:
        return root.ages
    return root.ages.model_copy(update={"low": root.ages.low + -(-shift // _YEAR)})
