"""Words for facts: how a spell, an event, a date, a reason is said to staff. The only place that turns mart rows into words.

Panels share these functions, so the same fact reads the same everywhere. Plain form, no blame; never 点数, 危険 or 低リスク.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

SOURCE_TITLES: Final[Mapping[str, str]] = {
    "resident_register": "住民記録",
    "school_enrolment": "学齢簿",
    "school_life": "校務支援",
    "municipal_tax": "市民税",
    "single_parent_allowance": "児童扶養手当",
    "child_allowance": "児童手当",
    "medical_subsidy": "福祉医療",
    "after_school_care": "学童保育",
    "disability_welfare": "障がい福祉",
    "public_assistance": "生活保護",
    "long_term_care": "介護保険",
    "childcare": "保育",
    "maternal_child_health": "健康福祉",
    "family_consultation": "家庭児童相談",
    "childrens_cafeteria": "こども食堂",
    "community_social_work": "CSW相談",
    "judgement": "判定の組合せ",
}
"""Short names used when the definitions carry no name for a source (a row may outlive its definition)."""

LANES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("住民", ("resident_register",)),
    (
        "福祉",
        (
            "single_parent_allowance",
            "child_allowance",
            "medical_subsidy",
            "disability_welfare",
            "public_assistance",
            "long_term_care",
            "municipal_tax",
        ),
    ),
    ("保健", ("maternal_child_health",)),
    ("教育", ("school_enrolment", "school_life", "childcare", "after_school_care")),
    ("相談", ("family_consultation", "community_social_work", "childrens_cafeteria")),
)

SPELL_TITLES: Final[Mapping[str, str]] = {
    "enrolment": "在籍",
    "school_aid": "就学援助",
    "non_enrolled": "不就学",
    "whereabouts_unknown": "居所不明",
    "single_parent_allowance": "児童扶養手当",
    "single_parent_allowance_recipient": "児童扶養手当の受給者",
    "child_allowance": "児童手当",
    "child_allowance_recipient": "児童手当の受給者",
    "medical_subsidy": "福祉医療",
    "after_school_care": "学童保育",
    "disability": "手帳",
    "disability_service": "障がい福祉サービス",
    "child_day_service": "児童通所支援",
    "public_assistance": "生活保護",
    "long_term_care": "要介護認定",
    "childcare": "保育",
    "council_registration": "要対協",
    "tax_year": "市民税",
}
EVENT_TITLES: Final[Mapping[str, str]] = {
    "moved_in": "転入",
    "moved_out": "転出",
    "moved_within": "転居",
    "born": "出生",
    "died": "死亡",
    "married": "婚姻",
    "divorced": "離婚",
    "name_changed": "氏名変更",
    "absence_days": "欠席",
    "late_count": "遅刻",
    "early_leave_count": "早退",
    "nurse_visits": "保健室の利用",
    "bullying_reports": "いじめの認知",
    "required_days": "授業日数",
    "separate_room_days": "別室登校",
    "childcare_absence_days": "園の欠席",
    "checkup": "健診",
    "epds_total": "EPDS合計",
    "epds_item10": "EPDS項目10",
    "caries": "むし歯",
    "vaccine_delay": "予防接種の遅れ",
    "poor_weight_gain": "体重増加の不良",
    "pregnancy_notice": "妊娠届",
    "pregnancy_unmarried": "妊娠届時の婚姻なし",
    "pregnancy_smoking": "妊娠中の喫煙",
    "consultation": "家庭児童相談の受付",
    "cafeteria_visit": "こども食堂の利用",
    "csw_consultation": "CSWへの相談",
}
UNITS: Final[Mapping[str, str]] = {
    "absence_days": "日",
    "late_count": "回",
    "early_leave_count": "回",
    "nurse_visits": "回",
    "bullying_reports": "件",
    "required_days": "日",
    "separate_room_days": "日",
    "childcare_absence_days": "日",
    "caries": "本",
    "vaccine_delay": "種",
    "pregnancy_notice": "週",
}
UNKNOWN_REASONS: Final[Mapping[str, str]] = {
    "moved_in": "転入前の記録がありません",
    "feed_off": "このデータは受け取っていません",
    "feed_late": "データの届きが遅れています",
    "not_entered": "元データで未入力です",
    "unlinked": "本人の記録に結び付いていません",
    "not_collected": "この期間の記録がありません",
    "feed_never": "データがまだ届いていません",
    "feed_start": "データを受け取り始める前のことです",
    "expired": "基準の数字の期限が切れています",
    "part_unknown": "もとの判定が要確認です",
}
STATE_WORDS: Final[Mapping[str, str]] = {"not_entered": "未入力", "not_collected": "記録なし", "not_applicable": "対象外"}
RELATION_SEX: Final[Mapping[str, str]] = {"1": "男", "2": "女"}
WEEKDAYS: Final = "月火水木金土日"
CADENCE_TITLES: Final[Mapping[str, str]] = {
    "daily": "毎日",
    "weekly": "毎週",
    "monthly": "毎月",
    "quarterly": "四半期ごと",
    "termly": "学期ごと",
    "yearly": "毎年",
    "once": "一度だけ",
}


def source_title(source: str) -> str:
    """Japanese name of a source; an unknown id is shown as it is."""
    return SOURCE_TITLES.get(source, source)


def date_text(day: dt.date | None, *, weekday: bool = False) -> str:
    """2026/11/20 or 2026/11/20(金); blank for None."""
    if day is None:
        return ""
    text = f"{day.year}/{day.month}/{day.day}"
    return f"{text}({WEEKDAYS[day.weekday()]})" if weekday else text


def instant_text(text: str) -> str:
    """2026/11/2 09:10 of an ISO instant, 2026/11/2 of an ISO day; blank stays blank."""
    return f"{date_text(dt.date.fromisoformat(text[:10]))} {text[11:16]}".strip() if text else ""


def age_years(birth: dt.date, on: dt.date) -> int:
    """Full years of age on a day (the ordinary count, birthday included)."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def age_text(birth: dt.date | None, on: dt.date) -> str:
    """14歳; below one year in months (8か月), because a baby's age in years says nothing."""
    if birth is None:
        return "年齢不明"
    years = age_years(birth, on)
    if years >= 1:
        return f"{years}歳"
    months = (on.year - birth.year) * 12 + on.month - birth.month - (on.day < birth.day)
    return f"{max(months, 0)}か月"


def sex_text(sex: str | None) -> str:
    """男 / 女; blank where the register does not say."""
    return RELATION_SEX.get(sex or "", "")


def grade_text(grade: Any) -> str:
    """小1 to 小6, 中1 to 中3 from grade 1 to 9; other words unchanged."""
    text = str(grade or "")
    if not text.isdigit():
        return text
    number = int(text)
    return f"小{number}" if number <= 6 else f"中{number - 6}"


def number_text(value: Any) -> str:
    """Whole numbers without a decimal point; a masked cell says so itself."""
    if not isinstance(value, int | float):
        return str(value or "")
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def short_place(facility: Any) -> str:
    """A school or nursery without its 市立 prefix, which is the same for all of them; a masked cell says so itself."""
    return _PUBLIC_PREFIX.sub("", str(facility))


_PUBLIC_PREFIX: Final = re.compile(r"^[^ 　]{1,8}?[市町村区]立")


def spell_text(row: Mapping[str, Any]) -> str:
    """What is in force: 郷荘中学校 中3, 児童扶養手当（全部）, 要対協（要支援）."""
    kind, status, facility, detail = row["kind"], row["status"], row["facility"], row["detail"]
    if kind == "enrolment":
        support = {"2": "・特別支援学級", "3": "・通級"}.get(str(status), "")
        return f"{'学校' if facility is None else short_place(facility)} {grade_text(detail)}{support}".strip()
    title = SPELL_TITLES.get(kind, kind)
    if kind in ("childcare", "after_school_care"):
        return f"{'' if facility is None else short_place(facility)}（{title}）" + (
            f" 滞納{number_text(row['amount'])}か月" if row["amount"] else ""
        )
    if kind == "disability":
        return f"{status or ''}{title} {detail or ''}".strip()
    if kind in ("disability_service", "long_term_care"):
        return f"{title}（{'・'.join(p for p in (status, detail) if p)}）" if status or detail else title
    return f"{title}（{status}）" if status else title


def event_text(row: Mapping[str, Any]) -> str:
    """What happened: 3歳児健診 受診（要経過観察）, 欠席 5日, 転入."""
    kind, code = row["kind"], row["code"]
    title = EVENT_TITLES.get(kind, kind)
    if kind == "checkup" and code:
        name, attendance, result = [*str(code).split(":"), "", ""][:3]
        return f"{name} {attendance}" + (f"（{result}）" if result else "")
    if kind == "consultation":
        route = f"・{row['facility']}から" if row["facility"] else ""
        return f"{title}（{code}{route}）" if code else title
    if kind == "cafeteria_visit":
        return f"{title}（{row['facility']}）" if row["facility"] else title
    if kind == "csw_consultation":
        return f"{title}（{code}）" if code else title
    state = STATE_WORDS.get(str(row["value_state"]))
    if state:
        return f"{title} {state}"
    if kind in UNITS:
        return f"{title} {number_text(row['value'])}{UNITS[kind]}"
    return str(title)


def event_tone(row: Mapping[str, Any]) -> str:
    """How an event is marked: check ▲ (someone reported a worry), notice ■ (worth a look), record ● (a plain record)."""
    kind, code = str(row["kind"]), str(row["code"] or "")
    if kind in ("consultation", "bullying_reports"):
        return "check"
    if kind == "checkup":
        return "notice" if "未受診" in code or code.rsplit(":", 1)[-1].startswith("要") else "record"
    return "notice" if kind in _NOTICED else "record"


_NOTICED: Final = frozenset({"csw_consultation", "epds_item10", "vaccine_delay", "poor_weight_gain", "separate_room_days"})


def is_old(observed_on: dt.date | None, as_of: dt.date, fresh_days: int | None) -> bool:
    """A value is 古い when it lies further back than its feed ordinarily lets it; None = the feed does not recur."""
    return observed_on is not None and fresh_days is not None and (as_of - observed_on).days > fresh_days
