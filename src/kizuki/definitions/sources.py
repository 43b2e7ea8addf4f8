"""What each source system delivers: who owns it, on what legal basis, how often, and what every column and blank means.

One manifest is one YAML file of `definitions/*/sources/`. Nothing else in the project says which columns exist: a column
that is not listed never leaves the parser.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator
from pydantic import Field as Key

from kizuki.definitions.yaml import Definition, YesNo, labelled, unique
from kizuki.terms.states import ValueState
from kizuki.terms.tables import Klass
from kizuki.terms.wareki import parse_date


class Cadence(StrEnum):
    """How often a feed comes; `once` is the only one that does not recur."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    TERMLY = "termly"
    YEARLY = "yearly"
    ONCE = "once"


CADENCE_LABELS = {
    "毎日": "daily",
    "毎週": "weekly",
    "毎月": "monthly",
    "四半期": "quarterly",
    "学期": "termly",
    "毎年": "yearly",
    "随時": "once",
}
DELIVERY_LABELS = {"全件": "full", "差分": "diff", "全件と差分": "both"}
TYPE_LABELS = {"文字": "string", "整数": "int", "小数": "double", "真偽": "bool", "日付": "date", "コード": "code"}
BLANK_LABELS = {
    "ゼロ": ValueState.ZERO.value,
    "未入力": ValueState.NOT_ENTERED.value,
    "対象外": ValueState.NOT_APPLICABLE.value,
    "未整備": ValueState.NOT_COLLECTED.value,
}
NORMALISER_LABELS = {
    "氏名": "name",
    "カナ": "kana",
    "和暦": "wareki",
    "和暦と通し番号": "wareki_serial",  # also five digits: days since 1899-12-30, as spreadsheets count them
    "番号10桁": "zeropad10",
    "住所": "address",
    "電話": "phone",
    "郵便番号": "postcode",
    "コード": "code",
    "整数": "int",
    "小数": "double",
    "なし": "none",
}
KLASS_LABELS = {
    "内部の鍵": Klass.KEY.value,
    "本人": Klass.IDENT.value,
    "住所": Klass.ADDR.value,
    "世帯": Klass.HOUSEHOLD.value,
    "税": Klass.TAX.value,
    "給付": Klass.BENEFIT.value,
    "福祉": Klass.WELFARE.value,
    "母子保健": Klass.HEALTH.value,
    "相談": Klass.ABUSE.value,
    "学校": Klass.SCHOOL.value,
    "保育": Klass.CHILDCARE.value,
    "判定": Klass.JUDGE.value,
    "支援措置": Klass.SEAL.value,
    "運用": Klass.OPS.value,
}
ENCODING_LABELS = {"CP932": "cp932", "UTF-8": "utf-8"}
NEWLINE_LABELS = {"CRLF": "crlf", "LF": "lf"}
DELIMITER_LABELS = {"カンマ": ",", "タブ": "\t", "セミコロン": ";"}
UNCONFIRMED = "未確認"
"""A legal basis beginning with this word marks a draft: allowed for a single trial delivery, never for a recurring feed."""

_EVER, _FOREVER = "0001-01-01", "9999-12-31"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ARTICLE_69_2 = re.compile(r"69条の?第?2項|69-2(?:-|$)|69\(2\)")
_KANJI_NUMERALS = str.maketrans("一二三四五六七八九", "123456789")


def _article(text: str) -> str:
    """A cited article in one spelling: half width, Arabic numerals, no spaces (第六十九条第二項 → 第69条第2項)."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain.replace("六十九", "69").replace("六九", "69").translate(_KANJI_NUMERALS)


FieldType = Literal["string", "int", "double", "bool", "date", "code"]
Normaliser = Literal[
    "name", "kana", "wareki", "wareki_serial", "zeropad10", "address", "phone", "postcode", "code", "int", "double", "none"
]
DeliveryMode = Literal["full", "diff", "both"]


def _choice(labels: dict[str, str]) -> WithJsonSchema:
    """What an editor offers: the Japanese labels, and the identifiers they stand for."""
    return WithJsonSchema({"enum": [*labels, *dict.fromkeys(labels.values())]})


def _iso_date(value: Any) -> Any:
    if isinstance(value, str) and value not in (_EVER, _FOREVER):
        date, reason = parse_date(value)
        if date is None:
            raise ValueError(reason)
        return date.isoformat()
    return value


IsoDate = Annotated[str, BeforeValidator(_iso_date)]
"""A date as ISO text; compares in date order."""


class Field(Definition):
    """One column: its English name, its header in the file, type, checks, what blank means and how sensitive it is.

    `blank` is required for every column that may be empty and forbidden for a required one.
    """

    name: str = Key(alias="名", pattern=_NAME.pattern)
    title: str = Key(alias="見出し", min_length=1)
    type: Annotated[FieldType, BeforeValidator(labelled(TYPE_LABELS)), _choice(TYPE_LABELS)] = Key(alias="型")
    required: YesNo = Key(False, alias="必須")
    blank: Annotated[ValueState | None, BeforeValidator(labelled(BLANK_LABELS)), _choice(BLANK_LABELS)] = Key(
        None, alias="空欄"
    )
    categories: dict[str, str] = Key(default_factory=dict, alias="区分")
    pattern: str = Key("", alias="書式")
    minimum: float | None = Key(None, alias="最小")
    maximum: float | None = Key(None, alias="最大")
    normaliser: Annotated[Normaliser, BeforeValidator(labelled(NORMALISER_LABELS)), _choice(NORMALISER_LABELS)] = Key(
        "none", alias="整え方"
    )
    klass: Annotated[Klass, BeforeValidator(labelled(KLASS_LABELS)), _choice(KLASS_LABELS)] = Key(alias="機微")
    retention_days: int | None = Key(None, alias="保存日数", gt=0)
    mynumber_waiver: YesNo = Key(False, alias="個人番号検査の免除")
    multiline: YesNo = Key(False, alias="複数行")
    description: str = Key("", alias="説明")

    @model_validator(mode="after")
    def _coherent(self) -> "Field":
        if not self.required and self.blank is None:
            raise ValueError(f"「{self.title}」は空欄があり得るのに、空欄の意味（ゼロ・未入力・対象外・未整備）がありません。")
        if self.required and self.blank is not None:
            raise ValueError(f"「{self.title}」は必須なのに、空欄の意味が書かれています。")
        if self.reads_serial_days and self.type != "date":
            raise ValueError(f"「{self.title}」は日付でないのに、整え方が「和暦と通し番号」です。")
        if self.type == "code" and not self.categories:
            raise ValueError(f"「{self.title}」はコードなのに、区分がありません。")
        if self.pattern:
            try:
                re.compile(self.pattern)
            except re.error as e:
                raise ValueError(f"「{self.title}」の書式が正規表現として読めません。") from e
        return self

    @property
    def reads_serial_days(self) -> bool:
        """Whether five digits in this column are a spreadsheet's count of days; elsewhere they are no date."""
        return self.normaliser == "wareki_serial"


class Layout(Definition):
    """One shape of the file: which headers in which order, in which encoding, valid for data as of a period.

    `header` empty means the titles of all fields in their order. `rename` gives this layout's title of a field that another
    layout titles differently. `ignored` lists delivered titles that are not taken in (data minimisation).
    """

    id: str = Key(alias="ID")
    valid_from: IsoDate = Key(_EVER, alias="適用開始")
    valid_until: IsoDate = Key(_FOREVER, alias="適用終了")
    encoding: Annotated[Literal["cp932", "utf-8"], BeforeValidator(labelled(ENCODING_LABELS)), _choice(ENCODING_LABELS)] = Key(
        alias="文字コード"
    )
    newline: Annotated[Literal["crlf", "lf"], BeforeValidator(labelled(NEWLINE_LABELS)), _choice(NEWLINE_LABELS)] = Key(
        "crlf", alias="改行"
    )
    delimiter: Annotated[Literal[",", "\t", ";"], BeforeValidator(labelled(DELIMITER_LABELS)), _choice(DELIMITER_LABELS)] = Key(
        ",", alias="区切り"
    )
    header_rows: int = Key(1, alias="見出し行数", ge=0, le=20)
    header: tuple[str, ...] = Key((), alias="列の並び")
    rename: dict[str, str] = Key(default_factory=dict, alias="見出しの読み替え")
    ignored: tuple[str, ...] = Key((), alias="取り込まない列")
    trailer_patterns: tuple[str, ...] = Key((), alias="末尾行")

    @model_validator(mode="after")
    def _coherent(self) -> "Layout":
        for pattern in self.trailer_patterns:
            try:
                re.compile(pattern)
            except re.error as e:
                raise ValueError(f"様式「{self.id}」の末尾行が正規表現として読めません。") from e
        if self.valid_from > self.valid_until:
            raise ValueError(f"様式「{self.id}」の適用開始が適用終了より後です。")
        return self


class PersonRecordSpec(Definition):
    """Which columns describe one person of a row: the source's own key and whatever identifies the person."""

    role: str = Key(alias="役割")
    record_id: tuple[str, ...] = Key(alias="記録の鍵", min_length=1)
    person_no: str | None = Key(None, alias="宛名番号")
    name: str | None = Key(None, alias="氏名")
    kana: str | None = Key(None, alias="カナ")
    birth_date: str | None = Key(None, alias="生年月日")
    sex: str | None = Key(None, alias="性別")
    postcode: str | None = Key(None, alias="郵便番号")
    address: str | None = Key(None, alias="住所")
    phone: str | None = Key(None, alias="電話")
    alias: str | None = Key(None, alias="通称")
    school_code: str | None = Key(None, alias="学校コード")
    grade: str | None = Key(None, alias="学年")

    def fields(self) -> tuple[str, ...]:
        """Every field this person is read from."""
        named = self.model_dump(exclude={"role", "record_id"}, exclude_none=True)
        return (*self.record_id, *named.values())


class Gates(Definition):
    """When a whole file is put on hold; percentages. Defaults follow facts/engine §2.2.

    `missing_key` names the fields whose disappearance from a full extract counts; empty means the primary key.
    """

    bad_percent: float = Key(1.0, alias="不備行の上限", ge=0)
    full_change_percent: float = Key(30.0, alias="全件の増減", ge=0)
    diff_change_percent: float = Key(30.0, alias="差分の増減", ge=0)
    missing_percent: float = Key(5.0, alias="消えた鍵の上限", ge=0)
    missing_key: tuple[str, ...] = Key((), alias="消えた鍵の見方")


class SourceManifest(Definition):
    """One source system's feed. Raises (through `build`) when a rule of lawful or safe intake is broken."""

    id: str = Key(alias="ID", pattern=_NAME.pattern)
    name: str = Key(alias="名称", min_length=1)
    owner: str = Key(alias="所管", min_length=1)
    network: str = Key(alias="系統", min_length=1)
    legal_basis: str = Key(alias="法的根拠", min_length=1)
    purpose: str = Key(alias="利用目的", min_length=1)
    cadence: Annotated[Cadence, BeforeValidator(labelled(CADENCE_LABELS)), _choice(CADENCE_LABELS)] = Key(alias="頻度")
    grace_days: int = Key(alias="猶予日数", ge=0)
    retention_days: int = Key(alias="保存日数", gt=0)
    delivery: Annotated[DeliveryMode, BeforeValidator(labelled(DELIVERY_LABELS)), _choice(DELIVERY_LABELS)] = Key(
        alias="届け方"
    )
    enabled: YesNo = Key(True, alias="有効")
    signature_required: YesNo = Key(False, alias="要署名")
    file_name: str = Key(alias="ファイル名")
    description: str = Key("", alias="説明")
    layouts: tuple[Layout, ...] = Key(alias="様式", min_length=1)
    fields: tuple[Field, ...] = Key(alias="項目", min_length=1)
    primary_key: tuple[str, ...] = Key(alias="主キー", min_length=1)
    person_records: tuple[PersonRecordSpec, ...] = Key((), alias="人の記録")
    gates: Gates = Key(default_factory=Gates, alias="保留の基準")

    @model_validator(mode="after")
    def _lawful(self) -> "SourceManifest":
        if self.cadence is not Cadence.ONCE:
            if _ARTICLE_69_2.search(_article(self.legal_basis)):
                raise ValueError("69条2項（目的外の利用・提供）は例外の規定なので、定期の連携の法的根拠にできません。")
            if self.legal_basis.startswith(UNCONFIRMED):
                raise ValueError("法的根拠が未確認のまま、定期の連携にはできません。")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> "SourceManifest":
        unique((f.name for f in self.fields), "項目の名")
        unique((f.title for f in self.fields), "見出し")
        unique((layout.id for layout in self.layouts), "様式")
        known = {f.name for f in self.fields}
        used = [*self.primary_key, *self.gates.missing_key, *(n for p in self.person_records for n in p.fields())]
        used += [name for layout in self.layouts for name in layout.rename.values()]
        for name in used:
            if name not in known:
                raise ValueError(f"「{name}」という項目はありません。")
        for key in self.primary_key:
            if not self.field(key).required:
                raise ValueError(f"主キーの「{key}」は必須にしてください。")
        return self

    @model_validator(mode="after")
    def _file_name_readable(self) -> "SourceManifest":
        try:
            groups = re.compile(self.file_name).groupindex
        except re.error as e:
            raise ValueError("ファイル名が正規表現として読めません。") from e
        if "as_of" not in groups:
            raise ValueError("ファイル名に時点（?P<as_of>…）がありません。")
        return self

    @model_validator(mode="after")
    def _layouts_distinct(self) -> "SourceManifest":
        for layout in self.layouts:
            columns = self.columns(layout)
            unique([c for c in columns if c is not None], f"様式「{layout.id}」の列")
            missing = [n for n in self.primary_key if n not in columns]
            if missing:
                raise ValueError(f"様式「{layout.id}」に主キー「{missing[0]}」の列がありません。")
        for i, one in enumerate(self.layouts):
            for other in self.layouts[i + 1 :]:
                overlapping = one.valid_from <= other.valid_until and other.valid_from <= one.valid_until
                if overlapping and self.titles(one) == self.titles(other):
                    raise ValueError(f"様式「{one.id}」と「{other.id}」は見出しが同じで、適用期間が重なっています。")
        return self

    def field(self, name: str) -> Field:
        """The field of that English name; KeyError if there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def titles(self, layout: Layout) -> tuple[str, ...]:
        """The header line of `layout`, in order."""
        if layout.header:
            return layout.header
        renamed = {name: title for title, name in layout.rename.items()}
        return tuple(renamed.get(f.name, f.title) for f in self.fields) + layout.ignored

    def columns(self, layout: Layout) -> tuple[str | None, ...]:
        """The field name of each delivered column of `layout`; None for a column that is not taken in."""
        by_title = {f.title: f.name for f in self.fields} | layout.rename
        names: list[str | None] = []
        for key in column_keys(self.titles(layout)):
            if key in layout.ignored:
                names.append(None)
            elif key in by_title:
                names.append(by_title[key])
            else:
                raise ValueError(f"様式「{layout.id}」の列「{key}」に対応する項目がありません。")
        return tuple(names)

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides how bytes are read; changes of wording leave it alone."""
        kept = self.model_dump(mode="json", include={"id", "layouts", "fields", "primary_key", "delivery", "file_name"})
        for field in kept["fields"]:
            for wording in ("description", "klass", "retention_days"):
                field.pop(wording)
        return hashlib.sha256(json.dumps(kept, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def column_keys(titles: Sequence[str]) -> tuple[str, ...]:
    """What definitions call each column of a header line: its title; （3列目） if it has none; 備考#2 for a second 備考."""
    seen: dict[str, int] = {}
    keys = []
    for position, title in enumerate(titles, start=1):
        seen[title] = seen.get(title, 0) + 1
        repeated = f"{title}#{seen[title]}" if seen[title] > 1 else title
        keys.append(repeated if title.strip() else f"（{position}列目）")
    return tuple(keys)
