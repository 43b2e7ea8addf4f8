"""How fast the screens answer: the real server on loopback, one caseworker of the synthetic city, page after page."""

import http.client
import http.cookies
import os
import re
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from kizuki.terms.errors import RunFailed

REPEATS = 60
_START_SECONDS = 90
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_CHILD = re.compile(r'href="(/children/[0-9a-f]+/)')


@dataclass(frozen=True, slots=True)
class PageTimes:
    """One page: milliseconds of the middle request and of the slow twentieth, and its size."""

    page: str
    p50_ms: float
    p95_ms: float
    kilobytes: float


@dataclass(slots=True)
class _Browser:
    """One signed-in session: cookies kept, redirects followed by hand."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    sent_to: str = ""

    def get(self, path: str) -> tuple[int, str]:
        return self._request("GET", path)

    def location(self, path: str) -> str:
        """Where a page sends on to."""
        self.get(path)
        return self.sent_to

    def post(self, path: str, **form: str) -> tuple[int, str]:
        form["csrfmiddlewaretoken"] = self.token
        return self._request("POST", path, urllib.parse.urlencode(form))

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for value in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in http.cookies.SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        connection.close()
        self.sent_to = answer.headers.get("Location", "")
        if token := _TOKEN.search(text):
            self.token = token[1]
        return answer.status, text


def measure_pages(home: Path, port: int) -> list[PageTimes]:
    """Serve `home` (a synthetic city) and time its main pages; raises RunFailed K410 if the server does not answer."""
    _let_someone_in(home)
    environment = {**os.environ, "KIZUKI_DEMO": "1"}
    command = [sys.executable, "-m", "kizuki.cli", "serve", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        browser, reviewer = _sign_in(port, "caseworker"), _sign_in(port, "link_reviewer")
        times = [_timed(browser, name, path) for name, path in _pages(browser)]
        return times + [_timed(reviewer, name, path) for name, path in _review_pages(reviewer)]
    finally:
        server.terminate()
        server.wait()


def _let_someone_in(home: Path) -> None:
    from kizuki.app import startup

    startup.open_app(home, demo=True)
    from kizuki.app.demo_users import ensure_demo_users

    ensure_demo_users(True)


def _sign_in(port: int, role: str) -> _Browser:
    browser = _Browser(port)
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            browser.get("/demo/")
            break
        except OSError as e:
            if time.monotonic() > until:
                raise RunFailed(
                    "K410", "画面が開きません。", f"localhost:{port}", "番号が使われていないか確かめてください。"
                ) from e
            time.sleep(0.2)
    browser.post("/demo/", role=role)
    return browser


def _pages(browser: _Browser) -> list[tuple[str, str]]:
    _, text = browser.get("/candidates/")
    child = _CHILD.search(text)
    if child is None:
        raise RunFailed("K411", "測る画面に入れません。", "/candidates/", "run が終わった合成の街で測ってください。")
    return [
        ("今日の仕事", "/"),
        ("支援候補", "/candidates/"),
        ("支援候補（類型で絞る）", "/candidates/?criteria=poverty"),
        ("個票", child[1]),
        ("データ受領・鮮度", "/feeds/"),
    ]


def _review_pages(browser: _Browser) -> list[tuple[str, str]]:
    """The reviewer's pages; a city in which no pair waits has no pair to show."""
    _, text = browser.get("/review/")
    pages = [
        ("名寄せの審査", "/review/"),
        ("名寄せの確かさ", "/link-quality/"),
        ("しきい値と時間", "/link-quality/thresholds/"),
    ]
    if "data-review-start" in text:
        location = browser.location("/review/new/")
        pages.insert(1, ("審査の組", location))
    return pages


def _timed(browser: _Browser, name: str, path: str) -> PageTimes:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        status, text = browser.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if status != http.client.OK:
            raise RunFailed("K411", "測る画面に入れません。", path, "run が終わった合成の街で測ってください。")
    cuts = quantiles(times, n=20)
    return PageTimes(name, cuts[9], cuts[18], len(text.encode()) / 1024)
