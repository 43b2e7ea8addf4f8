"""Reference pages made from what is in force: tables from `terms`, sources from the definitions. Never a stale copy."""

from collections.abc import Iterable

from kizuki.definitions.loader import Definitions
from kizuki.terms.tables import ALL_TABLES, Klass, TableSchema

_KLASS_TITLES = {
    Klass.KEY: "内部の鍵",
    Klass.IDENT: "氏名・生年月日・番号",
    Klass.ADDR: "住所・電話",
    Klass.HOUSEHOLD: "世帯・続柄",
    Klass.TAX: "税",
    Klass.BENEFIT: "手当・給付",
    Klass.WELFARE: "生活保護・障がい・介護",
    Klass.HEALTH: "母子保健",
    Klass.ABUSE: "相談・要対協",
    Klass.SCHOOL: "就学・出欠",
    Klass.CHILDCARE: "保育・学童・こども食堂",
    Klass.JUDGE: "判定",
    Klass.SEAL: "支援措置",
    Klass.BY_SOURCE: "元データの区分に従う",
    Klass.OPS: "運用（個人に関しない）",
}


def tables_page() -> str:
    """Markdown: every table with its columns, sensitivity and the meaning of blank."""
    parts = ["# 表と列", "", "スナップショットの全ての表です。いまの定義から作っています。"]
    for table in ALL_TABLES.values():
        parts += ["", *_table_section(table)]
    return "\n".join(parts) + "\n"


def _table_section(table: TableSchema) -> Iterable[str]:
    yield f"## {table.name}"
    yield ""
    yield f"1行：{table.row}"
    yield ""
    yield "| 列 | 型 | 区分 | 意味 | 空欄の意味 |"
    yield "|---|---|---|---|---|"
    for c in table.columns:
        yield f"| `{c.name}` | {c.type} | {_KLASS_TITLES[c.klass]} | {c.title} | {c.blank or '空欄なし'} |"


def sources_page(definitions: Definitions) -> str:
    """Markdown: every source in force: owner, legal basis, purpose, cadence, retention and its columns."""
    parts = ["# ソースと列", "", "取り込むのは、ここに書かれた列だけです。書かれていない列は読み取り部の先へ進みません。"]
    for source in definitions.sources.values():
        parts += [
            "",
            f"## {source.name}（`{source.id}`）",
            "",
            f"- 保有・管理主体：{source.owner}",
            f"- 法的根拠：{source.legal_basis}",
            f"- 利用目的：{source.purpose}",
            f"- 届く頻度：{source.cadence}（猶予 {source.grace_days} 日）",
            f"- 保存：{source.retention_days} 日",
            f"- 状態：{'有効' if source.enabled else '無効（署名した決定があるまで使わない）'}",
            "",
            "| 列（元の見出し） | 名前 | 型 | 区分 | 空欄の意味 |",
            "|---|---|---|---|---|",
            *(f"| {f.title} | `{f.name}` | {f.type} | {_KLASS_TITLES[f.klass]} | {f.blank or '必須'} |" for f in source.fields),
        ]
    return "\n".join(parts) + "\n"
