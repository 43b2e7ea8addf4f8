"""モデルの説明書: one page in the order of TRIPOD+AI (BMJ 2024;385:e078378), filled in from what was learned and nothing else.

What only people can say (why, who took part) is asked for by name and never made up.
"""

from collections.abc import Mapping
from typing import Any

from kizuki.app.learning import LearnRequest
from kizuki.judge.ladder import Learned
from kizuki.judge.point_table import ItemTable

_METHODS = {
    "staff_points": "現場の点だけ（確率への読み替えだけを学ぶ）",
    "hybrid": "現場の点と、まとめて縮めた項目の表（リッジ・ロジスティック）",
    "additive": "項目ごとに縮める強さを学んだ加法の表（リッジ・ロジスティック）",
    "none": "学べませんでした",
}
_BY_HAND = "（人が書く欄：{}）"


def model_sheet(found: Learned, asked: LearnRequest, titles: Mapping[str, str] | None = None) -> str:
    """Markdown in Japanese; `titles` = what the columns are called where they are items of the city, by column."""
    lines = [f"# モデルの説明書：{asked.roles.label}", "", "TRIPOD+AI の順。数は学習の結果から自動で入れています。", ""]
    for title, body in _sections(found, asked, titles or {}):
        lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines)


def _sections(found: Learned, asked: LearnRequest, titles: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    return [
        ("1 題名", [f"「{asked.roles.label}」を次の期に始まるこどもの、確認の順を決める採点表（開発と検証）。"]),
        ("2 要約", _summary(found)),
        ("3 背景", [_BY_HAND.format("どの困難に、なぜ要るのか。いまの見つけ方と公平性の懸念")]),
        ("4 目的", ["職員が確認を始めるきっかけを作る。通告を閉じる・順位を下げる・一時保護を決めることには使わない。"]),
        ("5 データ", _data(found)),
        (
            "6 対象者",
            [f"学習に使った行（こども×基準日）：{found.rows:,}。", _BY_HAND.format("対象年齢、除いたこども、受けている支援")],
        ),
        ("7 データの準備", _preparation(found, titles)),
        ("8 結果（目的変数）", [f"列「{asked.roles.label}」。空欄は、結果の期間がまだ閉じていない行として除く。"]),
        ("9 予測に使う項目", _predictors(found, titles)),
        ("10 標本の大きさ", _size(found)),
        (
            "11 欠けた値",
            ["空欄は「不明」という独立の状態。0 や「なし」に置き換えず、項目ごとに不明の点を学ぶ（平均へ縮める）。"],
        ),
        ("12 分析の方法", _methods(found, asked)),
        ("13 偏りのある少数例", ["該当の少なさを、該当の複製や確率の細工で補っていない。確率は実際の割合に合わせてある。"]),
        (
            "14 公平性",
            ["`judge fairness` で、性別・年齢・地域・転入・ひとり親などのグループごとに点検する。国籍は入力にしない。"],
        ),
        ("15 出力", ["点（自然対数のオッズ）と確率。画面には百分率を出さず、確認の順と理由だけを出す。"]),
        ("16 開発と検証の違い", ["検証は、世帯を分けた交差検証と、過去の時点へさかのぼった検証。別の市での検証はしていない。"]),
        ("17 倫理・承認", [_BY_HAND.format("承認した会議、利用目的、住民への説明")]),
        ("18 公開", ["採点表はJSONで全て読める。指紋（digest）と署名で、書き換えが分かる。"]),
        ("19 住民・当事者の参加", [_BY_HAND.format("誰が、どの段階で加わったか")]),
        ("20 参加者と期ごとの結果", _periods(found)),
        ("21 モデルの開発", [f"方法：{_METHODS[found.method]}。実効的な自由な数：{found.dof}。"]),
        ("22 モデルの全体", _table(found, titles)),
        ("23 性能", _performance(found)),
        ("24 更新", ["期ごとに学び直す。`judge drift` が、値の分布や空欄の割合の大きな変化で処理を止める。"]),
        ("25 解釈", ["点は、過去に支援につながったこどもと似ている度合い。原因でも、こどもの評価でもない。"]),
        ("26 限界", _limits(found)),
        ("27 使う場面", ["一覧は、見るこどもを増やすためだけに使う。載らないことは、心配が少ないことを意味しない。"]),
    ]


def _summary(found: Learned) -> list[str]:
    body = [f"過去の該当 {found.events:,}件から、{_METHODS[found.method]}を作った。"]
    if found.promise:
        p = found.promise
        low, high = (round(v * p.n) for v in p.precision_interval)
        body.append(
            f"次の期に {p.n}件を見ると、およそ {p.precision * p.n:.0f}件（{low}〜{high}件）が該当すると約束する（90%区間）。"
        )
    body += [f"**公表・運用できない理由**：{why}" for why in found.refused]
    return body


def _data(found: Learned) -> list[str]:
    closed = [p["period"] for p in found.periods if p["cross_fit"] is not None]
    return [f"結果の出た期：{'、'.join(closed) if closed else 'なし'}。", _BY_HAND.format("どの台帳から、いつ取ったか")]


def _preparation(found: Learned, titles: Mapping[str, str]) -> list[str]:
    body = ["数は区切りごとの段に、区分は頻度の低いものをまとめて使う。"]
    body += [f"- 除いた項目「{titles.get(item, item)}」：{why}" for item, why in found.left_out]
    return body + [f"- 漏れの疑いで除いた項目「{titles.get(s.item, s.item)}」：{s.why}" for s in found.leaks]


def _predictors(found: Learned, titles: Mapping[str, str]) -> list[str]:
    if not found.table:
        return ["なし。"]
    return [f"{len(found.table.items)}項目。", "", *(f"- {titles.get(i.name, i.name)}" for i in found.table.items)]


def _size(found: Learned) -> list[str]:
    if not found.guard:
        return [f"該当 {found.events}件。"]
    g = found.guard
    return [
        (
            f"Riley の基準：自由な数 {g.parameters} に対し {g.rows:,}行・該当 "
            f"{g.events}件以上。実際は {found.rows:,}行・{found.events}件。"
        )
    ]


def _methods(found: Learned, asked: LearnRequest) -> list[str]:
    return [
        f"方法：{_METHODS[found.method]}。段の変化ごとに罰則を付け、その強さはデータから決める。合意した向きは必ず守る。",
        (
            "検証：世帯単位の交差検証、過去の時点へさかのぼった検証。"
            f"区間は世帯の再抽出と期ごとの違いを含む。無作為の種 {asked.seed}。"
        ),
    ]


def _periods(found: Learned) -> list[str]:
    lines = [
        "| 期 | 行 | 該当 | AUC | 適合率 | 再現率 | AUC（さかのぼり） | 適合率 | 再現率 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for p in found.periods:
        figures = [_cell(p[kind], key) for kind in ("cross_fit", "rolling_origin") for key in ("auc", "precision", "recall")]
        lines.append(f"| {p['period']} | {p['rows']:,} | {_events(p['events'])} | {' | '.join(figures)} |")
    return lines


def _events(count: int) -> str:
    """A sheet is for publication: one to nine cases of a year are not told."""
    return "10未満" if 0 < count < 10 else f"{count:,}"


def _cell(figures: dict[str, Any] | None, key: str) -> str:
    return "－" if figures is None or figures[key] is None else f"{figures[key]:.3f}"


def _table(found: Learned, titles: Mapping[str, str]) -> list[str]:
    if not found.table:
        return ["採点表はない。"]
    lines = [f"切片 {found.table.intercept:.4f}。指紋 `{found.table.digest}`。", "", "| 項目 | 段 | 点 |", "|---|---|---:|"]
    return lines + [row for item in found.table.items for row in _rows(item, titles.get(item.name, item.name))]


def _rows(item: ItemTable, name: str) -> list[str]:
    named = [(item.label(k), v) for k, v in enumerate(item.values)]
    return [f"| {_plain(name)} | {_plain(at)} | {v:+.3f} |" for at, v in [*named, ("不明", item.unknown)]]


def _plain(text: str) -> str:
    """A column name or category must not break the table."""
    return text.replace("|", "\uff5c").replace("\n", " ")


def _performance(found: Learned) -> list[str]:
    body = []
    if found.promise:
        p = found.promise
        body += [
            f"- 適合率 {p.precision:.3f}（90%区間 {p.precision_interval[0]:.3f}〜{p.precision_interval[1]:.3f}）",
            f"- 再現率 {p.recall:.3f}（90%区間 {p.recall_interval[0]:.3f}〜{p.recall_interval[1]:.3f}）",
            f"- 同点：最悪 {p.ties['worst']:.0f}件・見込み {p.ties['expected']:.1f}件・最良 {p.ties['best']:.0f}件（最後の期）",
        ]
    if found.calibration:
        c = found.calibration
        body.append(
            f"- 較正：切片 {c['intercept']}、傾き {c['slope']}、E/O "
            f"{c['e_o']}（95%区間 {c['e_o_interval']}）、Brier {c['brier']}"
        )
    for line in found.net_benefit:
        staff = "－" if line["staff"] is None else f"{line['staff']:.2f}"
        body.append(
            f"- 純便益（千人あたり、{line['worth']:.0%}で釣り合う）：この表 {line['learned']:.2f}、現場の点 {staff}、一覧なし 0"
        )
    return body or ["検証できるだけの該当がない。"]


def _limits(found: Learned) -> list[str]:
    return [
        *(f"- {n}" for n in found.notes),
        "- 記録に現れない困難は、この表では見つからない。",
        "- 約束は、データの届き方が変わらない場合のもの。",
    ]
