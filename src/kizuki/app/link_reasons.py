"""Why a pair is before a person, or was joined without one: the words for every code the night writes.

The weighted rules carry the words the city wrote (`rules.yaml`); the passes in SQL and the words of people are named here.
"""

from dataclasses import dataclass
from typing import Final

from kizuki.app.linking import linkage_of
from kizuki.definitions.loader import Definitions

RETURNED: Final = "returned"
"""Two residents who may be one: somebody who came back under a new number."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A code in words: a title, and what a reviewer should know about it."""

    title: str
    explanation: str


_ASKED: Final = "機械だけで結ぶには足りないので、人が決めます（条件は rules.yaml にあります）。"
_JOINED: Final = "機械が結び付けた理由です。"
_BY_CODE: Final = {
    RETURNED: Reason(
        "番号の変わった住民かもしれない",
        "住民記録に、氏名・生年月日・性別の同じ人が別の宛名番号でいます。転出して戻った人か、同じ日に生まれた同姓同名です。"
        "機械が二人の住民を一人にすることはありません。",
    ),
    "decision_conflict": Reason(
        "人の判断と機械の結び付けが食い違う",
        "人が「同じ人」と決めた複数の記録を、機械は別々の住民に結び付けました。どちらが本当か機械には決められないので、"
        "どの住民にも結ばずに待っています。この記録がこの住民のものかを答えてください。",
    ),
    "person_no": Reason(
        "宛名番号は一致するが、氏名と生年月日が違う",
        "記録の宛名番号はこの住民のものですが、名も生年月日も違います。番号の写し間違いかもしれません。",
    ),
    "school_grade_name": Reason(
        "学齢簿の同じ学校・学年で氏名が一人だけ",
        "学校の名簿の氏名を、その年の学齢簿の同じ学校・同じ学年で探しました。同じ氏名の子がほかにもいるときは、人が選びます。",
    ),
    "school_next_grade_name": Reason(
        "学齢簿の前後の学年で氏名が一人だけ",
        "その年の学齢簿に同じ氏名の子がなく、前後の年の学齢簿で見つかりました。同じ氏名の子がほかにもいるときは、人が選びます。",
    ),
    "kanji_only": Reason(
        "漢字の氏名だけが手がかり",
        "生年月日の無い記録で、漢字の氏名が一致し、年齢も矛盾しません。同姓同名がいるので、氏名だけでは結びません。",
    ),
    "kana_only": Reason(
        "カナの氏名だけが手がかり",
        "生年月日の無い記録で、読みが一致し、年齢も矛盾しません。同じ読みの人がいるので、読みだけでは結びません。",
    ),
    "kana_near": Reason(
        "カナの氏名が一字違い",
        "同じ年ごろに同じ読みの人がなく、一字だけ違う読みの人がいます。書き間違いか、別の人です。",
    ),
    "name_kana_birth": Reason("姓名カナ・生年月日・性別が一致し、住民記録で一人だけ", _JOINED),
    "name_kanji_birth": Reason("漢字氏名・生年月日・性別が一致し、住民記録で一人だけ", _JOINED),
    "alias_birth": Reason("通称と生年月日が一致し、住民記録で一人だけ", _JOINED),
    "name_address": Reason("氏名（漢字とカナ）・郵便番号・番地が一致し、住民記録で一人だけ", _JOINED),
    "former_name_birth": Reason("以前の氏名と生年月日が一致し、住民記録で一人だけ", _JOINED),
    "name_loose_birth": Reason("異体字を広く畳んだ氏名と生年月日が一致し、住民記録で一人だけ", _JOINED),
    "decision": Reason("人が決めた組", "以前に審査で決まった組です。取り消すと、初めから見直せます。"),
    "decision_listing": Reason(
        "同じ名簿の記録で人が決めた組", "同じ施設・同じ氏名の別の記録について人が決めた答えが、この記録にも及んでいます。"
    ),
}


def reason_of(definitions: Definitions, code: str) -> Reason | None:
    """The words for a code; the city's own rules by the words it wrote. None for a code nobody knows."""
    rule = next((r for r in linkage_of(definitions).rules.rules if r.id == code), None)
    if rule is None:
        return _BY_CODE.get(code)
    return Reason(rule.title, _ASKED if rule.decision == "審査" else _JOINED)
