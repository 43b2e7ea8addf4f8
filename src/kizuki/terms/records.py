"""Tables that travel between stages before the mart: what cleansing hands to linkage."""

from kizuki.terms.tables import Klass, TableSchema, column

PERSON_RECORD = TableSchema(
    "person_record",
    "one person as one source writes them: the newest writing of one (source, record_id)",
    (
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("record_id", "string", Klass.KEY, "元データでの人の鍵"),
        column("person_no", "string", Klass.IDENT, "宛名番号（10桁ゼロ埋め）", "宛名番号を持たない記録"),
        column("name", "string", Klass.IDENT, "氏名（原表記）", "カナのみ"),
        column("name_key", "string", Klass.IDENT, "氏名の比較鍵（異体字・空白を畳んだもの）", "カナのみ"),
        column("family_key", "string", Klass.IDENT, "姓の比較鍵", "分けられない"),
        column("given_key", "string", Klass.IDENT, "名の比較鍵", "分けられない"),
        column("kana", "string", Klass.IDENT, "フリガナ（全角・空白1つ）", "漢字のみ"),
        column("kana_key", "string", Klass.IDENT, "カナの比較鍵（小書き・長音を畳んだもの）", "漢字のみ"),
        column("family_kana_key", "string", Klass.IDENT, "姓カナの比較鍵", "分けられない"),
        column("given_kana_key", "string", Klass.IDENT, "名カナの比較鍵", "分けられない"),
        column("alias_key", "string", Klass.IDENT, "通称の比較鍵", "通称なし"),
        column("birth_date", "date", Klass.IDENT, "生年月日", "不明"),
        column("sex", "string", Klass.IDENT, "性別コード", "不明"),
        column("postcode", "string", Klass.ADDR, "郵便番号7桁", "不明"),
        column("town_key", "string", Klass.ADDR, "町字の比較鍵", "不明"),
        column("block_key", "string", Klass.ADDR, "番地の比較鍵", "不明"),
        column("phone", "string", Klass.ADDR, "電話（数字のみ）", "不明"),
        column("school_code", "string", Klass.SCHOOL, "学校コード、または名簿を作る施設", "場所の分かる名簿でない"),
        column("grade", "string", Klass.SCHOOL, "学年", "学校の記録でない"),
        column("known_from", "date", Klass.OPS, "最初に知った日"),
    ),
)
