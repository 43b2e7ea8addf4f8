"""Definitions of consent, letters and enquiries: what may not be written is refused with its file and line."""

import datetime as dt
from pathlib import Path

import pytest

from kizuki.definitions import consent_texts, enquiries, letters
from kizuki.definitions.shipped import shipped_definitions
from kizuki.terms.errors import DefinitionError

BASE = shipped_definitions()
TEXT = (BASE / consent_texts.FOLDER / "text_2026_1.yaml").read_text(encoding="utf-8")


def overlay(tmp_path: Path, name: Path, text: str) -> Path:
    target = tmp_path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_text_asked_is_the_one_in_force_begun_last(tmp_path: Path) -> None:
    newer = TEXT.replace('"2026.1"', '"2027.1"').replace("2026-04-01", "2027-04-01")
    own = overlay(tmp_path, consent_texts.FOLDER / "own.yaml", newer)
    texts = consent_texts.load(BASE / consent_texts.FOLDER, (own / consent_texts.FOLDER,))
    assert consent_texts.in_force(texts, dt.date(2027, 3, 31)).version == "2026.1"
    assert consent_texts.in_force(texts, dt.date(2027, 4, 1)).version == "2027.1"
    with pytest.raises(DefinitionError, match="K670"):
        consent_texts.in_force(texts, dt.date(2025, 1, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        TEXT.replace("  tax:", "  income:"),
        TEXT.replace("使い始め: 2026-04-01", "使い始め: 2026-04-01\n使い終わり: 2026-04-01"),
        TEXT.replace("題: ", "題名: "),
    ],
    ids=["a scope nobody knows", "over before it began", "an unknown key"],
)
def test_a_text_that_cannot_be_is_refused_where_it_stands(tmp_path: Path, wrong: str) -> None:
    own = overlay(tmp_path, consent_texts.FOLDER / "text.yaml", wrong)
    with pytest.raises(DefinitionError, match=r"(?s)K804.*text\.yaml:\d+") as refused:
        consent_texts.load(own / consent_texts.FOLDER)
    assert refused.value.exit_code == 3


def test_a_window_off_the_first_fold_is_refused_and_a_city_moves_its_own(tmp_path: Path) -> None:
    moved = overlay(tmp_path / "a", letters.FILE, "窓: {左: 22, 上: 17, 幅: 80, 高さ: 40}\n")
    form = letters.load(BASE, (moved,))
    assert (form.window.left, form.window.height) == (22.0, 40.0) and form.envelope == letters.load(BASE).envelope
    for wrong in (
        "{左: 20, 上: 60, 幅: 90, 高さ: 45}",
        "{左: 130, 上: 15, 幅: 90, 高さ: 45}",
        "{左: 0, 上: 15, 幅: 90, 高さ: 45}",
    ):
        with pytest.raises(DefinitionError, match="K804"):
            letters.load(BASE, (overlay(tmp_path / "b", letters.FILE, f"窓: {wrong}\n"),))
    with pytest.raises(DefinitionError, match="K670"):
        letters.load(tmp_path / "nowhere")


def test_days_by_topic_and_office_and_the_longest_for_what_is_not_known() -> None:
    rules = enquiries.load(BASE)
    assert rules.days("call", "こども給付課") == 2
    assert rules.days("call", "学校教育課") == 4
    assert rules.days("something new", "保育課") == max(t.days for t in rules.topics.values())
