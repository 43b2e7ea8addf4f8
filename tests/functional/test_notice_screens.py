"""お知らせ in the browser: made, tried, refused where nobody agreed; stopped by one, lifted by two."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.functional.conftest import Visit, press
from tests.functional.test_screens import violations


def _batch(visit: Callable[[str], Visit]) -> Page:
    page = visit("notice_officer").open("/notices/")
    page.get_by_label("制度", exact=True).select_option("school_aid")
    press(page.get_by_role("button", name="件数を数えて作る"))
    return page


def test_a_batch_is_made_tried_and_not_asked_for_while_nobody_agreed(visit: Callable[[str], Visit]) -> None:
    page = _batch(visit)
    expect(page.locator("h1")).to_contain_text("就学援助のお知らせ")
    expect(page.get_by_role("table", name="")).not_to_have_count(0)
    expect(page.get_by_text("同意なし")).to_be_visible()
    expect(page.get_by_role("button", name="所管課に承認を求める")).to_be_disabled()
    assert violations(page) == []
    press(page.get_by_role("button", name="試し送りをする"))
    expect(page.get_by_role("status")).to_contain_text("試し送りをしました")
    press(page.get_by_role("button", name="所管課に承認を求める"))
    expect(page.get_by_role("alert")).to_contain_text("送る相手がいません")
    assert violations(page) == []
    page.get_by_label("取り消す理由").fill("画面の確かめのため")
    press(page.get_by_role("button", name="取り消す", exact=True))
    expect(page.get_by_role("status")).to_contain_text("取り消しました")


@pytest.mark.parametrize("width", [320, 683])
def test_neither_page_scrolls_sideways(visit: Callable[[str], Visit], width: int) -> None:
    page = _batch(visit)
    for path in (page.url, page.url.rsplit("/", 2)[0] + "/"):
        page.set_viewport_size({"width": width, "height": 640})
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_one_person_stops_and_the_same_person_cannot_lift(visit: Callable[[str], Visit]) -> None:
    page = visit("notice_officer").open("/notices/")
    page.get_by_label("止める制度").select_option("child_allowance")
    page.get_by_label("止める理由").fill("文面の誤りを確かめるため")
    press(page.get_by_role("button", name="緊急停止する"))
    expect(page.get_by_text("緊急停止中")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("解く理由").fill("誤りではなかった")
    press(page.get_by_role("button", name="解くことを求める"))
    press(page.get_by_role("button", name="解くことを認める"))
    expect(page.locator("h1")).to_contain_text("表示できません")
    other = visit("steering").open("/notices/")
    press(other.get_by_role("button", name="解くことを認める"))
    expect(other.get_by_text("緊急停止中")).to_have_count(0)
