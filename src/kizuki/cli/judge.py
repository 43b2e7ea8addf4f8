"""`kizuki judge`: the judgements of a published day, and how good they are."""

import csv
import datetime as dt
import getpass
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home, at_terminal, definitions_of, parse_day
from kizuki.terms.errors import DefinitionError, InputRefused, RunFailed

if TYPE_CHECKING:
    from kizuki.app.snapshot_view import SnapshotView
    from kizuki.govern.actor import Actor

app = typer.Typer(no_args_is_help=True)


@app.command()
def export(
    home: Home = Path("var"),
    as_of: Annotated[str, typer.Option("--as-of", help="この日の公開データから（YYYY-MM-DD）。省くと最新。")] = "",
    as_json: AsJson = True,
) -> None:
    """判定結果を1行1件のJSONで書き出します（書き出したことを操作ログに残します）。"""
    from kizuki.app import startup

    del as_json  # always JSON Lines
    startup.open_app(home)
    from kizuki.app import release  # needs the opened app

    view = _view(home, parse_day(as_of) if as_of else None)
    rows = list(judgements(view))
    actor = at_terminal("analyst", "analysis")
    people = sorted({r["person_id"] for r in rows})
    release.record_output(actor, "judge.export", subjects=people, fields=["judgement"], count=len(rows), reason="judge export")
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=_day))


@app.command()
def labels(
    home: Home = Path("var"),
    user: Annotated[str, typer.Option("--user", help="書き出す利用者のID。省くと、いまのOSの利用者名。")] = "",
) -> None:
    """職員が確かめた結果（当たり・外れ・既知・情報誤り）の表をCSVで書き出します（権限を確かめ、操作ログに残します）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import accounts, feedback  # needs the opened app

    actor = accounts.actor_named(user or getpass.getuser())
    sys.stdout.write(feedback.labels(actor))


@app.command()
def evaluate(
    home: Home = Path("var"),
    truth: Annotated[Path | None, typer.Option("--truth", help="正解のフォルダ。省くと <home>/truth。")] = None,
    as_json: AsJson = False,
) -> None:
    """一覧がどれだけ見つけられるかを、正解と比べて示します（合成都市、または市が集めた結果）。"""
    from kizuki.app.evaluation import evaluate as against_truth

    found = against_truth(_view(home, None), definitions_of(home), truth or home / "truth")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for name, figures in found.items():
        print(f"{name}：こども {figures['children']}人、該当となる困難 {figures['events']}人、AUC {figures['auc']}")
        for point in figures["at_capacity"]:
            print(f"  上位{point['n']}人のうち {point['found']}人（95%区間 {point['interval']['precision']}）")


@app.command()
def learn(
    items: Annotated[Path, typer.Option("--items", help="過去の表（CSV、1行＝こども×基準日。空欄は不明）。")],
    label: Annotated[str, typer.Option("--label", help="結果の列（1／0。空欄はまだ結果が出ていない）。")],
    time: Annotated[str, typer.Option("--time", help="基準日の列。")],
    capacity: Annotated[int, typer.Option("--capacity", help="一期に職員が見られる件数。")],
    group: Annotated[str | None, typer.Option("--group", help="世帯の列。")] = None,
    monotone: Annotated[Path | None, typer.Option("--monotone", help="合意した向き（CSV：item, direction ＝ 1／-1）。")] = None,
    staff: Annotated[str | None, typer.Option("--staff", help="現場の点の列。省くと staff_points などを探します。")] = None,
    window_days: Annotated[int | None, typer.Option("--window-days", help="結果が出るまでの日数。")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="採点表を書くファイル（JSON）。")] = None,
    sheet: Annotated[Path | None, typer.Option("--sheet", help="モデルの説明書を書くファイル（Markdown）。")] = None,
    sign_key: Annotated[Path | None, typer.Option("--sign-key", help="採点表に署名する秘密鍵（PEM）。")] = None,
    signer: Annotated[str, typer.Option("--signer", help="署名者のID。")] = "",
    yardstick: Annotated[
        bool, typer.Option("--yardstick", help="EBM と比べる（analysis の追加ライブラリが要ります）。")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="無作為の種。")] = 20_260_401,
    as_json: AsJson = True,
) -> None:
    """過去の事例から採点表を学び、次の期に約束できる適合率・再現率を90%区間で示します。"""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: measured 9 times less CPU on a busy machine
    from kizuki.app.learning import LearnRequest, learn_from, learned_as_dict, write_points
    from kizuki.app.learning_tables import Roles
    from kizuki.app.model_sheet import model_sheet

    del as_json  # the result is JSON in any case
    asked = LearnRequest(items, Roles(label, time, group), capacity, monotone, staff, window_days, seed, yardstick)
    found = learn_from(asked)
    if out is not None and found.table is not None:
        write_points(found, out, sign_key, signer)
    if sheet is not None:
        sheet.write_text(model_sheet(found, asked), encoding="utf-8")
    print(json.dumps(learned_as_dict(found), ensure_ascii=False, allow_nan=False))
    for line in (*found.refused, *found.notes):
        print(line, file=sys.stderr)


@app.command()
def score(
    points: Annotated[Path, typer.Option("--points", help="judge learn --out が書いた採点表。")],
    items: Annotated[Path, typer.Option("--items", help="採点する表（CSV、空欄は不明）。")],
    home: Home = Path("var"),
) -> None:
    """採点表で表の各行を採点し、CSVで書き出します（入力の順、row は 0 から）。"""
    from kizuki.app.learning import SCORE_COLUMNS, read_points, score_rows, signers_of

    table = read_points(points, signers_of(home))
    if not table.facts.get("publishable", True):
        print("この採点表は、公表・運用に使えないと判定されています（研究用）。", file=sys.stderr)
    writer = csv.DictWriter(sys.stdout, SCORE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(score_rows(table, items, lambda text: print(text, file=sys.stderr)))


@app.command()
def drift(
    points: Annotated[Path, typer.Option("--points", help="judge learn --out が書いた採点表。")],
    items: Annotated[Path, typer.Option("--items", help="いまの表（CSV）。")],
    home: Home = Path("var"),
    as_json: AsJson = True,
) -> None:
    """いまのこどもたちが、採点表の学ばれた時とどれだけ違うかを示します。違いすぎるときは終了コード 5 で止まります。"""
    from kizuki.app.learning import drift_of, read_points, signers_of

    del as_json
    found = drift_of(read_points(points, signers_of(home)), items)
    print(json.dumps(found, ensure_ascii=False))
    if found["stop"]:
        raise RunFailed("K552", "データが、採点表の学ばれた時と大きく違います。", "", "\n        ".join(found["reasons"]))


@app.command()
def fairness(
    table: Annotated[Path, typer.Option("--table", help="表（CSV、1行＝こども一人）。")],
    label: Annotated[str, typer.Option("--label", help="結果の列（1／0）。")],
    group: Annotated[str, typer.Option("--group", help="比べるグループの列。")],
    flag: Annotated[str | None, typer.Option("--flag", help="一覧に入ったかの列（1／0）。")] = None,
    score: Annotated[str | None, typer.Option("--score", help="点の列（高いほど先）。")] = None,
    top: Annotated[int | None, typer.Option("--top", help="点の高い順に何件を一覧とするか。")] = None,
    probability: Annotated[str | None, typer.Option("--probability", help="確率の列（E/O を出します）。")] = None,
    as_json: AsJson = True,
) -> None:
    """一覧や点が、グループの間で同じように働いているかを示します（少数のグループは「判定できない」）。"""
    from kizuki.app.fairness import FairnessRequest, fairness_of

    del as_json
    asked = FairnessRequest(table, label, group, flag, score, top, probability)
    print(json.dumps(fairness_of(asked), ensure_ascii=False, allow_nan=False))


@app.command()
def examples(
    what: Annotated[str, typer.Argument(help="判定基準のファイル（YAML）か、ID（例 absence、absence@2026.1）。")],
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """判定基準の例（こどもの状況と期待する結果）を試験として動かし、合わない例と直す所を示します。"""
    from kizuki.app.criteria_examples import examples_of

    found = examples_of(home, definitions_of(home), what)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for row in found["examples"]:
            print(f"{'○' if row['holds'] else '×'} {row['name']}：期待 {row['expected']}、結果 {row['said']}")
        for row in found["findings"]:
            print(f"[{row['code']}] {row['line']}行目 {row['what']} {row['fix']}", file=sys.stderr)
    if not found["ok"]:
        raise DefinitionError(
            "K504",
            "例のとおりにならないか、読めない所があります。",
            what,
            "示した所を直して、もう一度動かしてください。",
        )


@app.command()
def compare(
    old: Annotated[str, typer.Argument(help="いまの版（例 absence@2026.1、ID だけなら施行中の版）。")],
    new: Annotated[str, typer.Argument(help="比べる版（同じく、または YAML ファイル）。")],
    home: Home = Path("var"),
    capacity: Annotated[int | None, typer.Option("--capacity", help="それぞれ確認順の上位何人を比べるか。")] = None,
    truth: Annotated[Path | None, typer.Option("--truth", help="結果のフォルダ（judge evaluate と同じ形）。")] = None,
    as_json: AsJson = False,
) -> None:
    """二つの版を同じ公開データで比べ、入る・出る・残る人数と仕事の増減を示します（人数だけ。少ない人数は丸めます）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app.criteria_comparison import compare_versions  # needs the opened app

    found = compare_versions(home, (old, new), capacity, truth)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{found['criteria']}：版 {found['old']} → {found['new']}")
    print(f"  入る {found['entering']}　出る {found['leaving']}　残る {found['staying']}")
    print(f"  一覧 {found['list'][0]} → {found['list'][1]}（{found['change']}）　世帯 {' → '.join(found['households'])}")
    for verdict, (before, after) in found["verdicts"].items():
        print(f"  {verdict} {before} → {after}")
    if found["precision"] is not None:
        print(f"  見つける割合：{found['precision']['answer']} {found['precision']['interval'] or ''}")


def history(
    criteria: Annotated[str, typer.Option("--criteria", help="判定基準のID。")],
    out: Annotated[Path, typer.Option("--out", help="書き出すCSV（judge learn の --items に渡せます）。")],
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """過去の基準日ごとに、その日に分かっていた項目と、その後の一年に起きたことの表を書き出します（仮名。操作ログに残します）。"""
    from kizuki.app import startup
    from kizuki.engine.keys import KeyRing

    startup.open_app(home)
    from kizuki.app import release  # needs the opened app
    from kizuki.app.backtest import PastDays, write_history

    view = _view(home, None)
    with PastDays(view, definitions_of(home)) as days:
        past = days.history(criteria)
    people = sorted(set(past.people))
    release.record_output(
        _analyst(), "judge.history", subjects=people, fields=["item", "outcome"], count=len(past.people), reason=criteria
    )
    rows = write_history(past, out, KeyRing.load(home))
    told = {"criteria": criteria, "rows": rows, "periods": list(past.cases.periods), "snapshot": view.id}
    line = (
        f"judge learn --items {out.name} --label outcome --time as_of --group household --staff staff_points --window-days 365"
    )
    print(json.dumps(told, ensure_ascii=False) if as_json else f"{rows}行を書きました。次は：{line} --capacity 300")


@app.command()
def backtest(
    home: Home = Path("var"),
    criteria: Annotated[str, typer.Option("--criteria", help="判定基準のID。省くと全ての判定基準。")] = "",
    as_json: AsJson = False,
) -> None:
    """市の過去の記録で判定を検証し、閾値設計・公平性・モデルの説明書の画面に出します（月に一度）。"""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import release  # needs the opened app
    from kizuki.app.backtest import PastDays
    from kizuki.app.backtest_results import back_test_of, keep

    view = _view(home, None)
    with PastDays(view, definitions_of(home)) as days:
        names = [days.criteria(criteria).id] if criteria else list(days.sets)
        release.record_output(
            _analyst(), "judge.backtest", subjects=[], fields=["item", "outcome"], count=len(names), reason="judge backtest"
        )
        for name in names:
            told = back_test_of(days, name)
            keep(home, told)
            short = {k: told.get(k) for k in ("criteria", "events", "rows", "method", "empty")}
            print(json.dumps(short, ensure_ascii=False) if as_json else f"{name}：{told['empty'] or told['method']}")


def _analyst() -> "Actor":
    """Who uses the command line, as the role these verbs are for; raises NotPermitted where the matrix gives it no analysis."""
    from kizuki.app import accounts

    actor = at_terminal("analyst", "analysis")
    accounts.allow(actor, "analysis.run")
    return actor


def _view(home: Path, day: dt.date | None) -> "SnapshotView":
    """The newest snapshot, or the newest of a day; raises InputRefused K505 if that day was never published."""
    from kizuki.app.snapshot_view import current_view, load_view, server_of

    if day is None:
        return current_view(home)
    store = server_of(home).store
    for name in reversed(store.ids()):
        if store.manifest(name).as_of == day.isoformat():
            return load_view(store, name)
    raise InputRefused(
        "K505", "その日の公開データがありません。", day.isoformat(), f"kizuki run --as-of {day} で作ってください。"
    )


def judgements(view: "SnapshotView") -> Iterator[dict[str, Any]]:
    """One dict per child and set, listed children first in their order; nothing of a set under 緊急停止."""
    from sqlglot import exp

    from kizuki.app.stops import stopped_sets

    stopped = stopped_sets()
    reasons: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in view.cursor().query(exp.select("*").from_("judgement_reason")).to_pylist():
        reasons.setdefault((row.pop("person_id"), row.pop("criteria")), []).append(row)
    ordered = exp.select("*").from_("judgement").order_by("criteria", "rank", "person_id")
    for row in view.cursor().query(ordered).to_pylist():
        if row["criteria"] in stopped:
            continue
        mine = reasons.get((row["person_id"], row["criteria"]), [])
        row["reasons"] = [r for r in mine if r["answer"] == "true"]
        row["unknown"] = [r for r in mine if r["answer"] == "unknown"]
        yield row


def _day(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError("not a date")
