"""Names, kana, scalars: what is folded, what is flagged, what is never touched."""

from pathlib import Path

import pytest

from kizuki.cleanse.flags import Flag
from kizuki.cleanse.gaiji import load_gaiji
from kizuki.cleanse.kana import KanaRegister, clean_kana
from kizuki.cleanse.names import NameRules, clean_name, register_of
from kizuki.cleanse.scalars import clean_bool, clean_double, clean_int, clean_person_no, clean_phone, clean_postcode
from kizuki.cleanse.variants import fold, load_own_table, loose_variants, official_variants
from kizuki.terms.errors import DefinitionError

REGISTER = register_of(["東", "東海林", "山田", "山"], ["太郎", "花子", "田花"])


def test_an_unspaced_name_is_split_by_the_longest_surname_of_the_register() -> None:
    name = clean_name("東海林太郎", NameRules(register=REGISTER))
    assert (name.family, name.given) == ("東海林", "太郎")
    assert Flag.SPLIT_BY_REGISTER in name.flags


def test_a_known_given_name_beats_a_longer_surname() -> None:
    rules = NameRules(register=register_of(["山", "山田"], ["田花"]))
    assert clean_name("山田花", rules).family == "山"


def test_a_surname_nobody_knows_is_not_guessed() -> None:
    name = clean_name("鬱鱒太郎")
    assert (name.family, name.given) == (None, None)
    assert Flag.NOT_SPLIT in name.flags


def test_a_surname_alone_is_not_cut_in_two() -> None:
    for text in ("高橋", "髙橋 様", "斎藤", "東海林"):
        assert clean_name(text, NameRules(register=REGISTER)).family is None, text
    assert clean_name("東海林花子様", NameRules(register=REGISTER)).given == "花子"


def test_a_title_after_the_name_is_not_part_of_it() -> None:
    named = clean_name("高橋花子 殿")
    assert (named.key, named.display) == ("高橋花子", "高橋花子 殿")
    assert Flag.HONORIFIC in named.flags
    assert clean_name("林様").key == "林様", "two characters may be the whole name"


@pytest.mark.parametrize(
    ("raw", "kana"),
    [
        ("YAMADA HANAKO", "ヤマダ ハナコ"),
        ("Ōno Yūki", "オノ ユキ"),
        ("OHNO", "オノ"),
        ("hattori kenji", "ハットリ ケンジ"),
        ("Shimbashi", "シンバシ"),
        ("MATSUMOTO, Jun'ichi", "マツモト ジュンイチ"),
        ("Tyousi", "チョウシ"),
        ("NGUYEN VAN ANH", "NGUYEN VAN ANH"),
        ("SMITH", "SMITH"),
    ],
)
def test_a_reading_in_latin_letters_is_read_where_it_is_japanese(raw: str, kana: str) -> None:
    read = clean_kana(raw)
    assert read.kana == kana
    assert (Flag.ROMAJI in read.flags) == (kana != raw.replace(",", ""))


def test_romaji_and_kana_of_one_name_share_their_key() -> None:
    for latin, kana in (
        ("Satoh Taro", "サトウ タロウ"),
        ("OHTA Yuki", "オオタ ユウキ"),
        ("Kyoko", "キョウコ"),
        ("KOHEI", "コウヘイ"),
    ):
        one, other = clean_kana(latin), clean_kana(kana)
        assert one.loose_key == other.loose_key, latin


def test_an_unspaced_reading_is_split_only_when_one_way_is_possible() -> None:
    one = KanaRegister(frozenset({"サトウ"}), frozenset({"タロウ"}))
    two = KanaRegister(frozenset({"オオタ", "オオタニ"}), frozenset({"ニナ", "ナ"}))
    assert clean_kana("さとうたろう", one).given_key == "タロ"
    assert clean_kana("オオタニナ", two).given_key is None


def test_a_listed_gaiji_is_read_and_an_unlisted_one_becomes_a_wildcard() -> None:
    rules = NameRules(gaiji={0xE000: "髙"})
    listed, unlisted = clean_name("\ue000橋　一", rules), clean_name("\ue001橋　一", rules)
    assert (listed.key, unlisted.key) == ("高橋一", "〓橋一")
    assert Flag.GAIJI_MAPPED in listed.flags and Flag.GAIJI_UNKNOWN in unlisted.flags
    assert unlisted.display == "\ue001橋　一"


def test_a_gaiji_table_names_the_line_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "外字.csv"
    path.write_text("元データ,外字,文字\nresident_register,U+E000,吉\nschool_life,E001,辻\n", encoding="utf-8")
    assert load_gaiji(path) == {"resident_register": {0xE000: "吉"}, "school_life": {0xE001: "辻"}}
    path.write_text("元データ,外字,文字\nresident_register,U+0041,吉\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="K202") as caught:
        load_gaiji(path)
    assert "2行目" in str(caught.value)


def test_a_citys_own_variants_follow_their_chain_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "異体字.csv"
    path.write_text("文字,比較文字\n斎,斉\n斉,済\n", encoding="utf-8")
    own = load_own_table(path)
    assert fold("齋藤", own) == "済藤" == fold(fold("齋藤", own), own)
    path.write_text("文字,比較文字\n斎,斉藤\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="K201"):
        load_own_table(path)


def test_every_variant_is_one_character_to_one_final_character() -> None:
    table = official_variants()
    assert len(table) > 15_000
    assert all(len(target) == 1 and ord(target) not in table for target in table.values())


def test_loose_pairs_end_in_characters_neither_table_moves_on() -> None:
    ends = loose_variants().values()
    assert all(ord(end) not in loose_variants() and ord(end) not in official_variants() for end in ends)


def test_no_common_surname_is_another_ones_variant_by_accident() -> None:
    # Pairs that look alike and are different names stay apart even in the loose key.
    for one, other in ("王玉", "未末", "土士", "千干", "己巳", "大犬", "田由", "坂阪", "堀掘", "師帥", "辻込"):
        assert clean_name(one).loose_key != clean_name(other).loose_key, (one, other)


@pytest.mark.parametrize(
    ("raw", "value", "flag"),
    [
        ("0725-41-1551", "0725411551", None),
        ("＋81 90 1234 5678", "09012345678", Flag.WIDTH),
        ("9012345678", "09012345678", Flag.LEADING_ZERO),
        ("41-1551", "411551", Flag.AREA_CODE_MISSING),
        ("0725-41-1551 内線123", "0725411551", Flag.EXTENSION),
        ("000-0000-0000", "00000000000", Flag.IMPLAUSIBLE),
        ("なし", None, Flag.IMPLAUSIBLE),
        ("0725-41-1551、0725-41-1552", "0725411551", Flag.SEVERAL),
        ("090-1234-5678/03-1111-2222", "09012345678", Flag.SEVERAL),
        ("06/6123/4567", "0661234567", None),
        ("0725-41-1551~3", "0725411551", None),
        ("81-90-1234-5678", "09012345678", None),
        ("9012345678.0", "09012345678", Flag.LEADING_ZERO),
        ("", None, None),
    ],
)
def test_phones(raw: str, value: str | None, flag: Flag | None) -> None:
    phone = clean_phone(raw)
    assert phone.value == value
    assert flag in phone.flags if flag else phone.flags == ()


@pytest.mark.parametrize(
    ("raw", "value", "flags"),
    [
        ("594-0071", "5940071", ()),
        ("〒５９４－００７１", "5940071", (Flag.WIDTH,)),
        ("600001", "0600001", (Flag.LEADING_ZERO,)),
        ("594", None, (Flag.TOO_SHORT,)),
        ("", None, ()),
    ],
)
def test_postcodes(raw: str, value: str | None, flags: tuple[Flag, ...]) -> None:
    assert clean_postcode(raw) == (value, flags)


@pytest.mark.parametrize(
    ("raw", "value"), [("0000012345", "0000012345"), ("12345", "0000012345"), ("000000000012345", "0000012345"), ("12A", None)]
)
def test_person_numbers_have_ten_digits(raw: str, value: str | None) -> None:
    assert clean_person_no(raw).value == value


def test_a_number_too_long_for_ten_digits_is_not_cut() -> None:
    assert clean_person_no("12345678901") == (None, (Flag.TOO_LONG,))


def test_numbers_and_truths() -> None:
    assert [clean_int(t).value for t in ("1,234", "△5", "３", "4.0", "4.5", "x", "")] == [1234, -5, 3, 4, None, None, None]
    assert clean_int("9" * 30) == (None, (Flag.TOO_LONG,))
    assert [clean_double(t).value for t in ("1.25", "－2", "--")] == [1.25, -2.0, None]
    assert [clean_bool(t).value for t in ("有", "0", "?")] == [True, False, None]
