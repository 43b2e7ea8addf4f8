"""A new set of criteria in under fifteen minutes: written in the form by one person, approved by another, a file at the end.

The time is counted from what a person has to do: one second a character and four a click (slow typing, no copying).
"""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from kizuki.app.city_definitions import definitions_of
from kizuki.cli.judge import app
from tests.functional.conftest import press, serve
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
SECONDS_A_CHARACTER, SECONDS_A_CLICK, BUDGET = 1, 4, 15 * 60
HEAD = {"name": "転入後の孤立", "id": "lonely_move", "threshold": "4"}
ENTRIES = [
    {
        "name": "転入",
        "condition": "1年以内の転入 かつ きょうだいの数 ＝ 0人",
        "points": "3",
        "explanation": "第1子で、転入から1年以内です",
        "ground": "現場知",
        "owner": "市民課",
    },
    {
        "name": "未受診",
        "condition": "健診の未受診 ≥ 1回",
        "points": "3",
        "explanation": "健診の未受診が{健診の未受診}あります",
        "ground": "現場知",
        "owner": "健康課",
    },
]
EXAMPLES = [
    ({"name": "転入と未受診", "situation": "1年以内の転入: はい、健診の未受診: 1回", "points": "6"}, "該当"),
    ({"name": "健診が不明", "situation": "1年以内の転入: はい、健診の未受診: 不明"}, "要確認"),
    ({"name": "転入だけ", "situation": "1年以内の転入: はい"}, "非該当"),
]


class Hand:
    """A person at a page: does things and counts what they cost."""

    def __init__(self, browser: Browser, address: str, role: str, *, scripts: bool = True) -> None:
        size = {"width": 1366, "height": 768}
        context = browser.new_context(viewport=size, locale="ja-JP", java_script_enabled=scripts)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self.address, self.seconds = address, 0
        self.console: list[str] = []
        self.page.on("console", lambda m: self.console.append(m.text))
        self.page.goto(f"{address}/demo/")
        self.page.locator(f"form:has(input[value={role}]) button").click()
        self.page.wait_for_url(f"{address}/")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def type(self, field: str, text: str) -> None:
        self.seconds += SECONDS_A_CLICK + SECONDS_A_CHARACTER * len(text)
        self.page.locator(f"[id='f-{field}']").fill(text)

    def choose(self, field: str, text: str) -> None:
        self.seconds += 2 * SECONDS_A_CLICK
        self.page.locator(f"[id='f-{field}']").select_option(text)

    def press(self, name: str) -> None:
        self.seconds += SECONDS_A_CLICK
        press(self.page.get_by_role("button", name=name))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("criteria_city")


@pytest.fixture(scope="module")
def own_address(home: Path) -> Iterator[str]:
    yield from serve(home, 40)


def fill(hand: Hand) -> None:
    """The whole form of the new set; a row is offered anew with every saving."""
    for field, text in HEAD.items():
        hand.type(field, text)
    for number, entry in enumerate(ENTRIES):
        for field, text in entry.items():
            hand.type(f"entry-{number}-{field}", text)
    for number, (fields, expected) in enumerate(EXAMPLES):
        if number == 2:
            hand.press("保存して確かめる")
        for field, text in fields.items():
            hand.type(f"example-{number}-{field}", text)
        hand.choose(f"example-{number}-expected", expected)
    hand.press("保存して確かめる")


def test_a_new_set_is_written_approved_and_in_the_files_within_fifteen_minutes(
    browser: Browser, own_address: str, home: Path
) -> None:
    writer = Hand(browser, own_address, "analyst")
    writer.open("/criteria/")
    writer.press("空の案から新しい基準を作る")
    fill(writer)
    expect(writer.page.locator("main")).to_contain_text("すべての例が期待どおりです")
    writer.type("entry-0-points", "4")  # the counts follow what is typed, and what no longer holds is said beside it
    writer.page.locator("[id='f-entry-0-name']").focus()
    expect(writer.page.locator("#preview")).to_contain_text("該当")
    writer.press("保存して確かめる")
    expect(writer.page.locator("[id='e-example-0-expected']")).to_contain_text("該当（7点）")
    assert violations(writer.page) == []
    writer.type("entry-0-points", "3")
    writer.press("保存して確かめる")
    tomorrow = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=2)
    writer.page.locator("#c-from").fill(tomorrow.isoformat())
    writer.press("承認を求める")
    expect(writer.page.locator("main")).to_contain_text("自分が書いた案は承認できません")
    expect(writer.page.get_by_role("button", name="承認する")).to_have_count(0)
    where = writer.page.url.removeprefix(own_address)

    approver = Hand(browser, own_address, "steering")
    approver.open(where)
    expect(approver.page.locator("#preview table")).to_be_visible()
    assert violations(approver.page) == []
    approver.press("承認する")
    expect(approver.page.locator("main")).to_contain_text("definitions/criteria/lonely_move.yaml")
    assert writer.console == approver.console == []
    assert writer.seconds + approver.seconds <= BUDGET

    found = definitions_of(home).criteria["lonely_move"]
    assert found.on(tomorrow) is not None and len(found.examples) == 3
    path = home / "definitions" / "criteria" / "lonely_move.yaml"
    ran = CliRunner().invoke(app, ["examples", str(path), "--home", str(home)], catch_exceptions=False)
    assert ran.exit_code == 0 and ran.stdout.count("○") == 3


def test_the_same_without_scripts_and_with_yaml(browser: Browser, own_address: str) -> None:
    hand = Hand(browser, own_address, "analyst", scripts=False)
    hand.open("/criteria/sets/absence/2026.1/")
    hand.press("写して新しい版の案を作る")
    hand.type("threshold", "8")
    hand.press("保存して人数を数える")
    expect(hand.page.locator("#preview table")).to_be_visible()
    expect(hand.page.locator("#findings")).to_contain_text("のはずが")
    hand.page.get_by_text("YAMLで書く").click()
    text = hand.page.locator("#f-yaml").input_value()
    hand.page.locator("#f-yaml").fill(text.replace("閾値: '8'", "閾値: 7").replace("閾値: 8", "閾値: 7"))
    hand.press("YAMLで保存して確かめる")
    expect(hand.page.locator("main")).to_contain_text("すべての例が期待どおりです")
    hand.page.get_by_text("YAMLで書く").click()
    hand.page.locator("#f-yaml").fill("ID: [")
    hand.press("YAMLで保存して確かめる")
    expect(hand.page.locator("main")).to_contain_text("表の形で出せません")
    expect(hand.page.locator("#f-yaml")).to_have_value("ID: [")


@pytest.mark.parametrize("width", [320, 1366])
@pytest.mark.parametrize(("role", "text"), [("analyst", "版 2026.1 からの違い"), ("steering", "案の全体")])
def test_a_draft_is_accessible_and_fits(browser: Browser, own_address: str, role: str, text: str, width: int) -> None:
    writer = Hand(browser, own_address, "analyst")
    writer.open("/criteria/sets/poverty/2026.1/")
    writer.press("写して新しい版の案を作る")
    writer.type("threshold", "1")
    writer.press("保存して確かめる")
    reader = Hand(browser, own_address, role)
    reader.page.set_viewport_size({"width": width, "height": 768})
    reader.open(writer.page.url.removeprefix(own_address))
    expect(reader.page.locator("main")).to_contain_text(text)
    assert violations(reader.page) == []
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width
    assert reader.console == []


STANDING = """() => [...document.querySelectorAll('form.stack')].filter((f) => f.offsetHeight).flatMap((form) => {
    const inner = form.clientWidth - parseFloat(getComputedStyle(form).paddingLeft) * 2;
    const shown = [...form.children].filter((c) => c.offsetHeight && !c.matches('.visually-hidden'));
    const narrow = shown.filter((c) => c.matches('.panel, .field') && c.offsetWidth < inner - 2);
    const tall = [...form.querySelectorAll('.field')].filter((f) => f.offsetHeight && !f.querySelector('textarea')
        && f.parentElement === form && f.offsetHeight > [...f.children].reduce((sum, c) => sum + c.offsetHeight, 0) + 24);
    return [...narrow, ...tall].map((c) => c.outerHTML.slice(0, 80));
})"""
"""Parts of a form that do not fill its column, or are much taller than what is in them."""


@pytest.mark.parametrize(
    ("role", "path", "copies"),
    [
        ("analyst", "/criteria/sets/poverty/2026.1/", True),
        ("programme_office", "/programmes/school_aid/", True),
        ("steering", "/sheets/absence/", False),
    ],
)
def test_a_form_stands_in_its_column_without_gaps(
    browser: Browser, own_address: str, role: str, path: str, copies: bool
) -> None:
    hand = Hand(browser, own_address, role)
    hand.open(path)
    if copies:
        press(hand.page.locator("main form button.main").first)
        hand.page.wait_for_url("**/drafts/**")
    assert hand.page.locator("form.stack").count()
    assert hand.page.evaluate(STANDING) == []
