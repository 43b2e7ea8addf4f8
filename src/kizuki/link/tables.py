"""Tables of this stage: what it reads besides person records, what its passes hand on, and the events of the key master."""

from kizuki.terms.tables import Column, Klass, TableSchema, column

_SOURCE = column("source", "string", Klass.OPS, "元データ（ソースID）")
_RECORD = column("record_id", "string", Klass.KEY, "元データでの人の鍵")
_RESIDENT = column("resident_id", "string", Klass.KEY, "住民記録での人の鍵")
_WEIGHT = column("weight", "double", Klass.OPS, "照合の重み（log2 のオッズ）", "鍵の一致で決まった")
_EVIDENCE = column("evidence", "string", Klass.OPS, "項目ごとの一致の段階（値は書かない）", "重みによらない")


def _state(name: str, title: str) -> Column:
    return column(name, "int", Klass.OPS, f"{title}の一致の段階（大きいほど一致、0 は違う、-1 は不明）")


SCHOOL_ROLL = TableSchema(
    "school_roll",
    "one child on one year's 学齢簿, by the name written there",
    (
        column("person_no", "string", Klass.IDENT, "宛名番号"),
        column("fiscal_year", "int", Klass.SCHOOL, "年度"),
        column("school_code", "string", Klass.SCHOOL, "学校コード"),
        column("grade", "string", Klass.SCHOOL, "学年"),
        column("name_key", "string", Klass.IDENT, "氏名の比較鍵", "未入力"),
    ),
)
CLASS_YEAR = TableSchema(
    "class_year",
    "one record whose grade speaks of a known fiscal year; without a row, the year in which the record was first known",
    (_SOURCE, _RECORD, column("fiscal_year", "int", Klass.SCHOOL, "年度")),
)
FORMER_NAME = TableSchema(
    "former_name",
    "one name a resident was registered with before",
    (
        _RESIDENT,
        column("name_key", "string", Klass.IDENT, "以前の氏名の比較鍵"),
        column("kana_key", "string", Klass.IDENT, "以前のカナの比較鍵", "未入力"),
    ),
)
LOOSE_NAME = TableSchema(
    "loose_name",
    "one kanji name whose loose folding (嶋/島, 斉/斎 …) differs from its key",
    (column("name_key", "string", Klass.IDENT, "氏名の比較鍵"), column("loose_key", "string", Klass.IDENT, "緩い比較鍵")),
)
PAIR = TableSchema("pair", "one standing word of a reviewer about a record and a resident", (_SOURCE, _RECORD, _RESIDENT))
CANDIDATE = TableSchema(
    "candidate",
    "one record and resident some rule speaks about",
    (
        _SOURCE,
        _RECORD,
        _RESIDENT,
        column("rule", "string", Klass.OPS, "規則"),
        _WEIGHT,
        column("decision", "string", Klass.OPS, "auto / review / reviewed"),
        _EVIDENCE,
    ),
)
SCORED = TableSchema(
    "scored",
    "one pair the weighted comparison looked at",
    (
        column("record_uid", "string", Klass.KEY, "記録の通し鍵（元データ:鍵）"),
        _RESIDENT,
        column("weight", "double", Klass.OPS, "照合の重み（log2 のオッズ）"),
        _state("family", "姓"),
        _state("given", "名"),
        _state("birth", "生年月日"),
        _state("sex", "性別"),
        _state("address", "住所"),
        _state("phone", "電話"),
    ),
)
REVIEW_PAIR = TableSchema(
    "review_pair",
    "one record and resident a person must look at",
    (_SOURCE, _RECORD, _RESIDENT, _WEIGHT, column("reason", "string", Klass.OPS, "なぜ人が見るか（規則）"), _EVIDENCE),
)
RESIDENT_CASE = TableSchema(
    "resident_case",
    "one resident in one kind of difficulty by which linking is judged apart (moved_in, foreign, renamed, single_parent)",
    (
        column("name", "string", Klass.OPS, "難しさの種類"),
        column("record_id", "string", Klass.KEY, "住民記録での人の鍵"),
    ),
)
KEY_EVENT = TableSchema(
    "key_event",
    "one change of the key master, in order",
    (
        column("seq", "int", Klass.OPS, "通し番号（1から、欠けない）"),
        column("night", "date", Klass.OPS, "どの夜の処理か（基準日）"),
        column("kind", "string", Klass.OPS, "create / link / unlink / merge / split / decide"),
        column("person_id", "string", Klass.KEY, "個人ID", "人が決めた判断（decide）"),
        column("other_person_id", "string", Klass.KEY, "相手の個人ID（統合先、分かれる前、移った先）", "相手がいない"),
        column("source", "string", Klass.OPS, "元データ（ソースID）", "merge"),
        column("record_id", "string", Klass.KEY, "元データでの人の鍵", "merge"),
        column("other_source", "string", Klass.OPS, "相手の元データ", "decide でない"),
        column("other_record_id", "string", Klass.KEY, "相手の元データでの鍵", "decide でない"),
        column("rule", "string", Klass.OPS, "結び付けた規則、または理由", "規則によらない"),
        _WEIGHT,
        column(
            "state",
            "string",
            Klass.OPS,
            "auto / reviewed / single。decide では same / different / hold / withdrawn",
            "link・decide でない",
        ),
        _EVIDENCE,
        column("model", "string", Klass.OPS, "照合の表と規則の版", "decide"),
        column("actor", "string", Klass.OPS, "だれが（処理の名前、または審査者）"),
    ),
)
