"""`./kizuki test`: make ready what the suite drives (Chromium, Java), then run everything; say loudly what could not be.

Order: style (ruff) → types (mypy) → layers (import-linter) → pytest. The runner's own closing line comes last.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.postgresql import server_folder  # noqa: E402 (the tests' own package is not installed)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_PACKAGES = ("chromium", "fonts-noto-cjk")
JAVA_PACKAGES = ("default-jre-headless",)
DATABASE_PACKAGES = ("postgresql",)


def say(text: str) -> None:
    """Tell the person in front of the terminal; results themselves go to stdout."""
    print(text, file=sys.stderr, flush=True)


def apt_install(*packages: str) -> bool:
    """Install Debian packages where this user may; True if it worked."""
    if not shutil.which("apt-get"):
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and not shutil.which("sudo"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        done = subprocess.run([*prefix, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            return False
    return True


def find_browser() -> str | None:
    """Path of a Chromium, or None."""
    named = os.environ.get("KIZUKI_CHROMIUM")
    if named:
        return named
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def prepare_browser() -> None:
    """Chromium and a Japanese font; without them the browser tests are skipped, and this says so."""
    browser = find_browser()
    if not browser:
        say("Chromium を入れています（画面の検査に使います）……")
        apt_install(*BROWSER_PACKAGES)
        browser = find_browser()
    if browser:
        os.environ["KIZUKI_CHROMIUM"] = browser
        return
    say("=" * 78)
    say("注意：Chromium が見つからず、入れることもできませんでした。画面の検査（browser）は行われません。")
    say("      管理者が apt-get install chromium fonts-noto-cjk を実行してから、もう一度試してください。")
    say("=" * 78)


def prepare_java() -> None:
    """A Java runtime for local Spark; without it the parity tests are skipped, and this says so."""
    if shutil.which("java"):
        return
    say("Java を入れています（Spark との一致の検査に使います）……")
    if not (apt_install(*JAVA_PACKAGES) and shutil.which("java")):
        say("=" * 78)
        say("注意：Java が無いため、Spark との一致の検査（spark）は行われません。")
        say("=" * 78)


def prepare_database() -> None:
    """The PostgreSQL server programs; without them the production database is not tested, and this says so."""
    if server_folder():
        return
    say("PostgreSQL を入れています（本番のデータベースの検査に使います）……")
    if not (apt_install(*DATABASE_PACKAGES) and server_folder()):
        say("=" * 78)
        say("注意：PostgreSQL が無いため、本番のデータベースでの検査は行われません。")
        say("=" * 78)


def run(title: str, *command: str) -> int:
    """One stage of the check; its output is its own."""
    say(f"── {title}")
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT).returncode


def run_pytest(*arguments: str) -> int:
    """pytest, with DuckDB's leak notes at interpreter exit kept from burying the runner's closing line.

    (Its binding reports objects still alive when Python ends; they say nothing about the product.)
    """
    say("── 検査 (pytest)")
    command = [sys.executable, "-m", "pytest", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if not line.startswith(("nanobind:", " - leaked", " - ... skipped", "See https://nanobind")):
                print(line, end="", file=sys.stderr, flush=True)
    return process.returncode


def lint_imports() -> int:
    """import-linter has no `-m` entry point of its own."""
    say("── 層の検査 (import-linter)")
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode


def main(arguments: list[str]) -> int:
    """Everything by default; with arguments, pytest alone on what they name."""
    prepare_browser()
    prepare_java()
    prepare_database()
    if arguments:
        return run_pytest(*arguments)
    failed = [
        title
        for title, code in (
            ("体裁", run("体裁の検査 (ruff)", "ruff", "check", ".")),
            ("書式", run("書式の検査 (ruff format)", "ruff", "format", "--check", ".")),
            ("型", run("型の検査 (mypy)", "mypy")),
            ("層", lint_imports()),
        )
        if code
    ]
    tests = run_pytest("-n", "2", "--dist", "loadfile")
    if failed:
        say(f"失敗：{'、'.join(failed)} の検査が通っていません（上の出力を見てください）。")
        return 1
    return tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
