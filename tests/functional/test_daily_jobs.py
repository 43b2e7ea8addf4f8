"""The daily jobs within their clicks, with and without the mouse, with and without JavaScript."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, expect

from tests.functional.conftest import Visit, key_press, press
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
FOLD = 768
CELLS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(path: Path) -> list[list[list[str]]]:
    """Every sheet of an .xlsx as rows of text."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(si.itertext()) for si in ElementTree.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{CELLS}si")
        ]
        found = []
        for name in sorted(n for n in book.namelist() if n.startswith("xl/worksheets/sheet")):
            rows = ElementTree.fromstring(book.read(name)).iter(f"{CELLS}row")
            found.append([[_cell(c, strings) for c in row.iter(f"{CELLS}c")] for row in rows])
        return found


def _cell(cell: ElementTree.Element, strings: list[str]) -> str:
    value = cell.findtext(f"{CELLS}v") or ""
    return strings[int(value)] if cell.get("t") == "s" else value


def test_new_candidates_are_one_click_away_and_ten_rows_are_above_the_fold(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").page
    press(page.get_by_role("link", name="新着を見る"))
    boxes = [row.bounding_box() for row in page.locator("table.list tbody tr").all()]
    whole = [b for b in boxes if b is not None and b["y"] + b["height"] <= FOLD]
    assert len(whole) >= 10


def test_one_child_is_one_click_and_the_evidence_needs_no_scrolling(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/?criteria=absence&order=年齢")
    press(page.locator("[data-row-link]").first)
    for heading in ("なぜ候補になったか", "まだ分かっていないこと", "世帯", "これまでの経過"):
        box = page.get_by_role("heading", name=heading, exact=True).bounding_box()
        assert box is not None and box["y"] + box["height"] <= FOLD, heading
    button = page.get_by_role("button", name="記録する").bounding_box()
    assert button is not None and button["y"] + button["height"] <= FOLD


def test_recording_is_two_clicks_and_can_be_undone(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/")
    press(page.locator("[data-row-link]").nth(3))
    page.get_by_label("状態").select_option("確認中")
    press(page.get_by_role("button", name="記録する"))
    expect(page.get_by_role("status")).to_contain_text("1人を「確認中」に")
    assert violations(page) == []
    press(page.get_by_role("button", name="元に戻す"))
    expect(page.get_by_role("status")).to_contain_text("1人の変更を元に戻しました")
    expect(page.get_by_label("状態")).to_have_value("新着")


def test_dismissing_without_a_reason_is_refused_and_keeps_what_was_chosen(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/")
    press(page.locator("[data-row-link]").first)
    page.get_by_label("状態").select_option("見送り")
    press(page.get_by_role("button", name="記録する"))
    expect(page.get_by_role("alert")).to_contain_text("見送りには理由が要ります")
    expect(page.get_by_label("状態")).to_have_value("見送り")
    assert violations(page) == []


def test_the_bulk_bar_comes_with_a_selection_and_its_change_can_be_undone(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/")
    bar = page.locator("[data-bulk]")
    expect(bar).to_be_hidden()
    page.locator("input[name=child]").nth(0).check()
    page.locator("input[name=child]").nth(1).check()
    expect(bar).to_contain_text("2人を")
    bar.get_by_label("状態").select_option("会議待ち")
    press(bar.get_by_role("button", name="変更する"))
    expect(page.get_by_role("status")).to_contain_text("2人を「会議待ち」に")
    press(page.get_by_role("button", name="元に戻す"))
    expect(page.get_by_role("status")).to_contain_text("2人の変更を元に戻しました")


def test_filtering_changes_the_address_and_the_way_back_keeps_it(visit: Callable[[str], Visit]) -> None:
    seen = visit("caseworker")
    page = seen.open("/candidates/")
    page.get_by_label("類型").select_option("absence")
    expect(page).to_have_url(re.compile(r"/candidates/\?.*criteria=absence"))
    assert violations(page) == []
    press(page.locator("[data-row-link]").nth(1))
    press(page.get_by_role("link", name="次のこども →"))
    press(page.get_by_role("link", name="← 支援候補"))
    expect(page.get_by_label("類型")).to_have_value("absence")


def test_keys_reach_search_and_rows(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/")
    page.keyboard.press("/")
    expect(page.get_by_label("氏名・カナ")).to_be_focused()
    page.keyboard.type("すずき")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("name="))  # the rows before the search may begin with the same name
    page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    rows = page.locator("[data-row-link]")
    expect(rows.first).to_contain_text("鈴木")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    key_press(page, "Enter")
    expect(page.get_by_role("heading", name="なぜ候補になったか")).to_be_visible()


def test_the_excel_file_holds_what_the_list_shows_and_says_what_it_is(visit: Callable[[str], Visit]) -> None:
    page = visit("caseworker").open("/candidates/?criteria=absence")
    shown = page.locator("[data-row-link]").all_inner_texts()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Excelに出力").click()
    cover_rows, rows = sheets(waiting.value.path())
    cover = {row[0]: row[1] for row in cover_rows}
    names = [row[1] for row in rows[1:]]
    assert names[: len(shown)] == shown
    assert cover["件数"] == f"{len(names)}人"
    assert {"条件", "データ基準日", "出力者", "利用目的"} <= set(cover)


def test_the_list_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/demo/")
    page.locator("form:has(input[value=caseworker]) button").click()
    page.goto(f"{address}/candidates/")
    page.get_by_label("類型").select_option("absence")
    press(page.get_by_role("button", name="絞り込む"))
    expect(page.get_by_label("類型")).to_have_value("absence")
    expect(page.locator("[data-bulk]")).to_be_visible()
    context.close()
