"""`kizuki link`: write the links out, measure them, link any two tables, learn a new model."""

import csv
import datetime as dt
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home, at_terminal, definitions_of
from kizuki.govern.actor import Actor

app = typer.Typer(no_args_is_help=True, help="名寄せの書き出しと評価。")

User = Annotated[str, typer.Option("--user", help="調べる利用者のID（権限を確かめます）。省くと、この端末の利用者。")]


@app.command()
def export(home: Home = Path("var"), user: User = "") -> None:
    """公開中の名寄せをCSVで書き出します（権限を確かめ、書き出したことを操作ログに残します）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app.link_export import COLUMNS, export_links  # needs the opened app

    _write_csv(COLUMNS, export_links(_actor(user), home))


def _actor(user: str) -> Actor:
    """The named user, with the purpose of reviewing where they have it; unnamed, whoever sits at the terminal."""
    from kizuki.app.accounts import actor_named  # needs the opened app

    return actor_named(user, prefer=_PURPOSE) if user else at_terminal("link_reviewer", _PURPOSE)


_PURPOSE = "linkage_review"


@app.command()
def history(
    person: Annotated[str, typer.Argument(help="個人ID。")],
    home: Home = Path("var"),
    day: Annotated[str, typer.Option("--as-of", help="この日までに分かっていたこと（YYYY-MM-DD）。")] = "",
    user: User = "",
    as_json: AsJson = False,
) -> None:
    """一つの個人IDに起きたこと（作成・結び付け・外し・統合・分割・人の判断）を古い順に示します（権限を確かめ、調べたことも記録します）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app.link_history import person_history  # needs the opened app

    found = person_history(_actor(user), home, person, _day(day) if day else None)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, default=str))
        return
    for e in found["events"]:
        answer = e["answer"] and f"「{e['answer']}」"
        records = [e["source"], e["record_id"], e["other_source"], e["other_record_id"]]
        told = [e["title"], answer, *records, e["rule"], e["other_person_id"], e["model"], e["actor"]]
        print(f"{e['seq']}番　{e['night']}　" + "　".join(t for t in told if t))
    print(f"いまの個人ID：{found['current_person_id']}")


@app.command()
def verify(
    home: Home = Path("var"),
    head: Annotated[str, typer.Option("--head", help="紙などに控えた末尾（通番:連鎖値）。")] = "",
    as_json: AsJson = False,
) -> None:
    """統合キーマスタの記録が、書き換え・削除・挿入を受けていないことを確かめます。"""
    from kizuki.engine.keys import KeyRing
    from kizuki.link.event_store import verify_chain
    from kizuki.terms.errors import RunFailed

    found = verify_chain(home, KeyRing.load(home), head)
    if as_json:
        told = {"events": found.events, "ok": found.ok, "first_bad": found.first_bad, "head": found.head}
        print(json.dumps(told, ensure_ascii=False))
    elif found.ok:
        print(f"統合キーマスタの記録 {found.events:,} 件に、改変は見つかりません。末尾の控え：{found.head}")
    if not found.ok:
        raise RunFailed(
            "K323",
            "統合キーマスタの記録が、書かれたときと違います。",
            f"{found.first_bad} 番",
            "フォルダに触れず、監査責任者に連絡してください。控えと照らして、いつからの異常かを調べます。",
        )


def _day(text: str) -> dt.date:
    from kizuki.terms.errors import UsageError

    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError("K324", "日付を読めません。", "--as-of", "2026-11-20 の形で入れてください。") from None


@app.command()
def evaluate(
    home: Home = Path("var"),
    truth: Annotated[Path | None, typer.Option("--truth", help="正解のCSV（true_person, source, record_id）。")] = None,
    as_json: AsJson = False,
) -> None:
    """名寄せがどれだけ正しいかを、正解と比べて示します（合成都市では、その正解を使います）。"""
    from kizuki.app.link_evaluation import evaluate_linking

    found = evaluate_linking(home, definitions_of(home), truth, dt.datetime.now(dt.UTC).astimezone())
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for line in _evaluation_lines(found):
        print(line)


@app.command()
def pairs(
    left: Annotated[Path, typer.Argument(help="住民記録にあたるCSV（UTF-8）。")],
    right: Annotated[Path, typer.Argument(help="結び付けるCSV（UTF-8）。")],
    columns: Annotated[Path, typer.Option("--columns", help="列の対応表（CSV：column, kind）。")],
    home: Home = Path("var"),
) -> None:
    """二つの表を、同じ整え方・重み・規則で結び付け、最もよい相手だけをCSVで書き出します。"""
    from kizuki.app import startup
    from kizuki.app.link_pairs import link_pairs

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    found = link_pairs(definitions_of(home), left, right, columns, tell)
    if startup.open_if_used(home):  # where people work, what was linked beside the city is on record too
        from kizuki.app.link_export import record_pairs  # needs the opened app

        record_pairs(_actor(""), len(found))
    _write_csv(("left_id", "right_id", "weight", "decision"), found)


@app.command()
def review(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """名寄せの審査がどこまで進んだかを、件数だけで示します（個人の値は出しません）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app.link_review_counts import review_counts  # needs the opened app

    found = review_counts(home)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    waits = found["waiting"]
    print(
        f"これから見る組 {waits['new']:,}　もう一人 {waits['second']:,}　分かれた組 {waits['split']:,}　保留 {waits['held']:,}"
    )
    print(f"決まった組 {found['decided']:,}　次の夜に書く決定 {found['tonight']:,}　残り {found['hours_left']}時間")
    for month in found["check"]:
        print(f"  点検 {month['month']}：{month['drawn']}組のうち 正しい {month['right']}　誤り {month['wrong']}")


@app.command()
def train(
    version: Annotated[str, typer.Option("--version", help="新しい表の版。")],
    home: Home = Path("var"),
) -> None:
    """宛名番号の一致した組から照合の重みを学び、新しい model.yaml を標準出力に書きます（置き換えは人が行います）。"""
    from kizuki.app.link_evaluation import train_model
    from kizuki.definitions.linkage import as_yaml

    print(as_yaml(train_model(home, definitions_of(home), version, dt.datetime.now(dt.UTC).astimezone())), end="")


def _write_csv(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if r[c] is None else r[c] for c in columns] for r in rows])


def _evaluation_lines(found: dict[str, Any]) -> Iterator[str]:
    """The figures as sentences."""
    later, churn = found["after_review"], found["id_churn"]
    yield f"記録 {found['records']:,}件（正解だけにある記録 {found['unknown_in_truth']:,}件）　{found['seconds']}秒"
    for title, at in (("いま", found), ("審査の後", later)):
        pairs, cluster = at["pairwise"], at["cluster"]
        yield f"{title}：組の適合率 {pairs['precision']}　再現率 {pairs['recall']}　F1 {pairs['f1']}"
        yield f"{title}：B-cubed の適合率 {cluster['precision']}　再現率 {cluster['recall']}　F1 {cluster['f1']}"
    made, wrong = found["automatic"], found["automatic"]["wrong"]
    yield f"自動の結び付け {made['links']:,}件（誤り {wrong['wrong']}件）"
    yield f"  適合率 {_figure(made['precision'], made['interval'])}（括弧は95%区間）"
    yield f"  うち住民記録にいないふたごの相手への誤り {wrong['absent_twin']}件、住民記録にいない人 {wrong['absent_person']}件"
    yield f"自動の割合 {found['automatic_rate']}（番号のない記録だけでは {found['automatic_rate_without_number']}）"
    yield f"  {found['automatic_rate_meaning']}"
    yield f"審査待ち {found['review_pairs']:,}組（記録 {found['records_in_review']:,}件、全記録の {found['review_share']}）"
    for title, moved in (("同じ夜をもう一度", churn["rerun"]), ("前の夜から", churn["previous_night"])):
        yield f"{title}：" + (f"人が変わった記録 {moved['moved']:,}件" if moved else "比べる夜がありません")
    for kind in ("by_source", "by_case"):
        for name, of in found[kind].items():
            figures = [_figure(of[which], of["interval"][which]) for which in ("precision", "recall")]
            later_recall = _figure(of["recall_after_review"], None)
            yield f"  {name}：{of['n']:,}件　適合率 {figures[0]}　再現率 {figures[1]}　審査の後 {later_recall}"


def _figure(share: float | None, interval: list[float] | None) -> str:
    """A share with its interval; a dash over nothing."""
    if share is None:
        return "—"
    return str(share) + (f"（{interval[0]}〜{interval[1]}）" if interval else "")
