"""Japanese and foreign names with readings, weighted by how common they are and by the years they were given.

Data: `data/family_names.tsv`, `data/given_names.tsv` (see `data/README.md` for source and licence).
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import jaconv
import numpy as np

from kizuki.synth.cells import Ints, Words
from kizuki.synth.draws import pick

GAIJI = {"\ue000": "吉", "\ue001": "辻", "\ue002": "葛", "\ue003": "邊"}
"""User-defined characters of the city's own register (CP932 F040…) → the character everyone else writes."""

JIS_FOLD = {
    "髙": "高",
    "﨑": "崎",
    "邉": "辺",
    "邊": "辺",
    "齋": "斎",
    "齊": "斉",
    "濵": "浜",
    "濱": "浜",
    "德": "徳",
    "澤": "沢",
    "廣": "広",
    "嶋": "島",
    **GAIJI,
}
"""What a school office types instead of an old or private character."""

MARKED_FAMILY = ("勘解由小路", "左衛門三郎", "十二村", "東四柳", "四十住", "一尺八寸", "五六", "八月朔日")
MARKED_FAMILY_KANA = (
    "カデノコウジ",
    "サエモンサブロウ",
    "ジュウニムラ",
    "ヒガシヨツヤナギ",
    "アイズミ",
    "カマツカ",
    "フカボリ",
    "ホズミ",
)
"""Rare surnames reserved for canaries; no other resident has them."""

FOREIGN_FAMILY = (
    "NGUYEN",
    "TRAN",
    "PHAM",
    "WANG",
    "LI",
    "ZHANG",
    "KIM",
    "LEE",
    "SANTOS",
    "REYES",
    "GURUNG",
    "SILVA",
    "SMITH",
    "RAI",
)
_FOREIGN_FAMILY_KANA = (
    "グエン",
    "チャン",
    "ファム",
    "ワン",
    "リ",
    "チャン",
    "キム",
    "イ",
    "サントス",
    "レイエス",
    "グルン",
    "シルバ",
    "スミス",
    "ライ",
)
_FOREIGN_GIVEN = (
    ("VAN AN", "ヴァン アン", 1), ("MINH DUC", "ミン ドゥック", 1), ("WEI", "ウェイ", 1), ("JUN HO", "ジュンホ", 1),
    ("JOSE", "ホセ", 1), ("CARLOS", "カルロス", 1), ("SURESH", "スレシュ", 1), ("DAVID", "デイビッド", 1),
    ("HAO", "ハオ", 1), ("QUANG HUY", "クアン フイ", 1), ("THI LAN", "ティ ラン", 2), ("THI HOA", "ティ ホア", 2),
    ("FANG", "ファン", 2), ("SOO JIN", "スジン", 2), ("MARIA", "マリア", 2), ("ANA LUCIA", "アナ ルシア", 2),
    ("SITA", "シタ", 2), ("EMILY", "エミリー", 2), ("YAN", "イェン", 2), ("JASMINE", "ジャスミン", 2),
)  # fmt: skip


@dataclass(frozen=True)
class NameBook:
    """Every family and given name of the city, spelled the ways offices spell them. Codes are positions in these lists."""

    family: Words
    family_kana: Words
    family_weight: Ints
    given: Words
    given_kana: Words
    given_sex: Ints
    given_era: Ints
    given_weight: Ints
    family_folded: Words
    foreign_family: range
    marked_family: range
    rare_family: tuple[int, ...]  # the commonest name of each private or old character

    def draw_family(self, rng: np.random.Generator, size: int) -> Ints:
        """Family names by population weight."""
        return pick(rng, self.family_weight, size)

    def draw_given(self, rng: np.random.Generator, sex: Ints, birth_year: Ints) -> Ints:
        """Given names by sex and the years in which they were given."""
        era = np.digitize(birth_year, (1945, 1965, 1985, 2005))
        out = np.zeros(len(sex), np.int32)
        for s in (1, 2):
            for e in range(5):
                rows = np.flatnonzero((sex == s) & (era == e))
                pool = np.flatnonzero((self.given_sex == s) & (self.given_era == e))
                out[rows] = pool[pick(rng, self.given_weight[pool], len(rows))]
        return out

    def draw_foreign_given(self, rng: np.random.Generator, sex: Ints) -> Ints:
        """Given names in the Latin alphabet by sex."""
        out = np.zeros(len(sex), np.int32)
        for s in (1, 2):
            rows = np.flatnonzero(sex == s)
            pool = np.flatnonzero((self.given_sex == s) & (self.given_era == FOREIGN_ERA))
            out[rows] = pool[rng.integers(0, len(pool), len(rows))]
        return out

    def half_kana(self, words: Words) -> Words:
        """The same list in half-width kana, as old host systems print it."""
        return _half_kana(words.words)

    def hiragana(self, words: Words) -> Words:
        """The same list in hiragana."""
        return _hiragana(words.words)


FOREIGN_ERA = 9
"""`given_era` of names in the Latin alphabet."""


@lru_cache(maxsize=8)
def _half_kana(words: tuple[str, ...]) -> Words:
    return Words([jaconv.z2h(w, kana=True, digit=True, ascii=True) for w in words])


@lru_cache(maxsize=8)
def _hiragana(words: tuple[str, ...]) -> Words:
    return Words([jaconv.kata2hira(w).replace(" ", "") for w in words])


def fold(word: str) -> str:
    """The spelling of a name by an office that types only common characters."""
    return "".join(JIS_FOLD.get(c, c) for c in word)


def without_gaiji(word: str) -> str:
    """The spelling of a name by a system that cannot hold the register's private characters."""
    return "".join(GAIJI.get(c, c) for c in word)


def _rows(name: str) -> list[list[str]]:
    text = resources.files("kizuki.synth").joinpath("data", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]


@lru_cache(maxsize=1)
def name_book() -> NameBook:
    """The name book, read once from the data files."""
    families = _rows("family_names.tsv")
    given = _rows("given_names.tsv")
    weight = [int(r[2]) for r in families]
    kanji = [r[0] for r in families] + list(FOREIGN_FAMILY) + list(MARKED_FAMILY)
    kana = [r[1] for r in families] + list(_FOREIGN_FAMILY_KANA) + list(MARKED_FAMILY_KANA)
    first_foreign, first_marked = len(families), len(families) + len(FOREIGN_FAMILY)
    reserved = set(MARKED_FAMILY)
    weight = [0 if r[0] in reserved else w for r, w in zip(families, weight, strict=True)]
    return NameBook(
        family=Words(kanji),
        family_kana=Words(kana),
        family_weight=np.array(weight + [0] * (len(kanji) - len(families))),
        given=Words([r[2] for r in given] + [g[0] for g in _FOREIGN_GIVEN]),
        given_kana=Words([r[3] for r in given] + [g[1] for g in _FOREIGN_GIVEN]),
        given_sex=np.array([int(r[0]) for r in given] + [g[2] for g in _FOREIGN_GIVEN]),
        given_era=np.array([int(r[1]) for r in given] + [FOREIGN_ERA] * len(_FOREIGN_GIVEN)),
        given_weight=np.array([int(r[4]) for r in given] + [1] * len(_FOREIGN_GIVEN)),
        family_folded=Words([fold(k) for k in kanji]),
        foreign_family=range(first_foreign, first_marked),
        marked_family=range(first_marked, len(kanji)),
        rare_family=tuple(next(i for i, k in enumerate(kanji) if c in k) for c in (*GAIJI, *"髙﨑邉齋濵")),
    )
