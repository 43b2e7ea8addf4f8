"""検証 with a past that was learned from, and the learned table on its way to a version, by those who use them.

A city of its own: what is learned here would show on other tests' screens.
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kizuki.app.backtest_results import keep
from kizuki.app.learned_records import ADOPTED, note_stop
from tests.functional.conftest import serve
from tests.functional.test_criteria_journey import Hand
from tests.functional.test_screens import violations
from tests.learned_past import learned_result

pytestmark = pytest.mark.browser
WIDTHS = (1366, 320)
RECORD = "[aria-labelledby=h-record]"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learned_city")


@pytest.fixture(scope="module")
def own_address(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The city; 貧困 has a past that carries a table, いじめ one too small to say anything."""
    told = learned_result(tmp_path_factory.mktemp("past"))
    for address in serve(home, 40):
        keep(home, told)
        keep(
            home,
            {**told, "criteria": "bullying", "events": 27, "table": None, "written": None, "empty": "過去の該当は27件です。"},
        )
        yield address


def held(page: Page, width: int) -> None:
    """Accessible, nothing wider than the window, a way back or tabs, the heading seen."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator("h1").first).to_be_visible()
    assert page.locator("nav[aria-label=戻る] a, nav[aria-label=検証] a").count()


def entered(browser: Browser, address: str, role: str, width: int) -> Hand:
    hand = Hand(browser, address, role)
    hand.page.set_viewport_size({"width": width, "height": 768})
    return hand


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("role", ["analyst", "steering"])
def test_what_the_past_says_is_readable_by_both(browser: Browser, own_address: str, role: str, width: int) -> None:
    hand = entered(browser, own_address, role, width)
    for path, said in {
        "/validation/": "現場の順と、学んだ順の見込みを出せます",
        "/validation/thresholds/?criteria=poverty&monthly=10": "件数と見込み",
        "/validation/fairness/?criteria=poverty": "見込み÷実際",
        "/validation/sheet/?criteria=poverty": "過去1年の相談件数",
        "/validation/sheet/?criteria=bullying": "いまは案にできません",
        "/validation/sheet/?criteria=abuse": "まだ説明書はありません",
    }.items():
        hand.open(path)
        expect(hand.page.locator("main")).to_contain_text(said)
        held(hand.page, width)
    hand.open("/validation/sheet/?criteria=poverty")
    button = hand.page.get_by_role("button", name="学んだ採点表を案にする")
    expect(button).to_have_count(1 if role == "analyst" else 0)
    assert "consultations_1y" not in hand.page.locator("main").inner_text(), "an identifier nobody outside the code knows"
    assert hand.console == []


@pytest.mark.parametrize("width", WIDTHS)
def test_bringing_a_learned_table_in_and_its_record_before_whoever_decides(
    browser: Browser, own_address: str, width: int
) -> None:
    writer = entered(browser, own_address, "analyst", width)
    writer.open("/validation/sheet/?criteria=poverty")
    writer.press("学んだ採点表を案にする")
    expect(writer.page.locator("main")).to_contain_text("学んだ採点表を、新しい版の案にしました")
    expect(writer.page.locator(RECORD)).to_contain_text("学んだ順の見込み")
    held(writer.page, width)
    writer.page.locator(f"{RECORD} summary").click()
    expect(writer.page.locator(f"{RECORD} .prose h1")).to_be_visible()
    held(writer.page, width)
    soon = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=3)
    writer.page.locator("#c-from").fill(soon.isoformat())
    writer.press("承認を求める")
    expect(writer.page.locator("main")).to_contain_text("自分が書いた案は承認できません")
    held(writer.page, width)
    where = writer.page.url.removeprefix(own_address)

    office = entered(browser, own_address, "steering", width)
    expect(office.page.locator(".cards")).to_contain_text("承認を待つ判定基準の案")
    held_from_home = office.page.get_by_role("link", name="案と承認を見る")
    held_from_home.click()
    expect(office.page.locator("main")).to_contain_text("貧困 版")
    office.open(where)
    record, differences = office.page.locator(RECORD), office.page.locator("[aria-labelledby=h-diff]")
    above, below = record.bounding_box(), differences.bounding_box()
    assert above and below and above["y"] < below["y"], "what the table promises comes before sixty lines of what changes"
    expect(office.page.locator("#preview table")).to_be_visible()
    held(office.page, width)
    record.locator("summary").click()
    held(office.page, width)
    after = differences.locator("tbody td:last-child").first.bounding_box()
    assert after and after["width"] >= 120, "a column of one character a line is not read"
    office.page.get_by_label("差し戻しの理由").fill("試行を先に")
    office.press("差し戻す")
    held(office.page, width)
    writer.open("/")
    expect(writer.page.locator(".cards")).to_contain_text("差し戻された判定基準の案")
    writer.open(where)
    expect(writer.page.locator("main")).to_contain_text("試行を先に")
    expect(writer.page.locator("#c-from")).to_have_value(soon.isoformat())
    held(writer.page, width)
    assert writer.console == office.console == []


@pytest.mark.parametrize("width", WIDTHS)
def test_a_record_that_was_stopped_or_is_not_here_says_so(browser: Browser, own_address: str, home: Path, width: int) -> None:
    writer = entered(browser, own_address, "analyst", width)
    writer.open("/validation/sheet/?criteria=poverty")
    writer.press("学んだ採点表を案にする")
    where = writer.page.url.removeprefix(own_address)
    (sealed,) = (home / ADOPTED).glob("*.sealed")
    stop = home / ADOPTED / f"{sealed.stem}.stop.json"
    note_stop(home, sealed.stem, ["空欄が、学んだ時より大きく増えています。"], "2026-11-20T00:00:00+00:00")
    office = entered(browser, own_address, "steering", width)
    office.open(where)
    expect(office.page.locator(RECORD)).to_contain_text("学んだ表を停止中：空欄が")
    held(office.page, width)
    stop.unlink()
    aside = sealed.rename(sealed.with_suffix(".aside"))
    office.open(where)
    expect(office.page.locator(RECORD)).to_contain_text("この市にはありません")
    held(office.page, width)
    aside.rename(sealed)
