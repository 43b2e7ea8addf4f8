"""What a blank means, and what an answer can be: the two vocabularies every stage shares."""

from enum import StrEnum


class ValueState(StrEnum):
    """State of one value (function 5, 空欄の意味); a bare NULL never travels without one of these.

    Source: mission.md function 5; the pilot report's finding that a blank of a moved-in child could be "zero" or "no data".
    """

    KNOWN = "known"  # 値あり
    ZERO = "zero"  # 空欄はゼロを意味する
    NOT_ENTERED = "not_entered"  # 未入力：本来あるはずの値が入っていない
    NOT_APPLICABLE = "not_applicable"  # 対象外：この人には問うていない
    NOT_COLLECTED = "not_collected"  # 未整備：転入前など、この市のデータがまだ無い期間

    @property
    def label(self) -> str:
        """Japanese label shown to staff."""
        return _STATE_TITLES[self]


_STATE_TITLES = {
    ValueState.KNOWN: "値あり",
    ValueState.ZERO: "ゼロ",
    ValueState.NOT_ENTERED: "未入力",
    ValueState.NOT_APPLICABLE: "対象外",
    ValueState.NOT_COLLECTED: "転入前・未整備",
}

UNKNOWN_STATES = frozenset({ValueState.NOT_ENTERED, ValueState.NOT_COLLECTED})
"""States in which a value is NULL in three-valued logic: the fact exists but nobody here knows it (G2)."""


class JudgementVerdict(StrEnum):
    """Answer of one criteria set for one child."""

    CANDIDATE = "該当"
    TO_CONFIRM = "要確認"
    NOT_CANDIDATE = "非該当"


class ProgrammeVerdict(StrEnum):
    """Answer of one programme for one household or child."""

    ELIGIBLE = "該当"
    UNKNOWN = "不明"
    NOT_ELIGIBLE = "非該当"
