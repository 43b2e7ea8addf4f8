"""整え方の表：左に届いた書き方、右に比較鍵や部分。The tables are the specification."""

import pytest

from kizuki.cleanse.addresses import AddressRules, clean_address
from kizuki.cleanse.dates import clean_date
from kizuki.cleanse.kana import clean_kana
from kizuki.cleanse.names import clean_name

# 届いた氏名 | 比較鍵 | 緩い鍵 | 姓 | 名
NAMES = """
髙橋　花子 | 高橋花子 | 高橋花子 | 髙橋 | 花子
渡邉󠄐 𠮷子 | 渡辺吉子 | 渡辺吉子 | 渡邉 | 𠮷子
渡邊　惠 | 渡辺恵 | 渡辺恵 | 渡邊 | 惠
齋藤　德子 | 斎藤徳子 | 斉藤徳子 | 齋藤 | 德子
斉藤　徳子 | 斉藤徳子 | 斉藤徳子 | 斉藤 | 徳子
濵﨑　櫻 | 浜崎桜 | 浜崎桜 | 濵﨑 | 櫻
小嶋　凜 | 小嶋凜 | 小島凛 | 小嶋 | 凜
佐々木　さくら | 佐々木さくら | 佐佐木サクラ | 佐々木 | さくら
王　玉 | 王玉 | 王玉 | 王 | 玉
NGUYEN VAN ANH | NGUYENVANANH | ANHNGUYENVAN | NGUYEN | VAN ANH
Nguyễn Văn Anh | NGUYENVANANH | ANHNGUYENVAN | Nguyễn | Văn Anh
SMITH, John | SMITHJOHN | JOHNSMITH | SMITH | John
"""

# 届いたカナ | 整えた形 | 比較鍵
KANA = """
ｻﾄｳ ﾀﾛｳ | サトウ タロウ | サトタロ
さとう　たろう | サトウ タロウ | サトタロ
サトーｰタロウ | サトーータロウ | サトタロ
ﾋﾞﾄｳ ｼﾞｭﾝ | ビトウ ジュン | ビトジユン
ミスヾ | ミスズ | ミスズ
カツラ　ヅラ | カツラ ヅラ | カツラズラ
ヲガワ　ヴィト | ヲガワ ヴィト | オガワブイト
グエン・バン・アイン | グエン バン アイン | グエンバンアイン
ウエダ　ウタ | ウエダ ウタ | ウエダウタ
"""

# 届いた日付 | 読んだ日付（空は読めない）
DATES = """
平成5年4月1日 | 1993-04-01
H5.4.1 | 1993-04-01
H05.04.01 | 1993-04-01
4050401 | 1993-04-01
令和元年5月1日 | 2019-05-01
平成31年4月30日 | 2019-04-30
平成31年5月1日 |
１９９３／０４／０１ | 1993-04-01
2024/05 | 2024-05-01
令和5年2月30日 |
昭和64年1月7日 | 1989-01-07
あした |
"""

# 届いた住所 | 都道府県 | 市区町村 | 町字 | 番地 | 残り
ADDRESSES = """
大阪府和泉市府中町二丁目7番5号 | 大阪府 | 和泉市 | 府中町 | 2-7-5 |
和泉市府中町２丁目７－５　コーポ桜２０１号室 | 大阪府 | 和泉市 | 府中町 | 2-7-5 | コーポ桜201号室
〒594-0071 大阪府 和泉市 府中町 2-7-5 | 大阪府 | 和泉市 | 府中町 | 2-7-5 |
札幌市北3条西6丁目 | 北海道 | 札幌市中央区 | 北三条西 | 6 |
大阪府堺市堺区柳之町東2丁2-31 | 大阪府 | 堺市堺区 | 柳之町東 | 2-2-31 |
府中市宮西町2-24 | 東京都 | 府中市 | 宮西町 | 2-24 |
広島県府中市府川町315 | 広島県 | 府中市 | 府川町 | 315 |
京都市中京区寺町通御池上る上本能寺前町488 | 京都府 | 京都市中京区 | 上本能寺前町 | 488 |
京都市東山区大和大路通三条下る東入若松町393 | 京都府 | 京都市東山区 | 若松町 | 393 |
京都府京都市上京区役人町中立売通堀川西入260番 | 京都府 | 京都市上京区 | 役人町 | 260 | 中立売通堀川西入
中京区寺町通御池上る上本能寺前町488 | 京都府 | 京都市中京区 | 上本能寺前町 | 488 |
静岡県浜松市中区鍛治町100-1 | 静岡県 | 浜松市中央区 | 鍛冶町 | 100-1 |
埼玉県浦和市高砂3-15-1 | 埼玉県 | さいたま市浦和区 | 高砂 | 3-15-1 |
札幌市中央区北3西6 | 北海道 | 札幌市中央区 | 北三条西 | 6 |
札幌市西区二十四軒2条2丁目3番3号 | 北海道 | 札幌市西区 | 二十四軒二条 | 2-3-3 |
大阪 和泉市府中町2-7-5 | 大阪府 | 和泉市 | 府中町 | 2-7-5 |
石川県七尾市藤橋町 亥 四十五番地1 | 石川県 | 七尾市 | 藤橋町 | 亥45-1 |
石川県鳳珠郡穴水町字川島ラの174 | 石川県 | 鳳珠郡穴水町 | 川島 | ラ174 |
東京都町田市木曽東4-14ーイ22 | 東京都 | 町田市 | 木曽東 | 4-14-イ22 |
千葉県旭市ニの2132 | 千葉県 | 旭市 | ニ | 2132 |
和歌山県東牟婁郡串本町串本千二百三十四 | 和歌山県 | 東牟婁郡串本町 | 串本 | 1234 |
千代田区紀尾井町壱番地三号 | 東京都 | 千代田区 | 紀尾井町 | 1-3 |
千代田区紀尾井町1-3三田マンション999 | 東京都 | 千代田区 | 紀尾井町 | 1-3 | 三田マンション999
福島県会津若松市一箕町大字鶴賀字下柳原1 | 福島県 | 会津若松市 | 一箕町鶴賀 | 1 | 字下柳原
長野市大字鶴賀緑町1613番地 | 長野県 | 長野市 | 鶴賀 | 1613 | 緑町
岩手県下閉伊郡普代村第9地割字銅屋13番地2 | 岩手県 | 下閉伊郡普代村 | 第9地割 | 13-2 | 字銅屋
岐阜県飛驒市神岡町船津1 | 岐阜県 | 飛騨市 | 神岡町船津 | 1 |
青森県八戸市十文字5-1 | 青森県 | 八戸市 | 十文字 | 5-1 |
和歌山市7番町19 | 和歌山県 | 和歌山市 | 七番丁 | 19 |
白河市大字五郎窪25番地先 | 福島県 | 白河市 | 五郎窪 | 25 |
愛知県豊田市西丹波町三五十 | 愛知県 | 豊田市 | 西丹波町 | | 三五十
富山市水橋池田舘（水橋花の井町）4番地17 | 富山県 | 富山市 | 水橋池田舘 | 4-17 | (水橋花の井町)
東京都千代田区霞ヶ関１丁目２番３号 | 東京都 | 千代田区 | 霞が関 | 1-2-3 |
新潟県中魚沼郡津南町大字下船渡戊585番地 | 新潟県 | 中魚沼郡津南町 | 下船渡 | 戊585 |
西和賀町沢中73地割1番地 | 岩手県 | 和賀郡西和賀町 | 沢中 | 73-1 |
わかば市桜台三丁目12番5号 | 大阪府 | わかば市 | 桜台 | 3-12-5 |
桜台3-12-5-201 | 大阪府 | わかば市 | 桜台 | 3-12-5 | 201
わかば市上野1234-5 山田様方 | 大阪府 | わかば市 | 大字上野 | 1234-5 | 山田様方
わかば市緑町201号室 | 大阪府 | わかば市 | 緑町 | | 201号室
"""

HOME = AddressRules("大阪府", "わかば市", frozenset({"桜台", "緑町", "大字上野"}))


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


@pytest.mark.parametrize(("raw", "key", "loose", "family", "given"), rows(NAMES))
def test_name(raw: str, key: str, loose: str, family: str, given: str) -> None:
    name = clean_name(raw)
    assert (name.display, name.key, name.loose_key) == (raw, key, loose)
    assert (name.family, name.given) == (family, given)


@pytest.mark.parametrize(("raw", "kana", "key"), rows(KANA))
def test_kana(raw: str, kana: str, key: str) -> None:
    assert (clean_kana(raw).kana, clean_kana(raw).key) == (kana, key)


@pytest.mark.parametrize(("raw", "expected"), rows(DATES))
def test_date(raw: str, expected: str) -> None:
    read = clean_date(raw)
    assert (read.date.isoformat() if read.date else "") == expected
    assert bool(read.reason) == (not expected)


@pytest.mark.parametrize("row", rows(ADDRESSES), ids=lambda row: row[0])
def test_address(row: list[str]) -> None:
    read = clean_address(row[0], HOME)
    parts = (read.prefecture, read.city, read.town, read.block, read.rest)
    assert [p or "" for p in parts] == [*row[1:], ""][:5]


def test_a_town_of_the_own_city_is_not_taken_for_a_city_of_that_name() -> None:
    izumi = AddressRules("大阪府", "和泉市", frozenset({"府中町"}))
    home, away = clean_address("府中町2-7-5", izumi), clean_address("府中町大通3-5-1", izumi)
    assert (home.city, home.town, home.block) == ("和泉市", "府中町", "2-7-5")
    assert (away.city, away.town, away.block) == ("安芸郡府中町", "大通", "3-5-1")


@pytest.mark.parametrize(
    "same",
    [
        ("大阪府和泉市府中町二丁目7番5号", "和泉市府中町2-7-5", "大阪府和泉市府中町２丁目７番地５"),
        ("東京都千代田区霞が関1-2-3", "千代田区霞ヶ関一丁目2番3号", "東京都千代田区霞ケ関１－２－３"),
        ("岐阜県不破郡関ケ原町大字関ケ原894番地の58", "関ヶ原町関ヶ原894-58"),
        ("わかば市大字上野1234番地の5", "上野1234-5"),
    ],
)
def test_spellings_of_one_address_have_one_key(same: tuple[str, ...]) -> None:
    assert len({clean_address(text, HOME).key for text in same}) == 1
