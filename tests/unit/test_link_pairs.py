"""`link pairs` on tables nobody prepared: spellings, blanks, orders, refusals, and the guards that keep families apart."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from kizuki.app.link_pairs import link_pairs
from kizuki.app.pair_records import read_birth, read_sex
from kizuki.app.pair_tables import read_kinds, read_table
from kizuki.cli.main import app as verbs
from kizuki.cli.main import call
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.terms.errors import InputRefused

KINDS = """column,kind
番,id
氏名,name
姓,family
名,given
カナ,kana
セイ,family_kana
メイ,given_kana
生,birth_date
性,sex
〒,postcode
住所,address
電話,phone
携帯,phone
"""
LEFT = """番,氏名,カナ,生,性,住所
0001,佐藤　陽菜,サトウ ヒナ,平成28年5月3日,2,わかば市本町1丁目2番3号
0002,髙橋　蓮,タカハシ レン,平成27年7月9日,1,わかば市東町3丁目4番5号
0003,渡邉　結衣,ワタナベ ユイ,平成26年1月20日,2,わかば市西町1丁目1番1号
0004,伊藤　湊,イトウ ミナト,令和元年5月7日,1,わかば市本町2丁目2番2号
0005,鈴木　葵,スズキ アオイ,平成29年9月9日,2,わかば市北町5丁目5番5号
0006,田中　さくら,タナカ サクラ,平成25年12月1日,2,わかば市南町7丁目8番9号
"""


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(shipped_definitions())


class Desk:
    """A folder with LEFT, RIGHT and the columns file."""

    def __init__(self, folder: Path, definitions: Definitions) -> None:
        self.folder, self.definitions = folder, definitions
        self.told: list[str] = []

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def link(self, right: str | bytes, left: str | bytes = LEFT, kinds: str | bytes = KINDS) -> dict[str, Any]:
        """RIGHT id → (LEFT id, decision)."""
        paths = self.put("left.csv", left), self.put("right.csv", right), self.put("columns.csv", kinds)
        rows = link_pairs(self.definitions, *paths, self.told.append)
        assert [r["right_id"] for r in rows] == sorted({r["right_id"] for r in rows})
        assert {r["decision"] for r in rows} <= {"auto", "review"}
        return {r["right_id"]: (r["left_id"], r["decision"]) for r in rows}

    def refused(self, right: str | bytes, left: str | bytes = LEFT, kinds: str | bytes = KINDS) -> InputRefused:
        with pytest.raises(InputRefused) as refused:
            self.link(right, left, kinds)
        assert refused.value.exit_code == 4
        return refused.value


@pytest.fixture
def desk(tmp_path: Path, definitions: Definitions) -> Desk:
    return Desk(tmp_path, definitions)


@pytest.mark.parametrize(
    "right",
    [
        "番,氏名,カナ,生\na,佐藤陽菜,ｻﾄｳ ﾋﾅ,H28.5.3\n",
        "\ufeff生,カナ,氏名,番\r\n2016/5/3,サトウヒナ,佐藤 陽菜,a\r\n",
        '番,備考,氏名,生\r\na,"一行目\r\n二行目,まだ",佐藤　陽菜,4280503\r\n',
        "番,姓,名,生\na,佐藤,陽菜,２０１６年５月３日\n",
        "番,セイ,メイ,生,性\na,さとう,ひな,20160503,女子\n",
        "番,カナ,生\na,サトウ　ヒナ,42493\n",
        "番,氏名,生\na,サトウ ヒナ,平28.5.3生\n",
        "番,氏名,カナ,生,性,電話,〒,住所\na,佐藤陽菜,サトウヒナ,2016-05-03 00:00:00,Female,,,\n",
    ],
)
def test_one_child_in_every_spelling(desk: Desk, right: str) -> None:
    assert desk.link(right) == {"a": ("0001", "auto")}


def test_ids_stay_as_written_and_rows_in_order(desk: Desk) -> None:
    right = "番,氏名,生\n010,髙橋蓮,2015-07-09\n 1 ,高橋 蓮,2015-07-09\n001,佐藤陽菜,2016-05-03\n１,渡辺結衣,2014-01-20\n"
    found = desk.link(right)
    assert found == {" 1 ": ("0002", "auto"), "001": ("0001", "auto"), "010": ("0002", "auto"), "１": ("0003", "auto")}
    shuffled = "番,氏名,生\n" + "\n".join(reversed(right.splitlines()[1:])) + "\n"
    assert list(desk.link(shuffled).items()) == list(found.items())


def test_a_name_alone_is_never_joined_by_the_machine(desk: Desk) -> None:
    right = "番,氏名,カナ\na,佐藤陽菜,\nb,髙橋　蓮,\nc,,ワタナベ ユイ\nd,,いとうみなと\ne,田中さくら,\n"
    assert {key: how for key, (_, how) in desk.link(right).items()} == dict.fromkeys("abcde", "review")


def test_tables_without_most_columns_give_nothing_and_no_error(desk: Desk) -> None:
    assert desk.link("番\na\nb\n") == {}
    assert desk.link("番,生\na,2016-05-03\n") == {}
    assert desk.link("番,姓\na,佐藤\n") == {}
    assert desk.link("番,性,電話\na,女,090-1234-5678\n") == {}
    assert desk.link("番,氏名,生\na,佐藤陽菜,2016-05-03\n", left="番\n1\n") == {}
    assert desk.link("番,氏名,生\n") == {}
    assert desk.link("番,氏名,生\na,佐藤陽菜,2016-05-03\n", left="番,氏名,生\n") == {}


def test_an_absent_twin_is_never_joined_to_the_other(desk: Desk) -> None:
    # 陽菜's twin, brothers and sisters who are not on LEFT, with everything else the same
    home = "わかば市本町1丁目2番3号"
    right = "番,氏名,カナ,生,性,住所\n" + "".join(
        f"{key},{name},{kana},H28.5.3,{sex},{home}\n"
        for key, name, kana, sex in (
            ("a", "佐藤陽奈子", "サトウ ヒナコ", "女"),
            ("b", "佐藤陽葵", "サトウ ヒマリ", "女"),
            ("c", "佐藤 陽翔", "サトウ ハルト", "男"),
            ("d", "佐藤 妃那", "サトウ ヒナノ", ""),
            ("e", "", "サトウ ヒマ", ""),
            ("f", "佐藤陽太", "", ""),
        )
    )
    assert [key for key, (_, how) in desk.link(right).items() if how == "auto"] == []


def test_two_of_one_name_and_birthday_go_to_a_person(desk: Desk) -> None:
    left = LEFT + "0007,佐藤　陽菜,サトウ ヒナ,平成28年5月3日,2,わかば市北町9丁目9番9号\n"
    for row in ("a,佐藤陽菜,サトウ ヒナ,2016-05-03", "a,佐藤陽菜,,2016-05-03", "a,,サトウヒナ,2016-05-03"):
        found = desk.link(f"番,氏名,カナ,生\n{row}\n", left=left)
        assert found["a"][0] in ("0001", "0007")
        assert found["a"][1] == "review"


def test_a_person_listed_twice_is_joined_twice(desk: Desk) -> None:
    found = desk.link("番,氏名,カナ,生\na,佐藤陽菜,サトウ ヒナ,2016-05-03\nb,佐藤 陽菜,,H28.5.3\n")
    assert found == {"a": ("0001", "auto"), "b": ("0001", "auto")}


def test_shared_address_or_phone_is_never_enough(desk: Desk) -> None:
    left = LEFT.replace("住所\n", "住所,電話\n", 1).replace("3号\n", "3号,090-1234-5678\n", 1)
    left = left.replace("5号\n", "5号,\n").replace("1号\n", "1号,\n").replace("2号\n", "2号,\n").replace("9号\n", "9号,\n")
    right = "番,氏名,カナ,生,住所,携帯\na,佐藤　花子,サトウ ハナコ,1985-02-03,わかば市本町1-2-3,090-1234-5678\n"
    assert "auto" not in [how for _, how in desk.link(right, left=left).values()]


def test_a_placeholder_is_no_birthday(desk: Desk) -> None:
    names = [f"番{n}" for n in range(30)]
    left = LEFT + "".join(f"9{n:03},山田　{name},ヤマダ タロウ,1900-01-01,1,\n" for n, name in enumerate(names))
    found = desk.link("番,カナ,生\na,ヤマダ タロウ,1900-01-01\nb,サトウ ヒナ,2016-05-03\n", left=left)
    assert found.get("a", ("", ""))[1] != "auto"
    assert found["b"] == ("0001", "auto")


def test_what_a_crowd_shares_says_nothing_about_anyone(desk: Desk) -> None:
    shared = "わかば市本町1-1-1,0725-41-1551"
    letters = "春夏秋冬朝昼夕夜東西南北前後左右上下内外天地山川海空森林木竹花草鳥魚犬馬牛羊米麦豆茶赤青白黒金銀銅石砂水火風雨雪"
    people = [
        (f"{n:05}", letters[n // 55] + letters[n % 55], f"{1950 + n % 60}-{1 + n % 12:02}-{1 + n % 28:02}") for n in range(3000)
    ]
    left = "番,氏名,生,住所,電話\n" + "".join(f"{key},佐藤　{name},{born},{shared}\n" for key, name, born in people)
    right = "番,氏名,生,住所,電話\n" + "".join(f"r{key},佐藤{name},{born},{shared}\n" for key, name, born in people[:2000])
    right += f"x,佐藤　花,1999-01-01,{shared}\n"
    found = desk.link(right, left=left)
    assert found == {f"r{key}": (key, "auto") for key, _, _ in people[:2000]}
    unnamed = "番,氏名,生\n" + "".join(f"{n},氏名 不詳,19{n % 90 + 10}-01-01\n" for n in range(400))
    assert desk.link(unnamed, left=unnamed) == {}


@pytest.mark.parametrize(
    ("right", "code", "where"),
    [
        (b"", "K307", "right.csv"),
        ("番,氏名\na,佐藤陽菜\n".encode("cp932"), "K307", "right.csv"),
        ("番,氏名\na,佐藤陽菜\n".encode("utf-16"), "K307", "right.csv"),
        ('番,氏名\na,"佐藤陽菜\nb,鈴木葵\n', "K307", "right.csv"),
        ("氏名,生\n佐藤陽菜,2016-05-03\n", "K318", "right.csv"),
        ("番,氏名,氏名\na,佐藤陽菜,佐藤\n", "K318", "right.csv"),
        ("番,氏名\n,佐藤陽菜\n", "K308", "right.csv 2行目"),
        ("番,氏名\n\na,佐藤陽菜\n　,鈴木葵\n", "K308", "right.csv 4行目"),
        ("番,氏名\na,佐藤陽菜\nb,鈴木葵\na,鈴木葵\n", "K308", "right.csv 4行目"),
        ("番,氏名,住所\na,佐藤陽菜,本町,1-2\n", "K319", "right.csv 2行目"),
    ],
)
def test_tables_that_cannot_be_trusted_are_refused_whole(desk: Desk, right: str | bytes, code: str, where: str) -> None:
    refused = desk.refused(right)
    assert refused.code == code
    assert refused.where.startswith(where)
    assert "佐藤" not in str(refused) and "鈴木" not in str(refused)


@pytest.mark.parametrize(
    "kinds",
    [
        "", "column,kind\n", "番,id\n", "column,kind\n番,number\n", "column,kind\n番\n", "column,kind\n,id\n",
        "column,kind\n番,id\n番,name\n", "column,kind,kind\n番,id,id\n",
    ],
)  # fmt: skip
def test_columns_files_that_say_nothing_clear_are_refused(desk: Desk, kinds: str) -> None:
    assert desk.refused("番,氏名\na,佐藤陽菜\n", kinds=kinds).code == "K307"


def test_the_columns_file_may_be_loose_and_name_columns_nobody_has(desk: Desk) -> None:
    kinds = "\ufeffKind , Column,備考\r\nID,番,x\r\n name ,氏名,\r\nbirth_date,生,\r\nname,よそ,\r\nid,番,\r\n"
    assert desk.link("番,氏名,生\na,佐藤陽菜,2016-05-03\n", kinds=kinds) == {"a": ("0001", "auto")}
    assert desk.told == ["対応表の列「よそ」は、どちらの表にもありません。"]


def test_two_columns_of_one_kind_give_the_first_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text(KINDS, encoding="utf-8")
    (tmp_path / "t.csv").write_text("携帯,電話,番\n1,,a\n2,3,b\n", encoding="utf-8")
    table = read_table(tmp_path / "t.csv", read_kinds(tmp_path / "k.csv"))
    assert table.rows == [{"id": "a", "phone": "1"}, {"id": "b", "phone": "3"}]


def test_a_missing_file_is_a_refusal_with_exit_code_four(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    left, columns = desk.put("left.csv", LEFT), desk.put("columns.csv", KINDS)
    arguments = ["link", "pairs", str(left), str(desk.folder / "none.csv"), "--columns", str(columns)]
    assert call(lambda: verbs([*arguments, "--home", str(desk.folder)], standalone_mode=False)) == 4
    assert "K307" in capsys.readouterr().err
    assert call(lambda: verbs(["link", "pairs", str(left)], standalone_mode=False)) == 2


def test_ids_with_marks_come_out_as_csv(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    right = desk.put("right.csv", '番,氏名,生\n"a,""1""\nb",佐藤陽菜,2016-05-03\n')
    left, columns = desk.put("left.csv", LEFT), desk.put("columns.csv", KINDS)
    arguments = ["link", "pairs", str(left), str(right), "--columns", str(columns), "--home", str(desk.folder)]
    assert call(lambda: verbs(arguments, standalone_mode=False)) == 0
    printed = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [(r[0], r[1], r[3]) for r in printed[1:]] == [("0001", 'a,"1"\nb', "auto")]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("平成28年5月3日", "2016-05-03"), ("平成２８年５月３日生まれ", "2016-05-03"), ("H28.5.3", "2016-05-03"),
        ("h28/05/03", "2016-05-03"), ("4280503", "2016-05-03"), ("20160503", "2016-05-03"), ("20160503.0", "2016-05-03"),
        ("西暦2016年5月3日", "2016-05-03"), ("2016.5.3", "2016-05-03"),
        ("42493", "2016-05-03"), ("令和元年5月1日", "2019-05-01"),
        ("2016年5月", None), ("2016-05", None), ("2016", None), ("2016-02-30", None), ("平成33年1月1日", None), ("不明", None),
        ("5/3/2016", None), ("0000-00-00", None), ("99999999", None),
    ],
)  # fmt: skip
def test_birthdays(text: str, iso: str | None) -> None:
    found = read_birth(text)
    assert (found.isoformat() if found else None) == iso


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("男", "1"), ("女性", "2"), ("１", "1"), ("2", "2"), ("M", "1"), ("Female", "2"), ("男子", "1"), ("女児", "2"),
        ("1:男", "1"),
        ("2 女", "2"), ("（女）", "2"), ("1女", None), ("0", None), ("9", None), ("不明", None), ("男女", None),
        ("その他", None),
    ],
)  # fmt: skip
def test_sexes(text: str, sex: str | None) -> None:
    assert read_sex(text) == sex
