"""How offices spell people: numbers of different widths, names in kanji, kana and hiragana, old and folded."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa

from kizuki.synth.cells import Cells, Encoding, Words, blank_where, choose, constant, digits, glue, numbers
from kizuki.synth.city import City
from kizuki.synth.names import fold, without_gaiji
from kizuki.synth.population import Array

_CHANGES: dict[str, Callable[[str], str]] = {"register": str, "plain": without_gaiji, "folded": fold}
"""Style of a name → what happens to its characters."""


class Speller:
    """Cells of people's identifying columns in one encoding."""

    def __init__(self, city: City, encoding: Encoding) -> None:
        self.city, self.encoding = city, encoding
        book = city.book
        self._kana = {"full": (book.family_kana, book.given_kana)}
        self._kana["half"] = (book.half_kana(book.family_kana), book.half_kana(book.given_kana))
        self._kana["hira"] = (book.hiragana(book.family_kana), book.hiragana(book.given_kana))

    @cached_property
    def _no10(self) -> Cells:
        return digits(self.city.person_no, 10)

    @cached_property
    def _no15(self) -> Cells:
        return digits(self.city.person_no, 15)

    @cached_property
    def _bare(self) -> Cells:
        return numbers(self.city.person_no)

    def number(self, persons: Array, style: str = "10") -> Cells:
        """宛名番号 in ten or fifteen digits or without leading zeros; blank for negative positions."""
        cells = {"10": self._no10, "15": self._no15, "bare": self._bare}[style]
        return blank_where(persons < 0, cells.take(pa.array(np.maximum(persons, 0))))

    def family_on(self, persons: Array, days: Array | int) -> Array:
        """Family name codes in force on a day."""
        return self.city.register.family[self.city.register.at(persons, days)]

    def name(self, persons: Array, family: Array, *, style: str = "plain", space: str = "　") -> Cells:
        """姓名. Styles: `register` (private characters kept), `plain` (old kanji kept), `folded` (common kanji only)."""
        words, given = self._families(style), self._givens(style)
        foreign = self.city.people.foreign[persons]
        n = len(persons)
        gap = choose(foreign, constant(" ", n, self.encoding), constant(space, n, self.encoding))
        return glue(words.cells(family, self.encoding), gap, given.cells(self.city.people.given[persons], self.encoding))

    def kana(
        self, persons: Array, family: Array, *, style: str = "half", space: str = " ", typos: Array | None = None
    ) -> Cells:
        """Reading of the name, full-width, half-width or hiragana; rows of `typos` lose the last character."""
        family_words, given_words = self._kana[style]
        given = self.city.people.given[persons]
        cells = given_words.cells(given, self.encoding)
        if typos is not None and np.any(typos):
            cells = choose(typos, self._mistyped(style).cells(given, self.encoding), cells)
        return glue(family_words.cells(family, self.encoding), constant(space, len(persons), self.encoding), cells)

    def alias(self, persons: Array) -> Cells:
        """通称 of about half of the foreign residents: a Japanese family name and given name."""
        book, people = self.city.book, self.city.people
        has = people.foreign[persons] & (self.alias_family[persons] >= 0)
        pool = np.flatnonzero((book.given_era == 3) & (book.given_sex == 1))
        pool_f = np.flatnonzero((book.given_era == 3) & (book.given_sex == 2))
        given = np.where(people.sex[persons] == 1, pool[persons % len(pool)], pool_f[persons % len(pool_f)])
        full = glue(
            self._families("plain").cells(self.alias_family[persons], self.encoding),
            constant("　", len(persons), self.encoding),
            book.given.cells(given, self.encoding),
        )
        return blank_where(~has, full)

    @cached_property
    def alias_family(self) -> Array:
        """Family name of the 通称, −1 without one: shared by the household."""
        people = self.city.people
        rng = self.city.streams.of("aliases")
        by_unit = np.where(rng.random(len(self.city.units)) < 0.5, self.city.book.draw_family(rng, len(self.city.units)), -1)
        first = np.unique(people.unit[people.foreign])[:1]
        by_unit[first] = np.maximum(by_unit[first], 0)
        return np.where(people.foreign, by_unit[people.unit], -1)

    def _families(self, style: str) -> Words:
        return _spelled(self, "family", style)

    def _givens(self, style: str) -> Words:
        return _spelled(self, "given", style)

    def _mistyped(self, style: str) -> Words:
        key = ("typo", style)
        if key not in self._cache:
            self._cache[key] = Words([w[:-1] + ("ア" if len(w) < 2 else "") for w in self._kana[style][1].words])
        return self._cache[key]

    @cached_property
    def _cache(self) -> dict[tuple[str, str], Words]:
        return {}


def _spelled(speller: Speller, part: str, style: str) -> Words:
    cache = speller._cache
    if (part, style) not in cache:
        words = speller.city.book.family if part == "family" else speller.city.book.given
        change = _CHANGES[style]
        cache[(part, style)] = Words([change(w) for w in words.words])
    return cache[(part, style)]
