"""The desk's day: a list is drawn, its letters fit the window to the millimetre, an answer and a question come in."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.functional.conftest import Visit, press
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
PX_PER_MM = 96 / 25.4
INSIDE = """() => [...document.querySelectorAll('.sheet')].map((sheet) => {
    const paper = sheet.getBoundingClientRect(), box = sheet.querySelector('.window').getBoundingClientRect();
    const words = sheet.querySelector('.words').getBoundingClientRect();
    const lines = [...sheet.querySelectorAll('.window p')].map((p) => p.getBoundingClientRect());
    return {paper: [paper.width, paper.height], box: [box.left - paper.left, box.top - paper.top, box.width, box.height],
        fits: lines.every((l) => l.right <= box.right + 0.5 && l.bottom <= box.bottom + 0.5 && l.top >= box.top - 0.5),
        gap: words.top - box.bottom, end: words.bottom - paper.bottom};
})"""


def make_list(page: Page, name: str) -> None:
    page.get_by_label("名簿の名前").fill(name)
    press(page.get_by_role("button", name="いまの受給者から引く"))


def test_a_list_its_letters_an_answer_by_its_code_and_a_withdrawal(visit: Callable[[str], Visit]) -> None:
    seen = visit("programme_desk")
    page = seen.open("/consents/")
    make_list(page, "秋の現況届に同封")
    expect(page.get_by_role("row", name="秋の現況届に同封")).to_contain_text("児童扶養手当")
    page.get_by_role("button", name="秋の現況届に同封の手紙を印刷する").click()
    expect(page.locator(".sheet").first).to_be_visible()
    sheets = page.evaluate(INSIDE)
    assert sheets
    for sheet in sheets:
        assert sheet["paper"] == pytest.approx([210 * PX_PER_MM, 297 * PX_PER_MM], abs=0.5)
        assert sheet["box"] == pytest.approx([v * PX_PER_MM for v in (20, 15, 90, 45)], abs=0.5)
        assert sheet["fits"] and sheet["gap"] > 5 * PX_PER_MM and sheet["end"] < 0
    assert violations(page) == []
    code = re.search(r"\d{4}-\d{4}-\d{4}", page.content())
    assert code is not None
    page = seen.open("/consents/")
    page.get_by_label("手紙の登録番号（12桁）か宛先番号（8文字）").fill(code.group())
    press(page.get_by_role("button", name="開く"))
    assert violations(page) == []
    page.get_by_label("要", exact=True).check()
    page.get_by_label("税の情報を使ってよい").check()
    press(page.get_by_role("button", name="記録する"))
    expect(page.locator("main")).to_contain_text("いまは「お知らせを受け取る」")
    page.get_by_label("撤回", exact=True).check()
    press(page.get_by_role("button", name="記録する"))
    expect(page.locator("main")).to_contain_text("いまは「受け取らない・答えていない」")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_call_is_entered_taken_and_answered(visit: Callable[[str], Visit]) -> None:
    seen = visit("programme_desk")
    page = seen.open("/enquiries/")
    press(page.get_by_role("button", name="入れる"))
    expect(page.get_by_role("row", name="問合せ 1").first).to_contain_text("未対応")
    assert violations(page) == []
    press(page.get_by_role("button", name="問合せ 1を引き受ける"))
    expect(page.get_by_role("row", name="問合せ 1").first).to_contain_text("対応中")
    press(page.get_by_role("button", name="問合せ 1に答えた"))
    assert "問合せ 1" in seen.open("/enquiries/?done=1").locator("main").inner_text()


def test_the_list_for_the_counter_is_made_and_one_household_is_told(visit: Callable[[str], Visit]) -> None:
    seen = visit("programme_desk")
    page = seen.open("/counter/")
    press(page.get_by_role("button", name="いまのデータで更新する"))
    rows = page.locator("tbody tr")
    before = rows.count()
    assert before > 1 and violations(page) == []
    press(page.get_by_role("button", name="を伝えたと記録する").first)
    expect(rows).to_have_count(before - 1 if before < 50 else 50)
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
