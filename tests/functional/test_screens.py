"""Every screen for every role: accessible, small, silent, offline, readable at 320 px and at 200 % zoom."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from tests.functional.city import RETURNED
from tests.functional.conftest import Visit, press

pytestmark = pytest.mark.browser
AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
MAX_REQUESTS, MAX_BYTES, ICON = 8, 150_000, 1
LOADED = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .map((entry) => ({url: entry.name, bytes: entry.decodedBodySize}))"""
"""What the page itself loaded, uncompressed; the browser's own request for the icon is not listed, so it is counted apart."""

SCREENS = {
    "caseworker": (
        "/",
        "/candidates/",
        "CHILD",
        "EVIDENCE",
        "HANDOVER",
        "INQUIRY",
        "RESIDENT",
        "/candidates/?since=changed",
        "/sheets/",
        "/sheets/poverty/",
        "/corrections/",
        "/handovers/",
        "/criteria/",
        "/criteria/sets/poverty/2026.1/",
        "/feeds/",
        "/feeds/school_life/",
        "/docs/",
        "/docs/howto/fix-held/",
        "/candidates/?name=存在しない氏名",
        "/candidates/?tab=支援中",
        "/candidates/?tab=無作為の確認",
        "/nowhere/",
    ),
    "it": ("/", "/feeds/", "/feeds/resident_register/", "/cleansing/", "/cleansing/?field=nothing", "/candidates/"),
    "link_reviewer": (
        "/",
        "/review/",
        "/review/new/",
        "/review/second/",
        "/review/check/",
        "/review/decisions/",
        "/review/pairs/none/",
        f"/review/pairs/{RETURNED}/",
        "/link-quality/",
        "/link-quality/thresholds/",
    ),
    "steering": (
        *("/validation/", "/validation/thresholds/", "/validation/fairness/", "/validation/sheet/"),
        *("/consents/", "/enquiries/", "/effect/", "/notices/", "/programmes/", "/programmes/school_aid/"),
        "/",
        "/candidates/",
        "CHILD",
        "/sheets/absence/",
        "/sheets/absence/ledger/",
        "/handovers/",
        "/link-quality/",
        "/link-quality/thresholds/",
        "/criteria/",
        "/criteria/compare/",
        "/criteria/compare/?old=absence@2026.1&new=absence@2026.1&children=1",
    ),
    "auditor": ("/", "/audit/", "/audit/?verify=1"),
    "data_owner": ("/", "/feeds/", "/corrections/", "/sheets/"),
    "analyst": (
        *("/", "/feeds/", "/criteria/", "/criteria/sets/absence/2026.1/", "/criteria/drafts/99/"),
        *("/validation/", "/validation/thresholds/?criteria=abuse&monthly=5"),
    ),
    "notice_officer": ("/", "/consents/", "/enquiries/", "/effect/", "/notices/", "/notices/99/"),
    "programme_office": ("/", "/programmes/", "/confirmations/", "/programmes/drafts/99/"),
    "programme_desk": (
        *("/", "/consents/", "/enquiries/", "/enquiries/?done=1", "/counter/", "/effect/"),
        *("/docs/guide/school_aid/", "/docs/howto/consent-and-letters/", "/consents/recipients/NOBODY/"),
    ),
}
NARROW = ("caseworker", "auditor", "link_reviewer", "programme_desk")
CASES = [(role, path) for role, paths in SCREENS.items() for path in paths]


def go(visit: Visit, path: str) -> Page:
    """Open a screen by address, or the first child's page, or its evidence."""
    if path == "INQUIRY":
        page = visit.open("/candidates/?criteria=poverty&order=カナ")
        rows = page.locator("tr:has-text('情報不足 3') [data-row-link]")
        return visit.open(str(rows.first.get_attribute("href")).partition("?")[0] + "inquiry/")
    if path not in ("CHILD", "EVIDENCE", "HANDOVER", "RESIDENT"):
        return visit.open(path)
    href = visit.open("/candidates/").locator("[data-row-link]").first.get_attribute("href")
    page = visit.open(str(href))
    if path == "HANDOVER":
        page = visit.open(str(page.locator("a[href$='/handover/']").first.get_attribute("href")))
    if path == "RESIDENT":
        page = visit.open(str(page.locator("a[href$='/resident/']").first.get_attribute("href")))
    if path == "EVIDENCE":
        page = visit.open(str(page.locator("a[href*='/judgement/']").first.get_attribute("href")))
    return page


def status(page: Page) -> int:
    """HTTP status of the page shown."""
    return int(page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus"))


def violations(page: Page) -> list[str]:
    """axe-core findings (WCAG 2.2 AA and best practice) as `rule: element`."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document)")
    return [f"{v['id']}: {node['html'][:120]}" for v in found["violations"] for node in v["nodes"]]


@pytest.mark.parametrize(("role", "path"), CASES)
def test_screen_is_accessible_small_silent_and_offline(visit: Callable[[str], Visit], role: str, path: str) -> None:
    seen = visit(role)
    page = go(seen, path)
    expect(page.locator("h1")).to_be_visible()
    assert violations(page) == []
    assert [url for url in seen.asked if not url.startswith(seen.address)] == []
    loaded = page.evaluate(LOADED)
    assert len(loaded) + ICON <= MAX_REQUESTS
    assert sum(entry["bytes"] for entry in loaded) <= MAX_BYTES
    refused = status(page) >= 400
    assert [c for c in seen.console if not (refused and "the server responded with a status" in c)] == []


@pytest.mark.parametrize("width", [320, 683])
@pytest.mark.parametrize(("role", "path"), [c for c in CASES if c[0] in NARROW])
def test_nothing_makes_the_page_scroll_sideways(visit: Callable[[str], Visit], role: str, path: str, width: int) -> None:
    seen = visit(role)
    seen.page.set_viewport_size({"width": width, "height": 800})
    page = go(seen, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def refused_draft(visit: Callable[[str], Visit]) -> Page:
    """A draft whose request for approval was refused (no date, and the browser's own check taken away)."""
    seen = visit("analyst")
    page = seen.open("/criteria/sets/absence/2026.1/")
    press(page.get_by_role("button", name="写して新しい版の案を作る"))
    page.evaluate("document.querySelectorAll('[required]').forEach(e => e.removeAttribute('required'))")
    press(page.get_by_role("button", name="承認を求める"))
    return page


def test_a_refused_form_is_accessible_too(visit: Callable[[str], Visit]) -> None:
    page = refused_draft(visit)
    expect(page.locator("main")).to_contain_text("K587")  # the answer has come; before that the old page would be asked
    assert status(page) == 422
    assert violations(page) == []


def test_a_threshold_that_became_a_draft_is_accessible(visit: Callable[[str], Visit]) -> None:
    seen = visit("analyst")
    page = seen.open("/validation/thresholds/?criteria=poverty&monthly=25")
    press(page.get_by_role("button", name="この閾値を新しい版の案にする"))
    expect(page.locator("main")).to_contain_text("閾値の提案を、新しい版の案にしました")
    assert violations(page) == []


def test_the_it_office_sees_no_list_and_is_told_who_can_grant_it(visit: Callable[[str], Visit]) -> None:
    seen = visit("it")
    page = seen.open("/candidates/")
    assert status(page) == 403
    expect(page.locator("main")).to_contain_text("権限を付与できるのは")


def test_words_on_the_screens_do_not_judge_people(visit: Callable[[str], Visit]) -> None:
    seen = visit("caseworker")
    for path in ("/", "/candidates/", "CHILD", "EVIDENCE"):
        text = go(seen, path).locator("main").inner_text()
        assert [w for w in ("点数", "危険", "低リスク", "問題児", "スコア", "%") if w in text] == []
