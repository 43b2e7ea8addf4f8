"""Whether this relay is fit to send: keys, LINE's client, files it waits for, what is stuck. Counts only; changes nothing."""

import datetime as dt
import importlib.util
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.db import DatabaseError

from kizuki.app.doctor import Check
from kizuki.app.relay_home import CODE_KEY, LINE_SECRET, LINE_TOKEN

_LATE: Final = dt.timedelta(days=1)
_TITLES: Final = {LINE_TOKEN: "LINEの接続の鍵", LINE_SECRET: "LINEの署名の鍵", CODE_KEY: "登録番号の鍵"}


def examine_relay(home: Path, now: dt.datetime) -> list[Check]:
    """Every check of a relay's home."""
    from kizuki.app.relay_startup import set_up

    set_up(home)
    installed = importlib.util.find_spec("linebot") is not None
    return [
        *_keys(home),
        Check("LINEの部品", installed, "入っています。" if installed else "pip install 'kizuki[line]' で入れてください。"),
        *_records(home, now),
    ]


def _keys(home: Path) -> Iterator[Check]:
    for name, title in _TITLES.items():
        path = home / "keys" / name
        if not path.exists():
            yield Check(title, False, f"keys/{name} がありません。手引き「本体と中継」の表のとおりに置いてください。")
        elif os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Check(title, False, f"本人以外も keys/{name} を読めます。chmod 600 で直してください。")
        else:
            yield Check(title, True, "あります。本人だけが読めます。")
    there = (home / "core.pub").exists()
    yield Check("本体の公開鍵", there, "あります。" if there else "本体の relay/core.pub を写してください。")


def _records(home: Path, now: dt.datetime) -> list[Check]:
    from kizuki.app import relay_city_rules
    from kizuki.app.relay_exchange import IN
    from kizuki.app.relay_sender import under_way
    from kizuki.records.relay.models import ExchangedFile, Outgoing, SendState, Switch

    try:
        last = ExchangedFile.objects.filter(direction=IN).order_by("-seq").first()
        waiting, unknown = under_way().count(), Outgoing.objects.filter(state=SendState.UNKNOWN).count()
        stopped = Switch.objects.filter(stopped=True).exists()
        standing, known = relay_city_rules.standing(now), relay_city_rules.year_known(now.date())
        ahead = Switch.objects.filter(clock_at__gt=now + dt.timedelta(minutes=2)).exists()
    except DatabaseError:
        return [Check("中継の記録", False, "読めません。serve --role relay を一度動かしてください。")]
    files = len(list((home / "in").glob("*.kzr")))
    came = f"最後は {last.seq}番（{last.at.astimezone(now.tzinfo):%Y-%m-%d %H:%M}）です。" if last else "まだありません。"
    late = last is not None and now - last.at > _LATE
    return [
        Check("取り込めていない便", files == 0, f"{files}件あります。" if files else "ありません。"),
        Check("本体からの便", not late, came + ("一日以上届いていません。" if late else ""), optional=True),
        Check("送るお知らせ", True, f"送る前 {waiting}件、結果不明 {unknown}件です。"),
        Check("送るきまり", known, standing + ("" if known else f"{now.year}年の祝日が入っていないので、送りません。")),
        Check("緊急停止", not stopped, "止まっています。" if stopped else "止まっていません。", optional=True),
        Check("時計", not ahead, "前に動いたときより戻っています。" if ahead else "進んでいます。"),
    ]
