"""`judge fairness`: any outside list or score, group by group, from a CSV."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kizuki.app.learning_tables import Sheet, number_column, read_sheet, truth_column
from kizuki.judge.case_table import Flags
from kizuki.judge.fairness import Listed, compare, flagged, top
from kizuki.terms.errors import InputRefused, UsageError

UNKNOWN_GROUP = "不明"


@dataclass(frozen=True, slots=True)
class FairnessRequest:
    """The options of `judge fairness`: a flag column, or a score column and how many from the top."""

    table: Path
    label: str
    group: str
    flag: str | None = None
    score: str | None = None
    top: int | None = None
    probability: str | None = None


def fairness_of(asked: FairnessRequest) -> dict[str, Any]:
    """`{rows, left_out, listed, groups}`; rows whose outcome is blank are left out.

    Raises UsageError K551 (neither or both of flag and score), InputRefused K541 to K546.
    """
    if (asked.flag is None) == (asked.score is None) or (asked.score is None) != (asked.top is None):
        fix = "--flag 列、または --score 列 と --top 件数 の、どちらか一方を書いてください。"
        raise UsageError("K551", "一覧の決め方が分かりません。", "--flag／--score／--top", fix)
    if asked.top is not None and asked.top < 1:
        raise UsageError("K548", "件数が正の数ではありません。", "--top", "1 以上の整数を書いてください。")
    sheet = read_sheet(asked.table)
    label = truth_column(sheet, asked.label)
    known = ~np.isnan(label)
    if not known.any():
        raise InputRefused("K544", f"「{asked.label}」が全ての行で空欄です。", sheet.file, "結果の出た行を入れてください。")
    groups = [g or UNKNOWN_GROUP for g in sheet.column(asked.group)]
    # the list is drawn over every row, as it was in life; the figures are about the rows whose outcome is known
    listed = _listed(asked, sheet, known)
    chance = number_column(sheet, asked.probability)[known] if asked.probability else None
    kept = [g for g, k in zip(groups, known.tolist(), strict=True) if k]
    found = compare(listed, label[known] == 1, kept, chance)
    return {
        "rows": int(known.sum()),
        "left_out": int((~known).sum()),
        "listed": round(float(listed.weight.sum()), 2),
        "tied": int(listed.tied.sum()) if listed.places else 0,
        "groups": found,
    }


def _listed(asked: FairnessRequest, sheet: Sheet, known: Flags) -> Listed:
    if asked.flag is not None:
        return flagged(truth_column(sheet, asked.flag)[known] == 1)
    assert asked.score is not None and asked.top is not None
    whole = top(number_column(sheet, asked.score), asked.top)
    shared = whole.places * (whole.tied & known).sum() / max(int(whole.tied.sum()), 1)
    return Listed(whole.sure[known], whole.tied[known], round(float(shared)))
