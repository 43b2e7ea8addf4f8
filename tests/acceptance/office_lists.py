"""A register and an office's list of one town, with known truth, independent of the synthetic city.

LEFT is written as a 住民記録 (old kanji, 和暦). RIGHT is written as offices write: folded kanji, half-width kana, dates in any
spelling, blanks, typing errors, old addresses, married names, children whose twin is on the register while they are not.
"""

import csv
import datetime as dt
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

SURNAMES = """
佐藤サトウ 鈴木スズキ 髙橋タカハシ 高橋タカハシ 田中タナカ 伊藤イトウ 渡邉ワタナベ 渡辺ワタナベ
渡部ワタナベ 山本ヤマモト 中村ナカムラ 小林コバヤシ 加藤カトウ 吉田ヨシダ 山田ヤマダ 佐々木ササキ
山口ヤマグチ 松本マツモト 井上イノウエ 木村キムラ 斎藤サイトウ 齋藤サイトウ 斉藤サイトウ 清水シミズ
林ハヤシ 阿部アベ 安部アベ 山﨑ヤマザキ 山崎ヤマサキ 池田イケダ 橋本ハシモト 石川イシカワ
中島ナカジマ 中嶋ナカジマ 前田マエダ 藤田フジタ 小川オガワ 後藤ゴトウ 岡田オカダ 長谷川ハセガワ
村上ムラカミ 近藤コンドウ 石井イシイ 坂本サカモト 阪本サカモト 遠藤エンドウ 青木アオキ 藤井フジイ
西村ニシムラ 福田フクダ 太田オオタ 三浦ミウラ 岡本オカモト 松田マツダ 中川ナカガワ 中野ナカノ
原田ハラダ 小野オノ 田村タムラ 竹内タケウチ 金子カネコ 和田ワダ 中山ナカヤマ 石田イシダ
上田ウエダ 森田モリタ 原ハラ 柴田シバタ 酒井サカイ 工藤クドウ 横山ヨコヤマ 宮﨑ミヤザキ
宮本ミヤモト 内田ウチダ 高木タカギ 安藤アンドウ 谷口タニグチ 大野オオノ 丸山マルヤマ 今井イマイ
濵田ハマダ 浜田ハマダ 藤原フジワラ 河野コウノ 桜井サクライ 櫻井サクライ 廣瀬ヒロセ 広瀬ヒロセ
増田マスダ 杉山スギヤマ 村田ムラタ 島田シマダ 大塚オオツカ 平野ヒラノ
"""
_STEMS = (
    "山ヤマ 川カワ 田タ 木キ 石イシ 森モリ 松マツ 竹タケ 梅ウメ 北キタ "
    "南ミナミ 西ニシ 東ヒガシ 上ウエ 中ナカ 大オオ 小コ 長ナガ 黒クロ 白シラ"
)
_ENDS = "田ダ 川カワ 原ハラ 村ムラ 本モト 島シマ 野ノ 井イ 沢サワ 谷タニ 岡オカ 倉クラ 尾オ 崎サキ"
_MALE = (
    "陽ハル 悠ユウ 颯ソウ 大ダイ 健ケン 拓タク 翔ショウ 直ナオ 智トモ 和カズ "
    "雄ユウ 浩ヒロ 正マサ 隆タカ 蓮レン 湊ミナ 樹イツ 海カイ 空ソラ 俊シュン",
    "斗ト 翔ト 太タ 介スケ 輔スケ 真マ 也ヤ 哉ヤ 樹キ 希キ 人ト 一イチ 平ヘイ 志シ 吾ゴ 馬マ 之ユキ 彦ヒコ 司ジ 生キ",
)
_FEMALE = (
    "陽ハル 結ユイ 美ミ 優ユ 彩アヤ 千チ 真マ 愛アイ 理リ 由ユ 里リ 恵エ 智トモ 紗サ 咲サ 葵アオイ 莉リ 凛リン 久ク 和カズ",
    "菜ナ 奈ナ 子コ 美ミ 香カ 花カ 穂ホ 音ネ 乃ノ 江エ 代ヨ 紀キ 咲サ 沙サ 衣イ 央オ 緒オ 里リ 莉リ 羽ハ",
)
_TOWNS = ("本町", "東町", "西新田", "南が丘", "北浜", "緑台", "桜木町", "大字上野", "字中原", "若葉", "青葉台", "港町")
_FOLD = str.maketrans("髙﨑邉齋濵櫻廣嶋", "高崎辺斎浜桜広島")
_BLANK = ""


@dataclass(frozen=True)
class Someone:
    """One person as they are; `house` is shared by a household."""

    family: tuple[str, str]
    given: tuple[str, str]
    birth: dt.date
    sex: str
    house: int
    twin_of: int = -1


@dataclass(frozen=True)
class Lists:
    """Paths of the two tables and of the columns file, and for every RIGHT id its LEFT id ("" when there is none)."""

    left: Path
    right: Path
    columns: Path
    truth: dict[str, str]
    absent_twins: frozenset[str]


def _pairs(text: str) -> list[tuple[str, str]]:
    out = []
    for word in text.split():
        cut = next(i for i, c in enumerate(word) if "ァ" <= c <= "ヶ")
        out.append((word[:cut], word[cut:]))
    return out


def _families(rng: Random) -> list[tuple[str, str]]:
    built = [(a[0] + b[0], a[1] + b[1]) for a in _pairs(_STEMS) for b in _pairs(_ENDS)]
    rng.shuffle(built)
    return _pairs(SURNAMES) + built


def _givens(parts: tuple[str, str]) -> list[tuple[str, str]]:
    return [(a[0] + b[0], a[1] + b[1]) for a in _pairs(parts[0]) for b in _pairs(parts[1])]


class Town:
    """People of a town in households, twins among them."""

    def __init__(self, size: int, seed: int) -> None:
        self.rng = Random(seed)
        self.families = _families(self.rng)
        self.weights = [1 / (n + 6) for n in range(len(self.families))]
        self.names = {"男": _givens(_MALE), "女": _givens(_FEMALE)}
        for names in self.names.values():
            self.rng.shuffle(names)
        self.people: list[Someone] = []
        house = 0
        while len(self.people) < size:
            self._household(house)
            house += 1

    def family(self) -> tuple[str, str]:
        """A surname by how common it is."""
        return self.rng.choices(self.families, self.weights)[0]

    def given(self, sex: str) -> tuple[str, str]:
        """A given name, the common ones more often."""
        names = self.names[sex]
        return names[int(len(names) * self.rng.random() ** 1.6)]

    def _household(self, house: int) -> None:
        rng, family = self.rng, self.family()
        mother = dt.date(1960, 1, 1) + dt.timedelta(days=rng.randrange(14000))
        for sex in ("男", "女"):
            born = mother + dt.timedelta(days=rng.randrange(-1500, 1500))
            self.people.append(Someone(family, self.given(sex), born, sex, house))
        born = mother + dt.timedelta(days=int(365 * rng.gauss(30, 4)))
        for _ in range(rng.choices((0, 1, 2, 3), (25, 30, 35, 10))[0]):
            if born > dt.date(2026, 10, 1):
                break
            sex = rng.choice("男女")
            self.people.append(Someone(family, self.given(sex), born, sex, house))
            if rng.random() < 0.02:
                self._twin(len(self.people) - 1)
            born += dt.timedelta(days=rng.randrange(450, 1600))

    def _twin(self, row: int) -> None:
        one = self.people[row]
        other = replace(one, sex=self.rng.choice("男女"), twin_of=row)
        pool = [n for n in self.names[other.sex] if n[1] != one.given[1]]  # nobody calls two children alike
        alike = [n for n in pool if n[0][0] == one.given[0][0] or _one_apart(n[1], one.given[1])]
        self.people.append(replace(other, given=self.rng.choice(alike if alike and self.rng.random() < 0.5 else pool)))


def _one_apart(one: str, other: str) -> bool:
    return len(one) == len(other) and sum(x != y for x, y in zip(one, other, strict=True)) == 1


def wareki(day: dt.date, style: int) -> str:
    """One of the spellings a list may carry."""
    first, letter, name, code = next(
        e
        for e in (
            (dt.date(2019, 5, 1), "R", "令和", 5),
            (dt.date(1989, 1, 8), "H", "平成", 4),
            (dt.date(1926, 12, 25), "S", "昭和", 3),
        )
        if day >= e[0]
    )
    year = day.year - first.year + 1
    return (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
        f"{letter}{year}.{day.month}.{day.day}",
        f"{letter}{year:02}.{day.month:02}.{day.day:02}",
        f"{code}{year:02}{day.month:02}{day.day:02}",
        f"{day:%Y%m%d}",
        unicodedata.normalize("NFKC", f"{letter}{year}/{day.month}/{day.day}").translate(
            str.maketrans("0123456789", "０１２３４５６７８９")
        ),
    )[style % 8]


_HALF = {unicodedata.normalize("NFKC", chr(c)): chr(c) for c in range(0xFF66, 0xFF9E)}


def half(kana: str) -> str:
    """Half-width katakana as old host systems print it."""
    return "".join(_HALF.get(b, b) for c in unicodedata.normalize("NFD", kana) for b in (_mark(c),))


def _mark(c: str) -> str:
    return {"\u3099": "\uff9e", "\u309a": "\uff9f"}.get(c, c)


def address(house: int) -> str:
    """The household's address in the register's spelling."""
    return f"あおぞら市{_TOWNS[house % len(_TOWNS)]}{1 + house // 40 % 9}丁目{1 + house % 40}番{1 + house // 360 % 30}号"


def _office_address(house: int, rng: Random) -> str:
    text = address(house)
    if rng.random() < 0.5:
        text = text.replace("丁目", "-").replace("番", "-").replace("号", "").removeprefix("あおぞら市")
    return text.translate(str.maketrans("0123456789", "０１２３４５６７８９")) if rng.random() < 0.2 else text


def _typo(text: str, rng: Random, letters: str) -> str:
    at = rng.randrange(len(text))
    kind = rng.random()
    if kind < 0.5 or len(text) < 2:
        return text[:at] + rng.choice(letters) + text[at + 1 :]
    return text[:at] + text[at + 1 :] if kind < 0.8 else text[:at] + text[at] + text[at:]


def _mistaken(day: dt.date, rng: Random) -> dt.date:
    try:
        if rng.random() < 0.3:
            return day.replace(month=day.day, day=day.month)
        return day.replace(day=rng.randrange(1, 29)) if rng.random() < 0.7 else day.replace(year=day.year - 1)
    except ValueError:
        return day - dt.timedelta(days=10)


class OfficeList:
    """RIGHT rows of people, with the error mix of the field."""

    HEAD = ("番号", "氏名", "よみ", "生年月日", "性別", "郵便番号", "住所", "電話")

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.rng = town, Random(seed)

    def row(self, key: str, one: Someone) -> tuple[str, ...]:
        """One line of the list; at least one of kanji and kana is written."""
        rng = self.rng
        family = self.town.family() if rng.random() < 0.025 else one.family  # married, divorced, adopted
        name = "".join(p.translate(_FOLD) for p in (family[0], rng.choice(("", "　", " ")), one.given[0]))
        if rng.random() < 0.005:
            name = _typo(name, rng, "一二三大小中")
        kana_parts = [family[1], one.given[1]]
        if rng.random() < 0.015:
            n = rng.randrange(2)
            kana_parts[n] = _typo(kana_parts[n], rng, "アイカキシタナノマヤリン")
        kana = rng.choice((" ", "　", "")).join(kana_parts)
        kana = half(kana) if rng.random() < 0.4 else kana
        name, kana = self._left_out(name, kana)
        born = _mistaken(one.birth, rng) if rng.random() < 0.012 else one.birth
        date = _BLANK if rng.random() < 0.02 else wareki(born, rng.randrange(8))
        house = one.house + 977 if rng.random() < 0.06 else one.house
        sex = {"男": "女", "女": "男"}[one.sex] if rng.random() < 0.002 else one.sex
        written_sex = rng.choice((sex, sex + "性", "1" if sex == "男" else "2", "M" if sex == "男" else "F", ""))
        place = _office_address(house, rng) if rng.random() < 0.8 else _BLANK
        phone = f"090-{house % 10000:04}-{house // 7 % 10000:04}" if rng.random() < 0.4 else _BLANK
        return key, name, kana, date, written_sex, _BLANK, place, phone

    def _left_out(self, name: str, kana: str) -> tuple[str, str]:
        chance = self.rng.random()
        if chance < 0.15:
            return name, _BLANK
        return (_BLANK, kana) if chance < 0.29 else (name, kana)


def write_lists(folder: Path, *, people: int, listed: int, seed: int) -> Lists:
    """LEFT with `people` rows and RIGHT with about `listed` rows (5 % from elsewhere, 1.5 % absent twins)."""
    town = Town(people, seed)
    rng = Random(seed + 1)
    twins = [n for n, p in enumerate(town.people) if p.twin_of >= 0]
    absent = set(rng.sample(twins, min(len(twins) // 2, round(listed * 0.015))))
    office = OfficeList(town, seed + 2)
    register = [(f"{n:08}", p) for n, p in enumerate(town.people) if n not in absent]
    truth: dict[str, str] = {}
    rows: list[tuple[str, ...]] = []
    chosen = [(key, p) for key, p in rng.sample(register, min(len(register), listed))]
    missing = [(_BLANK, town.people[n]) for n in sorted(absent)]
    elsewhere = Town(max(4, listed // 20), seed + 3).people
    strangers = [(_BLANK, replace(p, house=p.house + 100_000)) for p in elsewhere]
    everyone = chosen + missing + strangers
    rng.shuffle(everyone)
    gone = {id(p) for _, p in missing}
    absent_rows = set()
    for n, (key, one) in enumerate(everyone):
        right = f"R{n:06}"
        truth[right] = key
        if id(one) in gone:
            absent_rows.add(right)
        rows.append(office.row(right, one))
    head = ("氏名カナ", "住民番号", "漢字氏名", "性", "生年月日", "住所")
    left = [(f"{p.family[1]} {p.given[1]}", key, f"{p.family[0]}　{p.given[0]}", {"男": "1", "女": "2"}[p.sex],
             wareki(p.birth, 2), address(p.house)) for key, p in register]  # fmt: skip
    kinds = [("住民番号", "id"), ("番号", "id"), ("漢字氏名", "name"), ("氏名", "name"), ("氏名カナ", "kana"), ("よみ", "kana"),
             ("生年月日", "birth_date"), ("性", "sex"), ("性別", "sex"), ("住所", "address"), ("電話", "phone"),
             ("郵便番号", "postcode")]  # fmt: skip
    return Lists(
        write_csv(folder / "left.csv", [head, *left]),
        write_csv(folder / "right.csv", [OfficeList.HEAD, *rows], encoding="utf-8-sig", newline="\r\n"),
        write_csv(folder / "columns.csv", [("column", "kind"), *kinds]),
        truth,
        frozenset(absent_rows),
    )


def write_csv(path: Path, rows: list[tuple[str, ...]], *, encoding: str = "utf-8", newline: str = "\n") -> Path:
    """A CSV file of the rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator=newline).writerows(rows)
    return path
