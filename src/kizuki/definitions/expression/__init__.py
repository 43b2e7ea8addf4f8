"""The small typed language in which staff write conditions, in Japanese.

`parse` turns text into frozen nodes; `evaluate` answers them in plain Python and `compile_condition` as SQL. Both are
three-valued: unknown stays unknown unless what is known already decides (Kleene; G2). Judgement criteria and programmes
share it.

    欠席日数 ≥ 10日 かつ （保健室の利用 ≥ 3回 または いじめの認知）
    いずれか（役割 ＝「こども」 かつ 年度末年齢 ≤ 18歳）
"""

from kizuki.definitions.expression.compile import (
    Scope,
    compile_condition,
    first_item,
    group_columns,
    open_items,
)
from kizuki.definitions.expression.evaluate import AtLeast, Between, Facts, NotApplicable, Value, evaluate, open_terms
from kizuki.definitions.expression.nodes import (
    Condition,
    Kind,
    StepTable,
    Term,
    Vocabulary,
    terms_of,
)
from kizuki.definitions.expression.parse import parse

__all__ = [
    "AtLeast",
    "Between",
    "Condition",
    "Facts",
    "Kind",
    "NotApplicable",
    "Scope",
    "StepTable",
    "Term",
    "Value",
    "Vocabulary",
    "compile_condition",
    "evaluate",
    "first_item",
    "group_columns",
    "open_items",
    "open_terms",
    "parse",
    "terms_of",
]
