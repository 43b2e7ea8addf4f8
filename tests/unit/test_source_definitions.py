"""Definitions of sources: what the loader reads, and what it refuses with file and line."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.definitions.loader import load_definitions, load_manifest, load_sources, source_schema
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.sources import SourceManifest, column_keys
from kizuki.definitions.yaml import read_text
from kizuki.govern.signing import Decision, new_signer, read_key, register_signer, sign, signer_of, switch_on, verify
from kizuki.terms.errors import DefinitionError, UsageError
from kizuki.terms.tables import Klass

GOOD = """ID: trial
名称: 試し
所管: 試験課
系統: 試験
法的根拠: 個人情報保護法61条
利用目的: 試験
頻度: 毎月
猶予日数: 1
保存日数: 010
届け方: 差分
ファイル名: 'trial_(?P<as_of>\\d{8})\\.csv'
様式:
  - {ID: v1, 文字コード: CP932}
主キー: [key]
項目:
  - {名: key, 見出し: 番号, 型: 文字, 必須: はい, 機微: 本人}
  - {名: code, 見出し: 区分, 型: コード, 空欄: 未入力, 区分: {"01": 甲, "no": 乙}, 機微: 給付}
"""


def load(tmp_path: Path, text: str) -> SourceManifest:
    path = tmp_path / "sources" / "trial.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_sources([tmp_path])["trial"]


def test_text_stays_text_and_types_come_from_the_model(tmp_path: Path) -> None:
    manifest = load(tmp_path, GOOD)
    assert manifest.retention_days == 10
    assert manifest.field("code").categories == {"01": "甲", "no": "乙"}
    assert manifest.field("key").klass is Klass.IDENT


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("法的根拠: 個人情報保護法61条", "法的根拠: 個人情報保護法69条2項2号", "69条2項"),
        ("法的根拠: 個人情報保護法61条", "法的根拠: 個人情報保護法第六十九条第二項第一号", "69条2項"),
        ("法的根拠: 個人情報保護法61条", "法的根拠: 個人情報保護法６９条２項", "69条2項"),
        ("法的根拠: 個人情報保護法61条", "法的根拠: 未確認", "未確認"),
        ("必須: はい, 機微: 本人", "機微: 本人", "空欄の意味"),
        ("必須: はい, 機微: 本人", "必須: はい, 空欄: ゼロ, 機微: 本人", "空欄の意味"),
        ("必須: はい, 機微: 本人", "必須: yes!, 機微: 本人", "はい"),
        ("空欄: 未入力", "空欄: なんとなく", "未整備"),
        ("機微: 給付", "機微: 給付, 整え方: まほう", "なし"),
        ("機微: 給付", "機微: 給付, 書式: '('", "正規表現"),
        ("型: 文字, 必須", "型: もじ, 必須", "文字"),
        ("主キー: [key]", "主キー: [nothing]", "nothing"),
        ("主キー: [key]", "主キー: [code]", "必須"),
        ("様式:\n", "様式:\n  - {ID: v0, 文字コード: UTF-8}\n", "重なって"),
        ("猶予日数: 1", "猶予日数: いち", "整数"),
        ("猶予日数: 1", "なぞ: 1", "知らない項目"),
        ("(?P<as_of>\\d{8})", "", "時点"),
    ],
)
def test_a_manifest_that_may_not_run_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(DefinitionError) as error:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert told in str(error.value)
    assert "trial.yaml:" in error.value.where


def test_a_finding_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        load(tmp_path, GOOD.replace("型: コード", "型: こうど"))
    assert "trial.yaml:17" in error.value.where


def test_a_duplicate_key_is_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        load(tmp_path, GOOD + "名称: 二度目\n")
    assert error.value.code == "K802"
    assert error.value.where.endswith("trial.yaml:18")
    assert "2行目" in error.value.what


@pytest.mark.parametrize(("text", "code"), [("", "K803"), ("a: [", "K801"), ("a: &x 1\nb: *x\n", "K801"), ("b: 1\n", "K804")])
def test_what_is_no_definition_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(DefinitionError) as error:
        load(tmp_path, text)
    assert error.value.code == code


def test_an_overlay_wins_key_by_key_and_column_by_column(tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    overlay = tmp_path / "city" / "sources" / "trial.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("ID: trial\n猶予日数: 9\n項目:\n  - {名: code, 空欄: ゼロ}\n", encoding="utf-8")
    manifest = load_sources([tmp_path, tmp_path / "city"])["trial"]
    assert manifest.grace_days == 9
    assert [f.name for f in manifest.fields] == ["key", "code"]
    assert manifest.field("code").blank == "zero"
    assert manifest.field("code").title == "区分"


def test_the_version_follows_every_file_and_the_fingerprint_only_what_is_read(tmp_path: Path) -> None:
    before = load(tmp_path, GOOD)
    version = load_definitions(tmp_path).version
    after = load(tmp_path, GOOD.replace("利用目的: 試験", "利用目的: 別の試験"))
    assert load_definitions(tmp_path).version != version
    assert after.fingerprint == before.fingerprint
    assert load(tmp_path, GOOD.replace("CP932", "UTF-8")).fingerprint != before.fingerprint


def test_the_sixteen_sources_load_and_say_what_every_blank_means() -> None:
    sources = load_sources([shipped_definitions()])
    assert len(sources) == 16
    assert {m.id for m in sources.values() if not m.enabled} == {"municipal_tax"}
    for manifest in sources.values():
        assert all(f.required or f.blank is not None for f in manifest.fields)
        assert manifest.legal_basis and manifest.purpose and manifest.owner
    assert sources["school_life"].columns(sources["school_life"].layouts[1])[5] == "name"
    assert None in sources["municipal_tax"].columns(sources["municipal_tax"].layouts[0])


def test_the_schema_offers_the_words_of_the_definitions() -> None:
    schema = source_schema()
    field = schema["$defs"]["Field"]["properties"]
    assert field["型"]["enum"][:2] == ["文字", "整数"]
    assert "未入力" in str(field["空欄"])
    assert field["必須"]["enum"] == ["はい", "いいえ"]
    assert "法的根拠" in schema["required"]
    assert schema["additionalProperties"] is False


def test_a_column_without_a_title_or_with_a_repeated_one_has_a_key() -> None:
    assert column_keys(["備考", "", "備考"]) == ("備考", "（2列目）", "備考#2")


def test_a_node_knows_where_it_was_written() -> None:
    node = read_text("a:\n  - b: 1\n", Path("x.yaml"))
    inner = node.get("a")
    assert inner is not None
    assert inner.plain() == [{"b": "1"}]
    assert inner.where() == "x.yaml:2"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def key(home: Path, tmp_path: Path) -> Ed25519PrivateKey:
    made = new_signer(tmp_path / "keys" / "chief.pem")
    register_signer(home, "chief", "総括管理主体", made)
    return made


DECISION = Decision("令8総第1号", "2026-04-01", "市長")


def tax(home: Path) -> SourceManifest:
    return load_sources([shipped_definitions(), home / "definitions"])["municipal_tax"]


def test_a_signed_switch_turns_the_tax_feed_on(home: Path, key: Ed25519PrivateKey, tmp_path: Path) -> None:
    assert not tax(home).enabled
    stored = read_key(tmp_path / "keys" / "chief.pem")
    assert signer_of(home, stored).id == "chief"
    switch_on(home, tax(home), DECISION, signer="chief", key=stored)
    assert tax(home).enabled


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("市長", "課長"),
        ("2026-04-01", "2026-04-02"),
        ("chief", "nobody"),
        ("令8総第1号", "令8総第2号"),
        ('municipal_tax"\n許可', 'childcare"\n許可'),
    ],
)
def test_an_altered_switch_stops_loading(home: Path, key: Ed25519PrivateKey, old: str, new: str) -> None:
    path = switch_on(home, tax(home), DECISION, signer="chief", key=key)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        tax(home)
    assert error.value.code == "K806"


def test_a_switch_signed_by_another_key_stops_loading(home: Path, key: Ed25519PrivateKey) -> None:
    switch_on(home, tax(home), DECISION, signer="chief", key=Ed25519PrivateKey.generate())
    with pytest.raises(DefinitionError):
        tax(home)


def test_a_switch_does_not_cover_columns_added_later(home: Path, key: Ed25519PrivateKey) -> None:
    switch_on(home, tax(home), DECISION, signer="chief", key=key)
    overlay = home / "definitions" / "sources" / "municipal_tax.yaml"
    overlay.parent.mkdir(parents=True)
    column = "  - {名: salary_yen, 見出し: 給与, 型: 整数, 空欄: 未入力, 機微: 税}\n"
    overlay.write_text("ID: municipal_tax\n項目:\n" + column, encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        tax(home)
    assert "定義が変わって" in str(error.value)


def test_turning_it_on_in_the_definition_alone_is_refused(home: Path) -> None:
    overlay = home / "definitions" / "sources" / "municipal_tax.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("ID: municipal_tax\n有効: はい\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        tax(home)
    assert error.value.code == "K807"


def test_exempting_a_column_from_the_my_number_check_needs_a_switch(tmp_path: Path, key: Ed25519PrivateKey, home: Path) -> None:
    text = GOOD.replace("機微: 本人", "機微: 本人, 個人番号検査の免除: はい")
    with pytest.raises(DefinitionError) as error:
        load(tmp_path, text)
    assert error.value.code == "K807"
    with pytest.raises(DefinitionError):
        load_manifest(tmp_path / "sources" / "trial.yaml")
    exempt = SourceManifest.model_validate(read_text(text, tmp_path).plain())
    switch_on(home, exempt, DECISION, signer="chief", key=key, waive=("key",))
    manifest = load_sources([tmp_path, home / "definitions"])["trial"]
    assert manifest.field("key").mynumber_waiver


def test_signatures_fail_closed(key: Ed25519PrivateKey) -> None:
    good = sign(b"x", key)
    assert not verify(b"y", good, "AAAA")
    assert not verify(b"x", "not base64!", "AAAA")
    with pytest.raises(UsageError):
        read_key(Path("nowhere.pem"))
