"""One served city and one browser for all browser tests; where there is no Chromium they say so loudly and skip."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ROOT = Path(__file__).resolve().parents[2]


def chromium() -> str | None:
    """Path of a Chromium: KIZUKI_CHROMIUM, or the first known name on PATH."""
    named = os.environ.get("KIZUKI_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        reason = "Chromium が無いため画面の試験をしていません（chromium と fonts-noto-cjk を入れるか KIZUKI_CHROMIUM で示す）"
        print(f"\n*** {reason} ***", file=sys.__stderr__)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(ARGS))


def press(control: Locator) -> None:
    """Press what leads to a page and wait until it is there: a click alone returns while the old page still answers."""
    with control.page.expect_navigation():
        control.click()


def key_press(page: Page, key: str) -> None:
    """The same for a key that leads to a page: the next key would be lost on a page whose script has not come yet."""
    with page.expect_navigation():
        page.keyboard.press(key)


def serve(home: Path, children: int) -> Iterator[str]:
    """Address of a city served by its own process."""
    command = [sys.executable, "-m", "tests.functional.serve_city", str(home), str(children)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            line = server.stdout.readline()
            assert line, "the server did not start"
            yield str(json.loads(line)["address"]).rstrip("/")
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(tmp_path_factory.mktemp("city"), 90)


@dataclass
class Visit:
    """A signed-in page with everything it asked for and complained about."""

    page: Page
    address: str
    asked: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path, forgetting what earlier pages complained about."""
        self.console.clear()
        self.page.goto(self.address + path, wait_until="load")
        return self.page


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[[str], Visit]]:
    """Sign in as a demo role in a fresh context."""
    contexts = []

    def sign_in(role: str) -> Visit:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ja-JP")
        contexts.append(context)
        page = context.new_page()
        made = Visit(page, address)
        page.on("request", lambda r: made.asked.append(r.url))
        page.on("console", lambda m: made.console.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: made.console.append(str(e)))
        made.open("/demo/")
        page.locator(f"form:has(input[value={role}]) button").click()
        page.wait_for_url(f"{address}/")
        return made

    yield sign_in
    for context in contexts:
        context.close()
