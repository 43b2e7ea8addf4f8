"""Whether this machine and this home are fit to run: keys, disk, definitions, the served snapshot, optional parts."""

import datetime as dt
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kizuki.app.snapshot_view import SNAPSHOTS
from kizuki.definitions.messages import Messages
from kizuki.definitions.programmes import EXPIRED, Programme, lapses
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import SnapshotStore
from kizuki.programmes.judging import failed_examples
from kizuki.push.schedule import year_alarm
from kizuki.terms.errors import KizukiError

ENOUGH_FREE_GB = 5.0
_SOON_DAYS = 60
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, whether it is well, and a sentence without personal data. `optional` ones do not fail the whole."""

    name: str
    ok: bool
    message: str
    optional: bool = False


def examine(home: Path, load_definitions: Callable[[], object], today: dt.date) -> list[Check]:
    """Every check, in the order staff would look."""
    return [
        _key(home),
        _disk(home),
        _definitions(load_definitions),
        _parameters(load_definitions, today),
        _examples(load_definitions),
        _holidays(load_definitions, today),
        _snapshot(home),
        _temporary(),
        _part("Chromium（画面の試験）", any(shutil.which(n) for n in _CHROMIUM)),
        _part("Java（Spark の試験）", shutil.which("java") is not None),
        _part("PySpark（大規模処理）", importlib.util.find_spec("pyspark") is not None),
    ]


def _key(home: Path) -> Check:
    path = home / "keys" / "root.key"
    if not path.exists():
        return Check("鍵", True, "まだありません。最初の run で作られます。")
    try:
        KeyRing.load(home)
    except KizukiError as e:
        return Check("鍵", False, e.what)
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name != "nt" and mode & 0o077:
        return Check("鍵", False, "本人以外も鍵ファイルを読めます。chmod 600 で直してください。")
    return Check("鍵", True, "読めます。本人だけが読めます。")


def _disk(home: Path) -> Check:
    place = next(p for p in (home, *home.absolute().parents) if p.exists())
    free = shutil.disk_usage(place).free / (1 << 30)
    return Check("空き容量", free >= ENOUGH_FREE_GB, f"{free:.0f}GB 空いています（目安 {ENOUGH_FREE_GB:.0f}GB 以上）。")


def _definitions(load: Callable[[], object]) -> Check:
    try:
        load()
    except KizukiError as e:
        return Check("定義", False, f"[{e.code}] {e.what} {e.where}")
    return Check("定義", True, "すべて読めます。")


def _parameters(load: Callable[[], object], today: dt.date) -> Check:
    """An alarm that stops nothing: without the year's figures the programme answers 不明 and goes on to run."""
    name = "制度のパラメータ"
    try:
        programmes = getattr(load(), "programmes", {})
    except KizukiError:
        return Check(name, False, "定義を読めないため、確かめられません。", optional=True)
    gone = lapses(programmes, today)
    if gone:
        listed = "、".join(lapse.text() for lapse in gone)
        return Check(name, False, f"値が切れています。答えは不明（{EXPIRED}）になります：{listed}", optional=True)
    soon = lapses(programmes, today + dt.timedelta(days=_SOON_DAYS))
    if soon:
        return Check(name, True, f"{_SOON_DAYS}日以内に切れます：{'、'.join(lapse.text() for lapse in soon)}", optional=True)
    return Check(name, True, "すべての表に値があります。", optional=True)


def _holidays(load: Callable[[], object], today: dt.date) -> Check:
    """An alarm before the year runs out whose holidays are entered: after it no notice is sent at all."""
    name = "お知らせの祝日の表"
    try:
        messages = getattr(load(), "messages", None)
    except KizukiError:
        return Check(name, False, "定義を読めないため、確かめられません。", optional=True)
    if not isinstance(messages, Messages):
        return Check(name, True, "お知らせの定義はありません。", optional=True)
    last = year_alarm(today, messages.calendar, _SOON_DAYS)
    if last is None:
        return Check(name, True, f"{messages.calendar.last_day} まで入っています。", optional=True)
    return Check(
        name, False, f"{last} までしかありません。その後は一通も送りません。翌年の祝日を入れてください。", optional=True
    )


def _examples(load: Callable[[], object]) -> Check:
    """Whether every programme still answers its example households as its owner wrote down."""
    name = "制度の例"
    try:
        programmes: dict[str, Programme] = getattr(load(), "programmes", {})
    except KizukiError:
        return Check(name, False, "定義を読めないため、確かめられません。")
    failed = {p.name: n for p in programmes.values() if (n := len(failed_examples(p)))}
    if failed:
        listed = "、".join(f"{title}（{n}件）" for title, n in failed.items())
        return Check(name, False, f"例のとおりに答えない制度があります：{listed}。programme list で例を確かめてください。")
    return Check(name, True, f"{sum(len(p.text.examples) for p in programmes.values())}件の例のとおりに答えます。")


def _snapshot(home: Path) -> Check:
    if not (home / SNAPSHOTS / "CURRENT").exists():
        return Check("公開データ", True, "まだありません。run を実行すると作られます。")
    try:
        store = SnapshotStore(home / SNAPSHOTS, KeyRing.load(home))
        manifest = store.manifest(store.current_id() or "")
        for table in manifest.tables:
            store.load(manifest, table)
    except KizukiError as e:
        return Check("公開データ", False, f"[{e.code}] {e.what}")
    return Check("公開データ", True, f"{manifest.id}（{manifest.as_of} 時点）を読めます。")


def _temporary() -> Check:
    try:
        with tempfile.NamedTemporaryFile() as f:
            f.write(b"x")
    except OSError:
        return Check("一時フォルダ", False, "書き込めません。TMPDIR を確かめてください。")
    return Check("一時フォルダ", True, "書き込めます（個人の値は置きません）。")


def _part(name: str, there: bool) -> Check:
    return Check(name, there, "あります。" if there else "ありません（無くても動きます）。", optional=True)
