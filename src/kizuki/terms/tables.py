"""The mart and result tables: every column typed, classified and described, once.

One declaration serves the steps that build a table, the door that releases it (`govern`), the Spark parity test and the docs.
Types are the portable subset shared by DuckDB, Arrow and Spark: `string`, `int`, `double`, `bool`, `date`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Klass(StrEnum):
    """Sensitivity class of a column; the policy matrix grants classes, never single columns."""

    KEY = "key"  # 内部の鍵（person_id, household_id）
    IDENT = "ident"  # 氏名・生年月日・宛名番号
    ADDR = "addr"  # 住所・電話
    HOUSEHOLD = "household"  # 世帯・続柄
    TAX = "tax"  # 税
    BENEFIT = "benefit"  # 手当・給付・減免
    WELFARE = "welfare"  # 生活保護・障がい・介護
    HEALTH = "health"  # 母子保健・健診
    ABUSE = "abuse"  # 相談・要対協
    SCHOOL = "school"  # 就学・出欠
    CHILDCARE = "childcare"  # 保育・学童・こども食堂
    JUDGE = "judge"  # 判定の結果と理由
    SEAL = "seal"  # 支援措置そのもの
    BY_SOURCE = "by_source"  # class of the row's own source (events, spells, items carry many kinds)
    OPS = "ops"  # 受領・鮮度など、個人に関しない運用情報


@dataclass(frozen=True, slots=True)
class Column:
    """One column: portable type, sensitivity, Japanese meaning, whether blank is possible and what blank means."""

    name: str
    type: str
    klass: Klass
    title: str
    nullable: bool = False
    blank: str = ""


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table: what one row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    def column_names(self) -> tuple[str, ...]:
        """Names in declared order."""
        return tuple(c.name for c in self.columns)


def column(name: str, type_: str, klass: Klass, title: str, blank: str | None = None) -> Column:
    """A column; `blank` is what a blank means, None where there is none."""
    return Column(name, type_, klass, title, nullable=blank is not None, blank=blank or "")


_KNOWN = (
    column("known_from", "date", Klass.OPS, "この事実を知った日（データの届いた時点）"),
    column("known_to", "date", Klass.OPS, "この事実が新しい届けで置き換わった日", "現在も有効な知識"),
)
_VALID = (
    column("valid_from", "date", Klass.OPS, "事実の始まった日"),
    column("valid_to", "date", Klass.OPS, "事実の終わった日（この日を含まない）", "継続中"),
)
_EVIDENCE = (
    column("source", "string", Klass.OPS, "元データ（ソースID）"),
    column("delivery_id", "string", Klass.OPS, "受領番号"),
    column("record_id", "string", Klass.KEY, "元データでの記録の鍵"),
)

PERSON = TableSchema(
    "person",
    "one person × period in which name, birth, status and register data stay the same, as known from–to",
    (
        column("person_id", "string", Klass.KEY, "個人ID（統合キーマスタ）"),
        *_VALID,
        *_KNOWN,
        column("person_no", "string", Klass.IDENT, "宛名番号", "住民記録に無い人"),
        column("name", "string", Klass.IDENT, "氏名（原表記）", "カナのみの記録"),
        column("kana", "string", Klass.IDENT, "フリガナ", "未入力"),
        column("former_family_name", "string", Klass.IDENT, "旧氏", "なし"),
        column("alias_name", "string", Klass.IDENT, "通称", "なし"),
        column("birth_date", "date", Klass.IDENT, "生年月日", "不明"),
        column("sex", "string", Klass.IDENT, "性別（1男 2女 0不明 9適用不能）", "不明"),
        column("resident_type", "string", Klass.IDENT, "住民種別（1日本人 2外国人）。監査以外に使わない", "住民記録に無い人"),
        column("resident_status", "string", Klass.IDENT, "resident / moved_out / deceased / non_resident"),
        column("resident_from", "date", Klass.IDENT, "住民となった日", "不明"),
        column("resident_until", "date", Klass.IDENT, "転出・死亡の日", "在住"),
        column("sealed", "bool", Klass.SEAL, "支援措置の封（世帯へ広げる前の本人の印）"),
        *_EVIDENCE,
    ),
)
HOUSEHOLD_MEMBER = TableSchema(
    "household_member",
    "one person × household × period of membership, as known from–to",
    (
        column("household_id", "string", Klass.KEY, "世帯ID"),
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("relation", "string", Klass.HOUSEHOLD, "続柄", "未入力"),
        *_VALID,
        *_KNOWN,
        *_EVIDENCE,
    ),
)
RESIDENCE = TableSchema(
    "residence",
    "one person × address × period, as known from–to",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        *_VALID,
        *_KNOWN,
        column("postcode", "string", Klass.ADDR, "郵便番号", "未入力"),
        column("address", "string", Klass.ADDR, "住所（原表記）", "未入力"),
        column("address_extra", "string", Klass.ADDR, "方書", "なし"),
        column("town", "string", Klass.ADDR, "町字", "読み取れない"),
        *_EVIDENCE,
    ),
)
SPELL = TableSchema(
    "spell",
    "one benefit, service, enrolment or registration of one person in force from–to, as known from–to",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("kind", "string", Klass.BY_SOURCE, "種類（用語集の英語名）"),
        column("status", "string", Klass.BY_SOURCE, "区分・状態（原表記）", "区分のない種類"),
        column("facility", "string", Klass.BY_SOURCE, "施設・学校", "施設のない種類"),
        column("detail", "string", Klass.BY_SOURCE, "補足（学年・階層など）", "なし"),
        column("amount", "double", Klass.BY_SOURCE, "量（滞納月数など。単位は種類で決まる）", "量のない種類"),
        *_VALID,
        *_KNOWN,
        *_EVIDENCE,
    ),
)
EVENT = TableSchema(
    "event",
    "one dated happening of one person (visit, check-up, report, month of absence), as known from–to",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("kind", "string", Klass.BY_SOURCE, "種類（用語集の英語名）"),
        column("happened_on", "date", Klass.BY_SOURCE, "発生日（月単位の記録は月末日）"),
        column("value", "double", Klass.BY_SOURCE, "値（日数・回数・点数）", "value_state を見る"),
        column("value_state", "string", Klass.BY_SOURCE, "値の状態（ValueState）"),
        column("code", "string", Klass.BY_SOURCE, "区分・判定（原表記）", "区分のない種類"),
        column("facility", "string", Klass.BY_SOURCE, "施設・学校・経路", "施設のない種類"),
        *_KNOWN,
        *_EVIDENCE,
    ),
)
COVERAGE = TableSchema(
    "coverage",
    "one person × source: the period in which this source can know this person; outside it blanks are not_collected",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("covered_from", "date", Klass.OPS, "記録のあり得る最初の日"),
        column("covered_until", "date", Klass.OPS, "記録のあり得る最後の日（最後に届いたデータの時点）"),
    ),
)
ITEM = TableSchema(
    "item",
    "one child × item at the snapshot's as-of date: value, its state and its evidence",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("item", "string", Klass.BY_SOURCE, "項目ID（definitions/base/items）"),
        column("value", "double", Klass.BY_SOURCE, "値（真偽は1/0。単位は項目で決まる）", "state を見る"),
        column("code", "string", Klass.BY_SOURCE, "区分の値", "区分のない項目"),
        column("state", "string", Klass.BY_SOURCE, "値の状態（ValueState）"),
        column(
            "unknown_reason",
            "string",
            Klass.BY_SOURCE,
            "不明の理由（moved_in, feed_off, feed_late, not_entered, unlinked…）",
            "不明でない",
        ),
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("delivery_id", "string", Klass.OPS, "受領番号", "記録が無いことが根拠"),
        column("record_id", "string", Klass.KEY, "元データでの記録の鍵", "記録が無いことが根拠"),
        column("observed_on", "date", Klass.OPS, "値の時点"),
    ),
)
SEAL = TableSchema(
    "seal",
    "one person under 支援措置, by own mark or by sharing a household with a marked person now or while the mark stood",
    (
        column("person_id", "string", Klass.SEAL, "個人ID"),
        column(
            "reason",
            "string",
            Klass.SEAL,
            "own（本人の印） / household（同じ世帯） / former_household（印のある間に同居し、いまは別）",
        ),
        column("sealed_from", "date", Klass.SEAL, "封の始まり"),
    ),
)
KINSHIP = TableSchema(
    "kinship",
    "one child under 20 × one related person × kind of relation × period one source shows it, as known on the as-of date",
    (
        column("person_id", "string", Klass.KEY, "個人ID（こども）"),
        column("related_id", "string", Klass.KEY, "個人ID（関係のある人）"),
        column("kind", "string", Klass.HOUSEHOLD, "関係（用語集の英語名。parent, sibling, guardian …）"),
        column(
            "basis", "string", Klass.HOUSEHOLD, "何から分かったか（household 同じ世帯の続柄 / same_parent 同じ親 / ソースID）"
        ),
        column("together", "bool", Klass.HOUSEHOLD, "基準日に同じ世帯で暮らしているか"),
        column("valid_from", "date", Klass.HOUSEHOLD, "元データがその関係を示す最初の日"),
        column("valid_to", "date", Klass.HOUSEHOLD, "元データが示さなくなった日（この日を含まない）", "基準日も示している"),
        column("known_from", "date", Klass.OPS, "この関係を知った日（データの届いた時点）"),
        *_EVIDENCE,
    ),
)
LINK = TableSchema(
    "link",
    "one source record → one person",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("record_id", "string", Klass.KEY, "元データでの記録の鍵"),
        column("rule", "string", Klass.OPS, "結び付けた規則"),
        column("weight", "double", Klass.OPS, "照合の重み", "鍵の一致で決まった"),
        column("state", "string", Klass.OPS, "auto / reviewed / single"),
    ),
)
REDIRECT = TableSchema(
    "redirect",
    "one dissolved person → the person who now holds its records",
    (
        column("person_id", "string", Klass.KEY, "まとめられて無くなった個人ID"),
        column("current_person_id", "string", Klass.KEY, "いま記録を持つ個人ID"),
    ),
)
JUDGEMENT = TableSchema(
    "judgement",
    "one child × criteria set",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("criteria", "string", Klass.OPS, "判定基準ID"),
        column("version", "string", Klass.OPS, "判定基準の版"),
        column("verdict", "string", Klass.JUDGE, "該当 / 要確認 / 非該当"),
        column("points", "int", Klass.JUDGE, "確定点（画面には出さない）"),
        column("max_points", "int", Klass.JUDGE, "不明がすべて当てはまった場合の点"),
        column("rank", "int", Klass.JUDGE, "確認順（該当・要確認のみ）", "非該当"),
    ),
)
JUDGEMENT_TRIAL = TableSchema(
    "judgement_trial",
    "one child × version of a criteria set on trial (試行); no worklist, scope or page about a child reads it",
    JUDGEMENT.columns,
)
JUDGEMENT_REASON = TableSchema(
    "judgement_reason",
    "one child × criteria set × entry that holds or is unknown",
    (
        column("person_id", "string", Klass.KEY, "個人ID"),
        column("criteria", "string", Klass.OPS, "判定基準ID"),
        column("entry", "string", Klass.JUDGE, "基準の項目ID"),
        column("answer", "string", Klass.JUDGE, "true / unknown"),
        column("points", "int", Klass.JUDGE, "配点"),
        column("text", "string", Klass.JUDGE, "理由の文（値を埋めたもの）"),
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("delivery_id", "string", Klass.OPS, "受領番号", "記録が無いことが根拠"),
        column("observed_on", "date", Klass.OPS, "値の時点"),
        column("unknown_reason", "string", Klass.JUDGE, "不明の理由コード", "不明でない"),
    ),
)
ELIGIBILITY = TableSchema(
    "eligibility",
    "one programme × household or child",
    (
        column("programme", "string", Klass.OPS, "制度ID"),
        column("household_id", "string", Klass.KEY, "世帯ID"),
        column("person_id", "string", Klass.KEY, "対象のこども（世帯単位の制度は空）", "世帯単位の制度"),
        column("verdict", "string", Klass.BENEFIT, "該当 / 不明 / 非該当"),
        column("receiving", "bool", Klass.BENEFIT, "受給中", "受給情報が未着"),
        column("unclaimed", "bool", Klass.BENEFIT, "該当かつ受給していない"),
        column("reasons", "string", Klass.BENEFIT, "満たした条件（JSON配列：条件ID, 文, 元データ, 時点）"),
        column("unknown", "string", Klass.BENEFIT, "決め手の不明（JSON配列：条件ID, 確認すること）"),
    ),
)
FEED = TableSchema(
    "feed",
    "one source: how fresh it is at the snapshot's as-of date",
    (
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("last_as_of", "date", Klass.OPS, "最後に届いたデータの時点", "まだ届いていない"),
        column("last_received_at", "string", Klass.OPS, "最後に受け取った日時", "まだ届いていない"),
        column("state", "string", Klass.OPS, "fresh / late / never / off"),
        column("deliveries", "int", Klass.OPS, "受領の数"),
        column("rows", "int", Klass.OPS, "受け入れた行数"),
        column("quarantined", "int", Klass.OPS, "保留した行数"),
    ),
)
REVIEW_CASE = TableSchema(
    "review_case",
    "one record and resident people look at: waiting, decided before, or among those the machine joined (for the check)",
    (
        column("pair_id", "string", Klass.KEY, "組の符号（読み戻せない。夜をまたいで変わらない）"),
        column("person_id", "string", Klass.KEY, "住民の個人ID"),
        column("other_person_id", "string", Klass.KEY, "いま記録が属する個人ID"),
        column("source", "string", Klass.OPS, "記録の元データ（ソースID）"),
        column("record_id", "string", Klass.KEY, "元データでの記録の鍵"),
        column("resident_id", "string", Klass.KEY, "住民記録での鍵"),
        column(
            "state",
            "string",
            Klass.OPS,
            "waiting（待ち） / below（下限に満たず待たない） / decided（人が決めた） / automatic（機械が結んだ。点検の候補）",
        ),
        column("group_id", "string", Klass.KEY, "同じ記録の組に共通の符号"),
        column("rule", "string", Klass.OPS, "なぜ人が見るか、または結び付けた規則"),
        column("strength", "double", Klass.OPS, "証拠の強さ：項目ごとの一致の重みの和（log2 のオッズ）"),
        column("evidence", "string", Klass.OPS, "項目ごとの一致の段階（値は書かない）"),
        column("harms", "string", Klass.OPS, "順番の条件（look_alike など、空白区切り）"),
        column("place", "int", Klass.OPS, "順番（1から。待ちの組だけ）", "待ちでない"),
        column("lot", "string", Klass.OPS, "点検のくじの値（小さい順に当たり）", "点検の候補でない"),
        column("eligible", "int", Klass.OPS, "くじの母数：その夜に機械が結んでいた記録の数", "点検の候補でない"),
    ),
)
REVIEW_SIDE = TableSchema(
    "review_side",
    "one side (record or resident) of one pair, as its own office writes the person",
    (
        column("pair_id", "string", Klass.KEY, "組の符号"),
        column("side", "string", Klass.OPS, "record（記録） / resident（住民）"),
        column("person_id", "string", Klass.KEY, "この側の個人ID"),
        column("other_person_id", "string", Klass.KEY, "相手の側の個人ID"),
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("record_id", "string", Klass.KEY, "元データでの鍵"),
        column("person_no", "string", Klass.IDENT, "宛名番号", "宛名番号を持たない記録"),
        column("name", "string", Klass.IDENT, "氏名（原表記）", "カナのみ"),
        column("kana", "string", Klass.IDENT, "フリガナ", "漢字のみ"),
        column("birth_date", "date", Klass.IDENT, "生年月日", "不明"),
        column("sex", "string", Klass.IDENT, "性別コード", "不明"),
        column("postcode", "string", Klass.ADDR, "郵便番号", "不明"),
        column("town", "string", Klass.ADDR, "町字（比べる形）", "不明"),
        column("block", "string", Klass.ADDR, "番地（比べる形）", "不明"),
        column("phone", "string", Klass.ADDR, "電話", "不明"),
        column("school_code", "string", Klass.SCHOOL, "学校コード", "学校の記録でない"),
        column("grade", "string", Klass.SCHOOL, "学年", "学校の記録でない"),
        column("known_from", "date", Klass.OPS, "最初に知った日"),
    ),
)
REVIEW_HISTORY = TableSchema(
    "review_history",
    "one period of the register on one side of a pair of two residents: a name, a stay, an address or a household",
    (
        column("pair_id", "string", Klass.KEY, "組の符号"),
        column("side", "string", Klass.OPS, "record（後の番号） / resident（先の番号）"),
        column("person_id", "string", Klass.KEY, "この側の個人ID"),
        column("other_person_id", "string", Klass.KEY, "相手の側の個人ID"),
        column("kind", "string", Klass.OPS, "name / stay / address / household：どの欄が埋まる行か"),
        column("valid_from", "date", Klass.OPS, "いつから", "不明"),
        column("valid_to", "date", Klass.OPS, "いつまで（その日は含まない）", "続いている"),
        column("name", "string", Klass.IDENT, "氏名（原表記）", "氏名の行でない"),
        column("kana", "string", Klass.IDENT, "フリガナ", "氏名の行でない、未入力"),
        column("status", "string", Klass.IDENT, "resident / moved_out / deceased / non_resident", "住民だった期間の行でない"),
        column("address", "string", Klass.ADDR, "住所と方書（原表記）", "住所の行でない"),
        column("relation", "string", Klass.HOUSEHOLD, "続柄", "世帯の行でない、未入力"),
        column("members", "int", Klass.HOUSEHOLD, "その期間に同じ世帯にいた人の数（本人を含む）", "世帯の行でない"),
        column(
            "met_again", "int", Klass.HOUSEHOLD, "そのうち、相手の側の世帯にも同じ氏名・生年月日でいる人の数", "世帯の行でない"
        ),
    ),
)

CLEANSING = TableSchema(
    "cleansing",
    "one field of one source × one thing cleansing did or could not do to its writings, counted over all accepted rows",
    (
        column("source", "string", Klass.OPS, "元データ（ソースID）"),
        column("field", "string", Klass.OPS, "項目（英語名）"),
        column("rule", "string", Klass.OPS, "整え方の規則"),
        column("flag", "string", Klass.OPS, "整え方の印。all はその項目の書き方のすべて"),
        column("detail", "string", Klass.OPS, "外字表にない外字の符号", "外字でない"),
        column("writings", "int", Klass.OPS, "書き方の種類の数"),
        column("cells", "int", Klass.OPS, "その書き方の欄の数"),
    ),
)

MART_TABLES = (
    PERSON,
    HOUSEHOLD_MEMBER,
    KINSHIP,
    RESIDENCE,
    SPELL,
    EVENT,
    COVERAGE,
    ITEM,
    SEAL,
    LINK,
    REDIRECT,
    REVIEW_CASE,
    REVIEW_SIDE,
    REVIEW_HISTORY,
)
RESULT_TABLES = (JUDGEMENT, JUDGEMENT_REASON, JUDGEMENT_TRIAL, ELIGIBILITY, FEED, CLEANSING)
ALL_TABLES = {t.name: t for t in MART_TABLES + RESULT_TABLES}
