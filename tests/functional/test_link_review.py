"""Review by keyboard, by two people, and without JavaScript, on a city of its own."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.city import RETURNED
from tests.functional.conftest import Visit, key_press, press, serve
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
FOLD = 768


@pytest.fixture(scope="module")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A city of its own: answers given here must not be in other tests' way."""
    yield from serve(tmp_path_factory.mktemp("reviewed"), 90)


@pytest.fixture
def enter(browser: Browser, own_address: str) -> Iterator[Callable[..., Page]]:
    contexts = []

    def sign_in(login: str = "link_reviewer", *, script: bool = True) -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ja-JP", java_script_enabled=script)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{own_address}/demo/")
        page.locator(f"form:has(input[value={login}]) button").click()
        page.wait_for_url(f"{own_address}/")
        return page

    yield sign_in
    for context in contexts:
        context.close()


def left(page: Page) -> int:
    """組 left, as the page says."""
    return int(re.findall(r"残り\s*(\d+)", page.locator("main").inner_text())[0])


def open_list(page: Page, own_address: str, name: str = "new") -> None:
    page.goto(f"{own_address}/review/{name}/")


def test_answering_by_keys_goes_on_to_the_next_pair_and_u_takes_it_back(enter: Callable[..., Page], own_address: str) -> None:
    page = enter()
    page.goto(f"{own_address}/review/")
    press(page.get_by_role("link", name="始める →"))
    first, count = page.url, left(page)
    key_press(page, "j")
    expect(page).not_to_have_url(first)
    key_press(page, "k")
    expect(page).to_have_url(first)
    key_press(page, "s")
    expect(page.get_by_role("status")).to_contain_text("「同じ人」と答えました")
    expect(page).not_to_have_url(first)
    assert left(page) == count - 1
    assert violations(page) == []
    key_press(page, "u")
    expect(page.get_by_role("status")).to_contain_text("取り消しました")
    expect(page).to_have_url(first)
    assert left(page) == count
    for key, said in (("2", "別の人"), ("h", "保留")):
        key_press(page, key)
        expect(page.get_by_role("status")).to_contain_text(f"「{said}」と答えました")
        key_press(page, "u")
        expect(page).to_have_url(first)


def test_keys_can_be_turned_off_and_typing_a_reason_answers_nothing(enter: Callable[..., Page], own_address: str) -> None:
    page = enter()
    open_list(page, own_address)
    here = page.url
    page.get_by_label("キーで答える").uncheck()
    page.keyboard.press("s")
    page.wait_for_timeout(300)
    expect(page).to_have_url(here)
    page.get_by_label("キーで答える").check()
    key_press(page, "j")
    expect(page).not_to_have_url(here)


def test_both_sides_the_evidence_and_the_buttons_are_above_the_fold(enter: Callable[..., Page], own_address: str) -> None:
    page = enter()
    open_list(page, own_address)
    for name in ("同じ人", "別の人", "保留"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["y"] + box["height"] <= FOLD and box["height"] >= 44
    for heading in ("証拠の力",):
        box = page.get_by_role("heading", name=heading).bounding_box()
        assert box is not None and box["y"] + box["height"] <= FOLD


def test_differing_characters_are_marked_by_more_than_colour(enter: Callable[..., Page], own_address: str) -> None:
    page = enter()
    open_list(page, own_address)
    marked = page.locator("mark.differs").first
    style = marked.evaluate("e => [getComputedStyle(e).textDecorationLine, getComputedStyle(e).fontWeight]")
    assert style == ["underline", "700"]
    expect(page.locator(".sides .verdict", has_text="≠ 違う").first).to_be_visible()


def test_two_people_decide_about_a_sealed_household_without_seeing_each_other(
    enter: Callable[..., Page], own_address: str
) -> None:
    one, two, three = enter("link_reviewer"), enter("link_reviewer_2"), enter("link_reviewer_3")
    open_list(one, own_address)
    expect(one.get_by_text("二人で決める組")).to_be_visible()  # a sealed household comes first in this city
    pair = re.findall(r"/pairs/(\w+)/", one.url)[0]
    expect(one.locator("main")).to_contain_text("支援措置のため表示しません")
    expect(one.locator("main")).not_to_contain_text("府中町")
    key_press(one, "s")
    expect(one.get_by_role("status")).to_contain_text("もう一人の確認を待ちます")
    open_list(two, own_address, "second")
    expect(two).to_have_url(re.compile(pair))
    assert "同じ人と" not in two.locator("main").inner_text() and "照合 つばさ" not in two.locator("main").inner_text()
    key_press(two, "d")
    expect(two.get_by_role("status")).to_contain_text("もう一人の確認を待ちます")
    open_list(three, own_address, "split")
    expect(three).to_have_url(re.compile(pair))
    key_press(three, "d")
    expect(three.get_by_role("status")).to_contain_text("この組は決まりました")
    three.goto(f"{own_address}/review/decisions/")
    row = three.locator("tbody tr").first
    expect(row).to_contain_text("別の人")
    expect(row).to_contain_text("照合 つばさ（同じ人）、照合 みのり（別の人）、照合 たすく（別の人）")
    expect(row).to_contain_text("次の夜に反映")
    assert violations(three) == []
    press(row.get_by_role("button", name="取り消す"))
    expect(three.get_by_role("status")).to_contain_text("理由が要ります")
    row.get_by_role("textbox").fill("見間違い")
    press(row.get_by_role("button", name="取り消す"))
    expect(three.get_by_role("status")).to_contain_text("取り消しました")
    expect(three.locator("tbody tr").first).to_contain_text("見間違い")
    one.goto(f"{own_address}/review/pairs/{pair}/")
    expect(one.get_by_role("button", name="同じ人")).to_be_visible()


def test_the_check_shows_neither_weights_nor_reasons(enter: Callable[..., Page], own_address: str) -> None:
    page = enter()
    open_list(page, own_address, "check")
    expect(page.get_by_role("heading", name="同じ人ですか")).to_be_visible()
    expect(page.get_by_text("証拠の力")).to_have_count(0)
    key_press(page, "s")
    expect(page.get_by_role("status")).to_have_text(re.compile("^「同じ人」と答えました。\\s*元に戻す"))
    key_press(page, "u")
    expect(page.get_by_role("status")).to_contain_text("取り消しました")


def test_answering_works_without_javascript(enter: Callable[..., Page], own_address: str) -> None:
    page = enter(script=False)
    open_list(page, own_address)
    here = page.url
    press(page.get_by_role("button", name="保留"))
    expect(page.get_by_role("status")).to_contain_text("「保留」と答えました")
    press(page.get_by_role("button", name="元に戻す"))
    expect(page).to_have_url(here)


def test_a_reviewer_reaches_the_first_pair_in_two_clicks(visit: Callable[[str], Visit]) -> None:
    page = visit("link_reviewer").page
    press(page.get_by_role("link", name="名寄せの審査"))
    press(page.get_by_role("link", name="始める →"))
    expect(page.get_by_role("heading", name="同じ人ですか")).to_be_visible()


def test_the_picture_has_its_table(visit: Callable[[str], Visit]) -> None:
    page = visit("steering").open("/link-quality/thresholds/")
    expect(page.get_by_role("img")).to_be_visible()
    rows = page.locator("tbody tr")
    assert rows.count() >= 5
    expect(rows.first).to_contain_text("まだ分からない")


def test_documents_of_the_reviewer_are_in_the_app(visit: Callable[[str], Visit]) -> None:
    page = visit("link_reviewer").open("/review/")
    press(page.get_by_role("link", name="審査の手引き"))
    expect(page.get_by_role("heading", name="名寄せの組を審査する")).to_be_visible()
    assert Path("docs/howto/review-links.md").exists()


def test_two_rows_of_the_register_are_compared_over_time_and_decided_by_two(
    enter: Callable[..., Page], own_address: str
) -> None:
    one, two = enter("link_reviewer"), enter("link_reviewer_2")
    one.goto(f"{own_address}/review/")
    expect(one.locator("main")).to_contain_text("1組は住民どうし")
    one.goto(f"{own_address}/review/pairs/{RETURNED}/")
    main = one.locator("main")
    for told in ("住民どうし", "二人で決める組", "番号の変わった住民かもしれない", "重なりません", "うち3人は相手の世帯にも"):
        expect(main).to_contain_text(told)
    expect(one.get_by_role("heading", name="住民記録の経過")).to_be_visible()
    expect(one.locator(".periods .chip", has_text="相手にもある")).to_have_count(2)  # the name, on both sides
    for name in ("同じ人", "別の人", "保留"):
        box = one.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["y"] + box["height"] <= FOLD
    press(one.get_by_role("button", name="同じ人"))
    expect(one.get_by_role("status")).to_contain_text("もう一人の確認を待ちます")
    two.goto(f"{own_address}/review/pairs/{RETURNED}/?list=second")
    press(two.get_by_role("button", name="同じ人"))
    expect(two.get_by_role("status")).to_contain_text("この組は決まりました")
    press(two.get_by_role("button", name="元に戻す"))
    expect(two.get_by_role("button", name="同じ人")).to_be_visible()
