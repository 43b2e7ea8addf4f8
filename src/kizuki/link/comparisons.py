"""What it means for two records to agree: the degrees of agreement of each attribute, as conditions both engines read alike.

Surname and given name are one comparison each, mixing kanji and kana, because the two writings are not independent evidence.
The numbers of each degree are in definitions/base/linkage/model.yaml. A Splink model file is never carried between engines (its
quoting is dialect-bound: every weight came out wrong, without an error); only m and u are, and the settings are built anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlglot import exp

from kizuki.definitions.linkage import Comparison, LinkageModel
from kizuki.engine.sql import render
from kizuki.terms.errors import DefinitionError

MISSING_STATE = -1
"""Splink's mark for "one of the two lacks it"."""

BLOCKING = (
    ("family_kana_key", "birth_date"),
    ("given_kana_key", "birth_date"),
    ("given_key", "birth_date"),
    ("family_key", "birth_date"),
    ("kana_key",),
    ("name_key",),
    ("phone", "sex"),
    ("town_key", "block_key"),
    ("given_kana_key", "postcode"),
    ("given_key", "postcode"),
)
"""Pairs are looked at when all columns of one line agree (measured: 99.96 % of true pairs are reached)."""

TERM_FREQUENCY_COLUMNS = ("family_key", "family_kana_key", "given_key", "given_kana_key", "town_key")
"""Columns whose rare values weigh more; frequencies are those of the register."""

_SCHOOL_YEAR = 366
_RAREST = 1e-5  # a name nobody else bears is as likely a misprint as a rarity


@dataclass(frozen=True, slots=True)
class Degree:
    """One degree of agreement: its condition on the pair `_l`, `_r`, and the column whose rarity adjusts it."""

    condition: exp.Condition
    term_column: str | None = None


def _left(name: str) -> exp.Column:
    return exp.column(f"{name}_l")


def _right(name: str) -> exp.Column:
    return exp.column(f"{name}_r")


def _same(*names: str) -> exp.Condition:
    """Any of the columns is known on both sides and equal."""
    equal = [exp.func("COALESCE", _left(n).eq(_right(n)), exp.false()) for n in names]
    return exp.or_(*equal)


def _lacking(name: str) -> exp.Condition:
    return exp.or_(_left(name).is_(exp.null()), _right(name).is_(exp.null()))


def _name_part(part: str) -> tuple[exp.Condition, dict[str, Degree]]:
    kanji_column, kana_column, code = f"{part}_key", f"{part}_kana_key", f"{part}_code"
    kanji = _same(kanji_column, "name_key")
    # a given name must be the same letter for letter: ユキ and ユウキ have one key, and may be sisters
    kana = _same(kana_column, "kana_key") if part == "family" else _same("given_written", "kana_written")
    # beside the same kanji the folded reading is enough where one side never parted the name; ユキ, ユウキ, both parted, differ
    read_alike = kana if part == "family" else exp.or_(kana, exp.and_(_same(kana_column), _lacking("given_written")))
    missing = exp.and_(exp.not_(kanji), exp.not_(kana), _lacking(kanji_column), _lacking(kana_column))
    near = exp.and_(
        exp.Levenshtein(this=_left(code), expression=_right(code)) <= 1,
        exp.Length(this=_left(code)) >= 2,
        exp.Length(this=_right(code)) >= 2,
    )
    first = exp.Substring(this=_left(kanji_column), start=exp.Literal.number(1), length=exp.Literal.number(1)).eq(
        exp.Substring(this=_right(kanji_column), start=exp.Literal.number(1), length=exp.Literal.number(1))
    )
    return missing, {
        "both": Degree(exp.and_(kanji, read_alike), kanji_column),
        "kanji": Degree(exp.and_(kanji, _lacking(kana_column)), kanji_column),
        "kana": Degree(exp.and_(kana, _lacking(kanji_column)), kana_column),
        "kanji_kana_differs": Degree(kanji, kanji_column),
        "kana_kanji_differs": Degree(kana, kana_column),
        "near": Degree(near),
        "first_kanji": Degree(first),
    }


def _birth() -> tuple[exp.Condition, dict[str, Degree]]:
    left, right = _left("birth_date"), _right("birth_date")
    digits = [exp.cast(side, "varchar") for side in (left, right)]

    def part(unit: type[exp.Func], side: exp.Expression) -> exp.Condition:
        return unit(this=side.copy())

    swapped = exp.and_(
        part(exp.Year, left).eq(part(exp.Year, right)),
        part(exp.Month, left).eq(part(exp.Day, right)),
        part(exp.Day, left).eq(part(exp.Month, right)),
    )
    one_digit = exp.Levenshtein(this=digits[0], expression=digits[1]) <= 1
    same_month = exp.and_(part(exp.Year, left).eq(part(exp.Year, right)), part(exp.Month, left).eq(part(exp.Month, right)))
    overlap = exp.and_(
        _lacking("birth_date"), _left("birth_from") <= _right("birth_to"), _right("birth_from") <= _left("birth_to")
    )
    one_year = exp.and_(*(_days(side) <= _SCHOOL_YEAR for side in ("l", "r")))
    return _lacking("birth_from"), {
        "exact": Degree(left.copy().eq(right.copy())),
        "near": Degree(exp.or_(one_digit, swapped)),
        "year_month": Degree(same_month),
        "cohort": Degree(exp.and_(overlap, one_year)),
        "band": Degree(overlap.copy()),
    }


def _days(side: str) -> exp.Expression:
    """How many days the birth may lie in, on one side of the pair."""
    bounds = {"this": exp.column(f"birth_to_{side}"), "expression": exp.column(f"birth_from_{side}")}
    return exp.DateDiff(**bounds, unit=exp.Var(this="DAY"))


def _address() -> tuple[exp.Condition, dict[str, Degree]]:
    return _lacking("town_key"), {
        "block": Degree(exp.and_(_same("town_key"), _same("block_key"))),
        "town": Degree(_same("town_key"), "town_key"),
    }


def _plain(name: str) -> tuple[exp.Condition, dict[str, Degree]]:
    return _lacking(name), {"exact": Degree(_same(name))}


def degrees() -> Mapping[str, tuple[exp.Condition, dict[str, Degree]]]:
    """Per attribute: when one side lacks it, and the degrees from best to worst (`differs`, the rest, is left out)."""
    return {
        "family": _name_part("family"),
        "given": _name_part("given"),
        "birth": _birth(),
        "sex": _plain("sex"),
        "address": _address(),
        "phone": _plain("phone"),
    }


def splink_settings(
    model: LinkageModel,
    dialect: str,
    resident_count: int,
    blocking: tuple[tuple[str, ...], ...] = BLOCKING,
    retain: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Splink's settings for one engine and a register of this size; raises DefinitionError K303 if the model lacks a degree."""
    built = degrees()
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "probability_two_random_records_match": model.resident_share / max(resident_count, 2),
        "comparisons": [_comparison(name, *built[name], model=model, dialect=dialect) for name in built],
        "blocking_rules_to_generate_predictions": [_blocking(columns, dialect) for columns in blocking],
        "retain_matching_columns": True,  # Splink drops the states of agreement otherwise
        "retain_intermediate_calculation_columns": False,
        "additional_columns_to_retain": list(retain),
    }


def state_numbers(comparison: Comparison) -> dict[str, int]:
    """Splink's number of each degree by its Japanese title: the best is highest, `differs` is 0."""
    top = len(comparison.levels) - 1
    return {level.title: top - i for i, level in enumerate(comparison.levels)}


def _comparison(
    name: str, missing: exp.Condition, found: dict[str, Degree], *, model: LinkageModel, dialect: str
) -> dict[str, Any]:
    declared = {c.id: c for c in model.comparisons}.get(name)
    if declared is None or [lv.id for lv in declared.levels] != [*found, "differs"]:
        wanted = "、".join([*found, "differs"])
        raise DefinitionError(
            "K303",
            "照合の表の段階が、プログラムの比較と合いません。",
            f"model.yaml「{name}」",
            f"段階を {wanted} の順にしてください。",
        )
    levels: list[dict[str, Any]] = [
        {"sql_condition": _text(missing, dialect), "label_for_charts": "missing", "is_null_level": True}
    ]
    for level in declared.levels:
        degree = found.get(level.id)
        entry: dict[str, Any] = {
            "sql_condition": _text(degree.condition, dialect) if degree else "ELSE",
            "label_for_charts": level.id,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if degree and degree.term_column:
            entry |= {
                "tf_adjustment_column": degree.term_column,
                "tf_adjustment_weight": 1.0,
                "tf_minimum_u_value": _RAREST,
                "disable_tf_exact_match_detection": True,  # no degree is one plain equality; adjust from the degree's own u
            }
        levels.append(entry)
    return {"output_column_name": name, "comparison_levels": levels}


def _blocking(columns: tuple[str, ...], dialect: str) -> dict[str, str]:
    rule = exp.and_(*(exp.column(c, "l").eq(exp.column(c, "r")) for c in columns))
    return {"blocking_rule": _text(rule, dialect), "sql_dialect": dialect}


def _text(condition: exp.Condition, dialect: str) -> str:
    return render(cast(exp.Expression, condition), dialect)
