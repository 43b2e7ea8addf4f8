"""引継ぎ in the browser: made, refused, approved, issued, printed, received; every page accessible and readable at 320 px."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kizuki.govern import envelope
from tests.functional.conftest import press, serve
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
NEXT = envelope.Keys.of(b"n" * 32, b"s" * 32)
"""The keys of another municipality."""
NARROW = 320


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(tmp_path_factory.mktemp("handed-over"), 90)


@pytest.fixture
def enter(browser: Browser, own_address: str) -> Iterator[Callable[[str], Page]]:
    contexts = []

    def sign_in(login: str) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ja-JP")
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{own_address}/demo/")
        page.locator(f"form:has(input[value={login}]) button").click()
        page.wait_for_url(f"{own_address}/")
        return page

    yield sign_in
    for context in contexts:
        context.close()


def looked_over(page: Page) -> None:
    """axe finds nothing, and nothing makes the page scroll sideways on a telephone."""
    expect(page.locator("h1")).to_be_visible()
    assert violations(page) == []
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert violations(page) == []
    page.set_viewport_size(size)


def test_a_letter_is_made_refused_approved_printed_and_issued(
    enter: Callable[[str], Page], own_address: str, tmp_path: Path
) -> None:
    page = enter("caseworker")
    page.goto(f"{own_address}/candidates/")
    page.goto(own_address + str(page.locator("[data-row-link]").first.get_attribute("href")))
    page.goto(own_address + str(page.locator("a[href$='/handover/']").first.get_attribute("href")))
    looked_over(page)
    page.get_by_label("引継ぎ先の市町村（必須）").fill("となり町")
    page.get_by_label("引継ぎ先の鍵").fill("鍵ではない文字")
    page.get_by_label("本人・保護者の同意").check()
    page.get_by_label("渡す理由").fill("支援を続けるため")
    press(page.get_by_role("button", name="承認を求める"))
    expect(page.get_by_role("alert")).to_contain_text("K766")
    looked_over(page)
    page.get_by_label("引継ぎ先の鍵").fill(NEXT.address)
    page.get_by_role("checkbox", name="在籍の期間").check()
    press(page.get_by_role("button", name="承認を求める"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("となり町")
    looked_over(page)
    document = page.url
    page.goto(f"{document}print/")
    expect(page.locator("main")).to_contain_text("承認された引継ぎ書だけを印刷できます")
    looked_over(page)

    chief = enter("steering")
    chief.goto(f"{own_address}/handovers/")
    looked_over(chief)
    chief.goto(document)
    looked_over(chief)
    press(chief.get_by_role("button", name="差し戻す"))
    expect(chief.get_by_role("alert")).to_contain_text("差し戻しには理由が要ります")
    looked_over(chief)
    press(chief.get_by_role("button", name="承認する"))
    expect(chief.locator("main")).to_contain_text("承認済み")

    page.goto(f"{document}print/")
    expect(page.get_by_role("heading", name="引継ぎ書", exact=True)).to_be_visible()
    looked_over(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="印刷する")).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(document)
    with page.expect_download() as coming:
        page.get_by_role("button", name="交付する").click()
    letter = Path(coming.value.path()).read_bytes()
    assert json.loads(envelope.unseal(letter, NEXT).content)["引継ぎ先"] == "となり町"
    page.goto(document)
    expect(page.locator("main")).to_contain_text("交付済み")
    looked_over(page)


def test_a_letter_that_came_in_is_read_and_given_to_nobody_by_machine(
    enter: Callable[[str], Page], own_address: str, tmp_path: Path
) -> None:
    page = enter("caseworker")
    page.goto(f"{own_address}/handovers/")
    address = page.locator("main code").inner_text().strip()
    path = tmp_path / "letter.json"
    path.write_bytes(b"{}")
    page.get_by_label("送られた引継ぎ書").set_input_files(str(path))
    press(page.get_by_role("button", name="受け取る"))
    expect(page.get_by_role("alert")).to_contain_text("K764")
    looked_over(page)
    path.write_bytes(envelope.seal(json.dumps(_document(), ensure_ascii=False).encode(), address, NEXT))
    page.get_by_label("送られた引継ぎ書").set_input_files(str(path))
    press(page.get_by_role("button", name="受け取る"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("まえの市から")
    expect(page.locator("main")).to_contain_text("別の総括管理者が、本人を確かめます")
    looked_over(page)
    letter = page.url
    page.goto(f"{own_address}/handovers/received/99999/")
    looked_over(page)
    chief = enter("steering")
    chief.goto(letter)
    looked_over(chief)


def _document() -> dict[str, Any]:
    """A letter about a child this city does not know, as another municipality writes it."""
    rows = {
        "identity": [{"氏名": "遠方　ことり", "生年月日": "2016-06-01"}],
        "consultation": [{"内容": "相談（ネグレクト）", "始まり": "2025-05-01", "元データ": "家庭児童相談"}],
    }
    return {
        "形式": "kizuki-handover-document/1", "作成日": "2026-10-01", "データ基準日": "2026-09-30", "引継ぎ元": "まえの市",
        "引継ぎ先": "わかば市", "根拠": {"名称": "同意", "条文": "69条"}, "理由": "転出",
        "部分": {part: {"名称": part, "行": found} for part, found in rows.items()},
    }  # fmt: skip
