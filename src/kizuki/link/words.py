"""Reviewers' words about pairs of records: which of them stand, what follows from them, which contradict each other (pure).

A word says of two records that they are one person (`same`), two people (`different`), or that nobody can say yet (`hold`).
About one pair the newest word counts; `withdrawn` takes the newest back, and the one before it counts again, to any depth.
Words reach further than their pair: A=B and B=C make A=C. Two residents become one person only by a word about the two
residents themselves, never because some record was given to both.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Ref = tuple[str, str]
"""A record: its source and its key there."""

SAME: Final = "same"
DIFFERENT: Final = "different"
HOLD: Final = "hold"
WITHDRAWN: Final = "withdrawn"
ANSWERS: Final = (SAME, DIFFERENT, HOLD, WITHDRAWN)
ANSWER_TITLES: Final = {SAME: "同一", DIFFERENT: "別人", HOLD: "保留", WITHDRAWN: "取り消し"}


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its number among the events, when and by whom it was said, about which two records, and why."""

    seq: int
    night: dt.date
    left: Ref
    right: Ref
    answer: str
    actor: str = ""
    reason: str = ""

    @property
    def pair(self) -> tuple[Ref, Ref]:
        """The two records, in an order that does not depend on how they were written down."""
        return (self.left, self.right) if self.left <= self.right else (self.right, self.left)

    def other(self, ref: Ref) -> Ref:
        """The record the word is about beside `ref`."""
        return self.right if ref == self.left else self.left


def standing(words: Iterable[Word]) -> list[Word]:
    """The word that counts about each pair, oldest first; `words` in the order they were said."""
    told: dict[tuple[Ref, Ref], list[Word]] = {}
    for word in words:
        said = told.setdefault(word.pair, [])
        if word.answer != WITHDRAWN:
            said.append(word)
        elif said:
            said.pop()
    return sorted((said[-1] for said in told.values() if said), key=lambda w: w.seq)


class Bonds:
    """What standing words say together. A word that contradicts earlier ones is left out and noted in `contradictions`."""

    def __init__(self, words: Iterable[Word], register: str) -> None:
        self.register = register
        self.contradictions: list[tuple[Word, ...]] = []
        self._root: dict[Ref, Ref] = {}
        self._members: dict[Ref, list[Ref]] = {}
        self._ties: dict[Ref, list[Word]] = {}
        self._foes: dict[Ref, list[Word]] = {}
        for word in words:
            self._take(word)

    def root(self, ref: Ref) -> Ref:
        """The name of the group of records said to be one person with `ref`."""
        return self._root.get(ref, ref)

    def members(self, ref: Ref) -> Sequence[Ref]:
        """All records said to be one person with `ref`, itself included."""
        return self._members.get(self.root(ref), [ref])

    def residents(self, ref: Ref) -> list[Ref]:
        """The register's records among them."""
        return sorted(r for r in self.members(ref) if r[0] == self.register)

    def refs(self) -> frozenset[Ref]:
        """Every record some word speaks about."""
        return frozenset(self._ties.keys() | self._foes.keys())

    def apart(self, one: Ref, other: Ref) -> bool:
        """Whether the two are said to be different people, by a word about them or about anyone said to be the same as they."""
        return self._foe_between(one, other) is not None

    def foes(self) -> Iterator[tuple[Ref, Ref]]:
        """Pairs of groups said to be different people."""
        for ref, words in self._foes.items():
            for word in words:
                if ref == word.left:
                    yield self.root(word.left), self.root(word.right)

    def groups(self) -> Iterator[Sequence[Ref]]:
        """Every group of at least two records said to be one person."""
        yield from (self._members[r] for r in sorted(self._members))

    def _take(self, word: Word) -> None:
        if word.answer not in (SAME, DIFFERENT):
            return
        against = self._against(word)
        if against is not None:
            self.contradictions.append((*against, word))
        elif word.answer == SAME:
            self._join(word)
        else:
            for ref in word.pair:
                self._foes.setdefault(ref, []).append(word)

    def _join(self, word: Word) -> None:
        for ref in word.pair:
            self._ties.setdefault(ref, []).append(word)
        kept, moved = sorted((self.root(r) for r in word.pair), key=lambda r: (-len(self.members(r)), r))
        if kept == moved:
            return
        joining = list(self.members(moved))
        self._members[kept] = [*self.members(kept), *joining]
        self._members.pop(moved, None)
        self._root.update(dict.fromkeys(joining, kept))

    def _against(self, word: Word) -> tuple[Word, ...] | None:
        """The earlier words that forbid this one, or None."""
        left, right = word.left, word.right
        if self.root(left) == self.root(right):
            return self._path(left, right) if word.answer == DIFFERENT else None
        if word.answer == DIFFERENT:
            return None
        foe = self._foe_between(left, right)
        if foe is not None:
            near, far = foe.pair if self.root(foe.pair[0]) == self.root(left) else reversed(foe.pair)
            return (*self._path(left, near), *self._path(right, far), foe)
        if left[0] == right[0] == self.register:
            return None
        holders = [self.residents(ref) for ref in (left, right)]
        if not all(holders):
            return None
        return (*self._path(left, holders[0][0]), *self._path(right, holders[1][0]))

    def _foe_between(self, one: Ref, other: Ref) -> Word | None:
        few, many = sorted((one, other), key=lambda r: len(self.members(r)))
        wanted = self.root(many)
        found = (w for ref in self.members(few) for w in self._foes.get(ref, ()) if self.root(w.other(ref)) == wanted)
        return next(found, None)

    def _path(self, start: Ref, end: Ref) -> tuple[Word, ...]:
        """The fewest words that make the two one person; none for a record and itself."""
        came: dict[Ref, Word | None] = {start: None}
        waiting = deque([start])
        while waiting and end not in came:
            ref = waiting.popleft()
            for word in self._ties.get(ref, ()):
                if word.other(ref) not in came:
                    came[word.other(ref)] = word
                    waiting.append(word.other(ref))
        path: list[Word] = []
        while (last := came[end]) is not None:
            path.append(last)
            end = last.other(end)
        return tuple(reversed(path))
