"""A local programme in under fifteen minutes, in the browser alone: written by its office, approved by another person, and the
next night says who may use it.

The time is counted as for a set of criteria: one second a character and four a click.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from typer.testing import CliRunner

from kizuki.app.city_definitions import definitions_of
from kizuki.cli.programme import app
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import SnapshotStore
from tests.functional.conftest import ROOT, press
from tests.functional.test_criteria_journey import BUDGET, Hand
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
ID = "school_bag_aid"
HEAD = {
    "name": "ランドセル購入補助",
    "id": ID,
    "owner": "こども給付課",
    "contact": "給付係",
    "standing": "市の定め",
    "valid_from": "2026-04-01",
}
RULES = [
    {
        "name": "来年度に入学する",
        "condition": "年度末年齢 ＝ 6歳",
        "explanation": "来年度に小学校に入学します",
        "ground": "要綱2条",
        "ask": "生年月日を確かめる",
    },
    {
        "name": "大人がみな非課税",
        "condition": "すべて（役割 ＝「児童」 または 課税区分 ＝「非課税」）",
        "explanation": "世帯の大人がみな非課税です",
        "ground": "要綱3条",
        "ask": "申告を案内する",
    },
]
CHILD, PARENT = "児童：年齢 5、年度末年齢 6", "父母：年齢 35、課税区分 {}"
EXAMPLES = [
    ("非課税の入学前", f"{PARENT.format('非課税')}\n{CHILD}", "該当", ""),
    ("課税の世帯", f"{PARENT.format('課税')}\n{CHILD}", "非該当", ""),
    ("未申告", f"{PARENT.format('未申告')}\n{CHILD}", "不明", "課税区分"),
    ("課税が空", f"父母：年齢 35\n{CHILD}", "不明", "課税区分"),
    ("一つ下", f"{PARENT.format('非課税')}\n児童：年齢 4、年度末年齢 5", "非該当", ""),
    ("一つ上", f"{PARENT.format('非課税')}\n児童：年齢 6、年度末年齢 7", "非該当", ""),
    ("年齢が空", f"{PARENT.format('非課税')}\n児童：", "不明", "年度末年齢"),
    ("祖父が課税", f"{PARENT.format('非課税')}\nその他：課税区分 課税\n{CHILD}", "非該当", ""),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole synthetic city after its night."""
    found = tmp_path_factory.mktemp("programme_city") / "home"
    _kizuki("demo", "--people", "600", "--no-serve", "--json", "--home", str(found))
    return found


@pytest.fixture(scope="module")
def own_address(home: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.functional.serve_city", str(home), "0"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield str(json.loads(server.stdout.readline())["address"]).rstrip("/")
        finally:
            server.terminate()


def _kizuki(*words: str) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "kizuki.cli", *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def fill(hand: Hand) -> None:
    """The whole form; saving offers the next empty rows."""
    for name, text in HEAD.items():
        hand.type(name, text)
    for number, rule in enumerate(RULES):
        for name, text in rule.items():
            hand.type(f"rule-{number}-{name}", text)
    for number, (name, household, expected, asks) in enumerate(EXAMPLES):
        if number in (3, 5, 7):
            hand.press("保存して確かめる")
        hand.type(f"example-{number}-name", name)
        hand.type(f"example-{number}-household", household)
        hand.choose(f"example-{number}-expected", expected)
        if asks:
            hand.type(f"example-{number}-asks", asks)
    hand.press("保存して確かめる")


def test_a_local_programme_is_added_in_the_browser_and_the_next_night_finds_who_may_use_it(
    browser: Browser, own_address: str, home: Path
) -> None:
    writer = Hand(browser, own_address, "programme_office")
    writer.open("/programmes/")
    assert violations(writer.page) == []
    writer.press("空の案から新しい制度を作る")
    fill(writer)
    expect(writer.page.locator("main")).to_contain_text("すべての例が期待どおりです")
    assert violations(writer.page) == []
    writer.type("example-0-household", f"{PARENT.format('課税')}\n{CHILD}")  # said beside the example, kept out of approval
    writer.press("保存して件数を数える")
    expect(writer.page.locator("#findings")).to_contain_text("該当のはずが非該当になります")
    expect(writer.page.locator("#preview table")).to_contain_text("不明")
    tomorrow = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=2)
    writer.page.locator("#c-from").fill(tomorrow.isoformat())
    writer.press("承認を求める")
    expect(writer.page.locator("#error")).to_contain_text("K581")
    writer.type("example-0-household", EXAMPLES[0][1])
    writer.press("保存して確かめる")
    writer.page.locator("#c-from").fill(tomorrow.isoformat())
    writer.press("承認を求める")
    where = writer.page.url.removeprefix(own_address).replace("decide/", "")
    expect(writer.page.get_by_role("button", name="承認する")).to_have_count(0)

    approver = Hand(browser, own_address, "steering")
    approver.open(where)
    expect(approver.page.locator("#preview table")).to_be_visible()
    assert violations(approver.page) == []
    approver.press("承認する")
    expect(approver.page.locator("main")).to_contain_text(f"definitions/programmes/{ID}.yaml")
    assert writer.console == [] or all("422" in line for line in writer.console)
    assert approver.console == []
    assert writer.seconds + approver.seconds <= BUDGET

    assert not definitions_of(home).programmes[ID].in_force(tomorrow - dt.timedelta(days=1))
    _kizuki("run", "--as-of", tomorrow.isoformat(), "--home", str(home))
    store = SnapshotStore(home / "snapshots", KeyRing.load(home))
    manifest = store.manifest(str(store.current_id()))
    answers = [r for r in store.load(manifest, "eligibility").to_pylist() if r["programme"] == ID]
    assert {r["verdict"] for r in answers} == {"該当", "不明", "非該当"}
    ran = CliRunner().invoke(app, ["list", "--json", "--home", str(home)], catch_exceptions=False)
    row = next(r for r in json.loads(ran.stdout)["programmes"] if r["id"] == ID)
    assert (row["examples"], row["failed"]) == (8, [])


def test_the_night_shows_on_the_list_and_an_open_answer_on_the_offices_list(browser: Browser, own_address: str) -> None:
    hand = Hand(browser, own_address, "programme_office")
    hand.open("/programmes/")
    hand.page.reload()  # the first request after a publication still shows the night before
    row = hand.page.locator(f"tr:has(a[href='/programmes/{ID}/'])")
    for _ in range(20):
        if "人" in row.inner_text():
            break
        hand.page.wait_for_timeout(250)
        hand.page.reload()
    assert "人" in row.inner_text()
    press(row.get_by_role("link"))
    expect(hand.page.locator("main")).to_contain_text("世帯の大人がみな非課税です")
    assert violations(hand.page) == []
    hand.open(f"/confirmations/?programme={ID}")
    expect(hand.page.locator("#rows")).to_contain_text("課税区分")
    assert violations(hand.page) == []
