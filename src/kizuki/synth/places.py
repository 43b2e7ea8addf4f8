"""Towns, addresses, schools and facilities of わかば市 (fictional; postcodes and codes are invented)."""

from dataclasses import dataclass, field

import numpy as np

from kizuki.synth.cells import Cells, Encoding, Ints, Words, blank_where, choose, constant, glue, numbers
from kizuki.synth.draws import pick

TOWNS = (
    "若葉町", "みどり台", "青葉台", "桜が丘", "泉の里", "緑ケ丘", "中央", "本町", "東山町", "西山町", "南若葉",
    "北若葉", "池田下", "光明台", "松原町", "梅が枝町", "竹の台", "柏台", "花園町", "春日町", "旭町", "朝日が丘",
    "富士見台", "弥生町", "卯月町", "葉山町", "水無瀬", "文教町", "栄町", "寿町", "幸町", "大和台", "さつき野",
    "けやき通", "あさぎり町", "はつが野", "いぶき野", "三林", "小田町", "浦田町",
)  # fmt: skip
_BUILDINGS = (
    "メゾン若葉", "わかばハイツ", "コーポみどり", "グランドール", "サンライズ壱番館",
    "市営若葉住宅", "ＵＲ青葉台団地", "ルミエール", "パークサイド", "レジデンス桜",
)  # fmt: skip
_OTHER_CITIES = (
    "大阪府堺市中区深井", "大阪府岸和田市野田町", "大阪府大阪市住吉区長居", "大阪府泉大津市旭町",
    "兵庫県尼崎市南塚口町", "和歌山県和歌山市六番丁", "奈良県橿原市内膳町", "京都府京都市伏見区桃山町",
    "愛知県名古屋市千種区今池", "福岡県福岡市東区香椎", "東京都江戸川区西葛西", "大阪府貝塚市畠中",
)  # fmt: skip
_KANJI_NUMBERS = ("", "一", "二", "三", "四", "五", "六", "七")
_ELEMENTARY = (
    "若葉", "みどり台", "青葉台", "桜が丘", "泉の里", "緑ケ丘", "中央", "東山", "南若葉", "池田",
    "光明台", "松原", "竹の台", "花園", "朝日が丘", "富士見台", "弥生", "葉山", "さつき野", "いぶき",
)  # fmt: skip
_JUNIOR = ("若葉", "青葉", "泉", "中央", "南", "光明", "竹の台", "富士見", "葉山", "さつき")
NURSERIES = tuple(
    f"{n}{k}"
    for n in (
        "若葉",
        "みどり",
        "あおば",
        "さくら",
        "いずみ",
        "ひかり",
        "まつば",
        "はなぞの",
        "あさひ",
        "ふじみ",
        "やよい",
        "さつき",
    )
    for k in ("保育園", "こども園")
)
KINDERGARTENS = ("若葉幼稚園", "桜が丘幼稚園", "光明幼稚園", "富士見幼稚園", "聖母わかば幼稚園", "葉山幼稚園")
CAFETERIAS = (
    "わかばこども食堂",
    "みどり食堂ぽかぽか",
    "青葉台ふれあい食堂",
    "いずみキッチン",
    "さくらの会こども食堂",
    "けやきカフェ",
    "朝日が丘みんなの食卓",
)


@dataclass
class Addresses:
    """Every address anyone of the city has had. `building` −1 is a house; `extra` overrides the 方書 (canaries)."""

    town: Ints
    chome: Ints
    ban: Ints
    go: Ints
    building: Ints
    room: Ints
    extra: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.town)

    def of(self, rows: Ints) -> "Addresses":
        """The addresses at the given positions (without overriding 方書)."""
        return Addresses(self.town[rows], self.chome[rows], self.ban[rows], self.go[rows], self.building[rows], self.room[rows])

    def register_style(self, encoding: Encoding) -> Cells:
        """大阪府わかば市青葉台三丁目5番12号."""
        n = len(self)
        return glue(
            constant("大阪府わかば市", n, encoding),
            _TOWN_WORDS.cells(self.town, encoding),
            _CHOME.cells(np.where(self.town % 3 == 0, 0, self.chome), encoding),
            numbers(self.ban),
            constant("番", n, encoding),
            numbers(self.go),
            constant("号", n, encoding),
        )

    def office_style(self, encoding: Encoding) -> Cells:
        """わかば市青葉台3-5-12, as a consultation desk writes it."""
        n = len(self)
        dash = constant("-", n, encoding)
        chome = choose(self.town % 3 == 0, constant("", n, encoding), glue(numbers(self.chome), dash))
        return glue(
            constant("わかば市", n, encoding),
            _TOWN_WORDS.cells(self.town, encoding),
            chome,
            numbers(self.ban),
            dash,
            numbers(self.go),
        )

    def extras(self, encoding: Encoding) -> Cells:
        """方書: building and room; blank for houses."""
        n = len(self)
        house = self.building < 0
        words = Words([*_BUILDINGS])
        cells = glue(
            words.cells(self.building, encoding),
            blank_where(house, numbers(self.room)),
            _ROOM.cells(np.where(house, -1, self.building % 2), encoding),
        )
        if self.extra:
            marked = Words(list(self.extra.values()))
            where = np.full(n, -1)
            where[list(self.extra)] = np.arange(len(self.extra))
            cells = choose(where >= 0, marked.cells(where, encoding), cells)
        return cells

    def postcode(self) -> Ints:
        """Seven digits as a number."""
        return 5940001 + self.town * 3

    def code(self) -> Ints:
        """Address code of the register: town and chome."""
        return (self.town + 1) * 1000 + np.where(self.town % 3 == 0, 0, self.chome)


_TOWN_WORDS = Words(TOWNS)
_CHOME = Words(["", *(f"{k}丁目" for k in _KANJI_NUMBERS[1:])])
_ROOM = Words(["号室", "号"])


def draw_addresses(rng: np.random.Generator, size: int, flat_share: float = 0.42) -> Addresses:
    """New addresses, towns unevenly populated, `flat_share` of them in buildings."""
    weights = 0.4 + np.abs(np.sin(np.arange(len(TOWNS)) * 1.7)) + 0.6 * (np.arange(len(TOWNS)) < 8)
    flat = rng.random(size) < flat_share
    return Addresses(
        town=pick(rng, weights, size),
        chome=rng.integers(1, 6, size),
        ban=rng.integers(1, 41, size),
        go=rng.integers(1, 31, size),
        building=np.where(flat, rng.integers(0, len(_BUILDINGS), size), -1),
        room=rng.integers(1, 10, size) * 100 + rng.integers(1, 16, size),
    )


def other_city_words() -> Words:
    """Addresses outside the city, with a few house numbers, for 転入前住所 and 転出先住所."""
    return Words([f"{c}{1 + i % 7}丁目{1 + i * 3 % 29}番{1 + i * 5 % 17}号" for i in range(25) for c in _OTHER_CITIES])


@dataclass(frozen=True)
class Schools:
    """Public schools: codes and names; a child goes to the school of its town."""

    elementary: Words
    junior: Words

    @staticmethod
    def for_people(people: int) -> "Schools":
        """Twenty elementary and ten junior high schools in the full city, fewer in a small one."""
        elementary = max(2, min(len(_ELEMENTARY), round(people / 9_000)))
        junior = max(1, min(len(_JUNIOR), elementary // 2))
        return Schools(
            Words([f"わかば市立{n}小学校" for n in _ELEMENTARY[:elementary]]),
            Words([f"わかば市立{n}中学校" for n in _JUNIOR[:junior]]),
        )

    def of(self, town: Ints, grade: Ints) -> Ints:
        """School position: elementary schools first, then junior high schools."""
        n = len(self.elementary)
        elementary = town % n
        return np.where(grade <= 6, elementary, n + elementary % len(self.junior))

    @property
    def names(self) -> Words:
        """All names by school position; the last one stands for private and other schools."""
        return Words([*self.elementary.words, *self.junior.words, "区域外就学"])

    @property
    def codes(self) -> Words:
        """School codes by school position: B1 elementary, C1 junior high, Z9 outside."""
        n, m = len(self.elementary), len(self.junior)
        return Words([*(f"B1{i + 1:03}" for i in range(n)), *(f"C1{i + 1:03}" for i in range(m)), "Z9999"])
