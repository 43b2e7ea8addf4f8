"""Texts and rules of notices as data: what is refused, and how a changed text is noticed."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from kizuki.app import doctor
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.messages import FIELDS, NEVER_SAID, Messages, digest_of, load
from kizuki.definitions.shipped import shipped_definitions
from kizuki.terms.errors import DefinitionError

FOLDER = shipped_definitions() / "messages"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "messages"))


def changed(folder: Path, file: str, old: str, new: str) -> Path:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_what_is_shipped_can_be_loaded() -> None:
    found: Messages = load(FOLDER)
    assert {t.named for t in found.templates.values()} == {True, False}
    assert not any(word in v.text for t in found.templates.values() for v in t.versions for word in NEVER_SAID)
    assert all(v.fields <= set(FIELDS) for t in found.templates.values() for v in t.versions)
    assert (found.rules.cooldown_days, found.rules.monthly_cap, found.rules.cancel_minutes) == (180, 2, 10)


def test_a_changed_text_under_the_same_version_is_refused_and_the_way_out_named(folder: Path) -> None:
    changed(folder, "templates/neutral.yaml", "お知らせがあります。", "だいじなお知らせがあります。")
    with pytest.raises(DefinitionError, match="K811") as refused:
        load(folder)
    assert "新しい版" in refused.value.fix


def test_an_overlay_cannot_write_a_shipped_version_again_but_may_add_one(folder: Path, tmp_path: Path) -> None:
    text = "お知らせです。\n{リンク}\n{所管課の電話}"

    def overlay(version: str) -> Path:
        made = tmp_path / version
        (made / "templates").mkdir(parents=True)
        body = "\n".join(f"      {line}" for line in text.splitlines())
        digest = digest_of("neutral", version, text)
        (made / "templates" / "neutral.yaml").write_text(
            f"ID: neutral\n版の一覧:\n  - 版: '{version}'\n    作成者: 広報課\n    承認者: 広報課長\n    作成日: 2026-11-21\n"
            f"    照合値: {digest}\n    本文: |-\n{body}\n",
            encoding="utf-8",
        )
        return made

    with pytest.raises(DefinitionError, match="K811"):
        load(folder, [overlay("2026.1")])
    found = load(folder, [overlay("2026.2")])
    assert [v.version for v in found.templates["neutral"].versions] == ["2026.1", "2026.2"]
    assert found.templates["neutral"].latest.version == "2026.2"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{リンク}", "{リンク}{氏名}"),
        ("{リンク}", "{制度名} {リンク}"),
        ("{リンク}", "リンクなし"),
        ("{リンク}", "{リンク}{リンク}"),
        ("{リンク}", "{リンク} {"),
        ("お知らせがあります", "児童手当に該当します"),
        ("お知らせがあります", "手当を受給できます"),
    ],
)
def test_fields_of_a_person_and_words_that_promise_are_refused(old: str, new: str, folder: Path) -> None:
    with pytest.raises(DefinitionError, match="K804"):
        load(changed(folder, "templates/neutral.yaml", old, new))


def test_a_named_text_says_may_be_usable(folder: Path) -> None:
    with pytest.raises(DefinitionError, match="使える可能性"):
        load(changed(folder, "templates/named.yaml", "使える可能性があります", "使えます"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("送らない時刻の始まり: '20:00'", "送らない時刻の始まり: '23:00'"),
        ("送らない時刻の終わり: '09:00'", "送らない時刻の終わり: '06:00'"),
        ("送らない時刻の終わり: '09:00'", "送らない時刻の終わり: '18:30'"),
        ("取り消せる分数: 10", "取り消せる分数: 1"),
        ("一世帯の月の上限: 2", "一世帯の月の上限: 100"),
    ],
)
def test_rules_a_city_may_not_loosen(old: str, new: str, folder: Path) -> None:
    with pytest.raises(DefinitionError, match="K804"):
        load(changed(folder, "rules.yaml", old, new))


def test_a_day_of_another_year_and_a_missing_page_are_refused(folder: Path) -> None:
    with pytest.raises(DefinitionError, match="2026年でない日"):
        load(changed(folder, "calendar.yaml", "{日: 2026-01-01, 名称: 元日}", "{日: 2025-01-01, 名称: 元日}"))
    (folder / "calendar.yaml").unlink()
    with pytest.raises(DefinitionError, match="K810"):
        load(folder)


@pytest.mark.parametrize(("today", "well"), [("2026-11-20", True), ("2027-11-15", False), ("2028-02-01", False)])
def test_doctor_warns_before_the_holidays_run_out(today: str, well: bool, tmp_path: Path) -> None:
    found = doctor.examine(tmp_path, lambda: load_definitions(shipped_definitions()), dt.date.fromisoformat(today))
    check = next(c for c in found if c.name == "お知らせの祝日の表")
    assert check.ok == well and check.optional
