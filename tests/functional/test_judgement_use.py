"""Journeys without JavaScript: an answer and its undo, a correction, a stop that reaches the caseworker at the next page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.conftest import press, serve
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A city of its own: a stop would reach the other tests' screens."""
    yield from serve(Path(tmp_path_factory.mktemp("stopped")), 30)


def signed_in(browser: Browser, address: str, role: str, *, script: bool = False) -> Page:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ja-JP", java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{address}/demo/")
    page.locator(f"form:has(input[value={role}]) button").click()
    return page


def test_an_answer_is_recorded_undone_and_asks_the_office(browser: Browser, own_address: str) -> None:
    page = signed_in(browser, own_address, "caseworker")
    page.goto(f"{own_address}/candidates/?criteria=absence")
    press(page.locator("[data-row-link]").first)
    press(page.get_by_role("link", name="不登校の根拠"))
    expect(page.get_by_role("heading", name="下げた要素")).to_be_visible()
    page.get_by_label("当たり").check()
    press(page.get_by_role("button", name="記録する"))
    expect(page.locator("[aria-labelledby=h-found] strong").first).to_have_text("当たり")
    page.get_by_label("情報誤り", exact=False).first.check()
    press(page.get_by_role("button", name="記録する"))
    expect(page.get_by_role("alert")).to_contain_text("項目が選ばれていません")
    page.get_by_label("誤りのある項目").select_option(index=1)
    press(page.get_by_role("button", name="記録する"))
    expect(page.locator("[aria-labelledby=h-found]")).to_contain_text("訂正の依頼 1：依頼中")
    press(page.get_by_role("button", name="元に戻す"))
    expect(page.locator("[aria-labelledby=h-found] strong").first).to_have_text("当たり")


def test_how_the_list_is_seen_is_remembered_and_readable(browser: Browser, own_address: str) -> None:
    page = signed_in(browser, own_address, "caseworker", script=True)
    page.goto(f"{own_address}/candidates/?known=hide&merged=1")
    expect(page.locator("caption")).to_contain_text("既に関わりのある家庭を除いています")
    assert violations(page) == []
    page.goto(f"{own_address}/candidates/")
    expect(page.locator("caption")).to_contain_text("世帯目")
    expect(page.get_by_label("既に関わりのある家庭")).to_have_value("hide")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.goto(f"{own_address}/candidates/?known=all&merged=")  # as the other journeys expect it


def test_a_stop_reaches_the_caseworker_at_the_next_page(browser: Browser, own_address: str) -> None:
    worker, office = signed_in(browser, own_address, "caseworker"), signed_in(browser, own_address, "steering")
    worker.goto(f"{own_address}/candidates/?criteria=absence")
    child = str(worker.locator("[data-row-link]").first.get_attribute("href")).partition("?")[0]
    office.goto(f"{own_address}/sheets/absence/")
    press(office.get_by_role("button", name="この判定を止める"))
    expect(office.get_by_role("alert")).to_contain_text("理由がありません")
    office.get_by_label("止める理由").fill("欠席の数え方の誤り")
    press(office.get_by_role("button", name="この判定を止める"))
    expect(office.locator("main")).to_contain_text("緊急停止中です")
    worker.goto(f"{own_address}/candidates/")
    assert "不登校" not in worker.locator("tbody").inner_text()
    worker.goto(own_address + child)
    expect(worker.locator("main")).to_contain_text("緊急停止中の判定：不登校")
    assert worker.locator("a[href*='/judgement/absence/']").count() == 0
    office.goto(f"{own_address}/sheets/absence/ledger/")
    expect(office.locator("main")).to_contain_text("活用主体")
    office.goto(f"{own_address}/sheets/absence/")
    office.get_by_label("解く理由").fill("直した")
    press(office.get_by_role("button", name="解くことを求める"))
    expect(office.locator("main")).to_contain_text("求めた本人は認められません")
