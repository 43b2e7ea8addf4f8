"""The residents' pages of a served relay: accessible, readable at 320 px, nothing from elsewhere, and the whole way by hand."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from kizuki.app.relay_home import Relay
from kizuki.engine.keys import KeyRing
from kizuki.push import codes
from tests import relay_driver
from tests.functional.conftest import ROOT, press
from tests.functional.test_screens import violations

pytestmark = pytest.mark.browser
CODE = codes.draw()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Relay]]:
    """A relay with one code, one consent text and one notice that was sent, served without LINE."""
    home = tmp_path_factory.mktemp("relay") / "home"
    child = multiprocessing.get_context("spawn").Process(target=relay_driver.prepare_pages, args=(home, CODE))
    child.start()
    child.join()
    assert child.exitcode == 0
    command = [sys.executable, "-m", "kizuki.cli", "serve", "--role", "relay", "--dry-run", "--json"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    with subprocess.Popen(
        [*command, "--home", str(home), "--port", "0"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["address"].rstrip("/"), Relay(home, KeyRing.load(home))
        finally:
            server.terminate()


def looked_at(page: Page) -> None:
    """Nothing axe finds, nothing wider than the screen, one heading, Japanese."""
    assert violations(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    assert page.locator("h1").count() == 1
    small = page.evaluate("[...document.querySelectorAll('.btn')].filter(b => b.getBoundingClientRect().height < 44).length")
    assert small == 0, page.url


def test_a_resident_goes_the_whole_way_on_a_small_screen(browser: Browser, relay: tuple[str, Relay]) -> None:
    address, home = relay
    context = browser.new_context(viewport={"width": 320, "height": 640}, locale="ja-JP")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{address}/code/?t=linktoken1")
    looked_at(page)
    page.get_by_label("登録番号").fill("1234")
    press(page.get_by_role("button", name="つぎへ"))
    assert page.get_by_role("alert").is_visible()
    looked_at(page)
    page.get_by_label("登録番号").fill(codes.printed(CODE))
    press(page.get_by_role("button", name="つぎへ"))
    looked_at(page)
    assert page.get_by_role("link", name="LINEで受け取る").get_attribute("href").startswith("https://access.line.me/")  # type: ignore[union-attr]
    press(page.get_by_role("link", name="この画面で答える"))
    looked_at(page)
    page.get_by_label("税の情報を使うことに同意する").check()
    press(page.get_by_role("button", name="受け取る", exact=True))
    assert "お知らせします" in page.locator("main").inner_text()
    looked_at(page)
    page.goto(f"{address}/n/{home.page_key(relay_driver.NOTICE)}")
    looked_at(page)
    press(page.get_by_role("button", name="お知らせを読む"))
    assert "000-000-0001" in page.locator("main").inner_text()
    looked_at(page)
    press(page.get_by_role("button", name="必要な書類を知りたい"))
    looked_at(page)
    page.goto(f"{address}/nowhere")
    looked_at(page)
    assert [url for url in asked if not url.startswith(address)] == []
    context.close()
