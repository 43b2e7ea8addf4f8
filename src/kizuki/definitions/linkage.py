"""Linkage as the city decides it: the weights of agreement (`model.yaml`) and what a machine may join (`rules.yaml`).

Both are data: a reviewer can read which evidence joins two records, and change it without code (G9).
"""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from kizuki.definitions.link_review import load as load_review
from kizuki.definitions.yaml import Definition, Model, build, merge, read_yaml
from kizuki.terms.errors import DefinitionError

MISSING = "不明"
"""Label of the state in which one of the two records lacks the attribute."""
AGREEING_GIVEN = ("both", "kanji", "kana", "kanji_kana_differs")
"""Degrees in which the given name agrees well enough for a machine; another kanji, or a kana off, may be a twin."""
CONTRADICTING_BIRTH = ("year_month", "differs")
"""Degrees in which the birth speaks against the pair."""


class Level(Definition):
    """One degree of agreement: `m` its share among true pairs, `u` among pairs of different people."""

    id: str = Field(alias="ID")
    title: str = Field(alias="名称")
    m: float = Field(gt=0, lt=1)
    u: float = Field(gt=0, lt=1)


class Comparison(Definition):
    """One attribute of a person, with its degrees of agreement from best to worst."""

    id: str = Field(alias="ID")
    title: str = Field(alias="名称")
    levels: tuple[Level, ...] = Field(alias="段階", min_length=2)


class LinkageModel(Definition):
    """The stored numbers a night reads; a night never trains."""

    version: str = Field(alias="版")
    trained_on: str = Field(alias="学習")
    floor: float = Field(alias="下限", gt=0, lt=1)
    ceiling: float = Field(alias="上限", gt=0, lt=1)
    resident_share: float = Field(alias="候補割合", gt=0, le=1)
    comparisons: tuple[Comparison, ...] = Field(alias="比較")

    @model_validator(mode="after")
    def _clamped(self) -> Self:
        # without limits training drives a never-seen disagreement to a weight of -110, and one miscoded sex kills a true link
        outside = [lv.title for c in self.comparisons for lv in c.levels if not self.floor <= lv.m <= self.ceiling]
        if outside:
            raise ValueError(f"m が下限・上限の外にあります：{'、'.join(outside)}")
        return self

    def comparison(self, name: str) -> Comparison:
        """The comparison of one attribute; raises KeyError when the model lacks it."""
        return {c.id: c for c in self.comparisons}[name]


class GradeBand(Definition):
    """What a source writes in place of a grade, as a span of grades (小1 = 1)."""

    label: str = Field(alias="表記")
    first_grade: int = Field(alias="学年から")
    last_grade: int = Field(alias="学年まで")


class LinkageRule(Definition):
    """One readable rule: the states each attribute may be in, the least weight, the least lead over the next candidate."""

    id: str = Field(alias="ID")
    title: str = Field(alias="名称")
    conditions: dict[str, tuple[str, ...]] = Field(alias="条件")
    minimum_weight: float = Field(alias="重み")
    minimum_margin: float = Field(alias="差", ge=0)
    decision: Literal["自動", "審査"] = Field(alias="決定")


class LinkageRules(Definition):
    """The rules in order, and which sources play which part."""

    version: str = Field(alias="版")
    register_source: str = Field(alias="住民記録")
    roll_source: str = Field(alias="学齢簿")
    class_list_source: str = Field(alias="学校名簿")
    review_candidates: int = Field(alias="審査候補の上限", ge=1)
    grade_bands: tuple[GradeBand, ...] = Field(alias="年齢帯")
    rules: tuple[LinkageRule, ...] = Field(alias="規則", min_length=1)


class Linkage(Definition):
    """Model and rules together, checked against each other."""

    model: LinkageModel
    rules: LinkageRules

    @model_validator(mode="after")
    def _rules_speak_of_known_states(self) -> Self:
        states = {c.title: {MISSING, *(lv.title for lv in c.levels)} for c in self.model.comparisons}
        for rule in self.rules.rules:
            for attribute, allowed in rule.conditions.items():
                if attribute not in states:
                    raise ValueError(f"規則「{rule.title}」：比較に無い項目「{attribute}」です")
                if unknown := set(allowed) - states[attribute]:
                    raise ValueError(f"規則「{rule.title}」：「{attribute}」に無い段階「{'、'.join(sorted(unknown))}」です")
        _never_on_a_name_alone(self.rules, self.model)
        return self

    @property
    def version(self) -> str:
        """Version written into every event: model and rules."""
        return f"{self.model.version}/{self.rules.version}"


def _never_on_a_name_alone(rules: LinkageRules, model: LinkageModel) -> None:
    """An automatic rule must ask that the given name agrees, that the birth does not contradict, and for more than names."""
    given = _titles(model, "given", AGREEING_GIVEN)
    birth = _titles(model, "birth", CONTRADICTING_BIRTH)
    beyond_names = {"生年月日", "住所", "電話"}
    for rule in rules.rules:
        if rule.decision != "自動":
            continue
        if not set(rule.conditions.get("名", (MISSING,))) <= given:
            raise ValueError(f"規則「{rule.title}」：自動とするには名の一致が要ります")
        if "生年月日" not in rule.conditions or birth & set(rule.conditions["生年月日"]):
            raise ValueError(f"規則「{rule.title}」：自動とするには生年月日が矛盾しないことが要ります")
        known = [a for a in beyond_names if a in rule.conditions and MISSING not in rule.conditions[a]]
        if not known:
            raise ValueError(f"規則「{rule.title}」：氏名だけで自動とすることはできません")


def _titles(model: LinkageModel, comparison: str, degrees: tuple[str, ...]) -> set[str]:
    return {lv.title for c in model.comparisons if c.id == comparison for lv in c.levels if lv.id in degrees}


def load(folder: Path, overlays: Sequence[Path] = ()) -> dict[str, Any]:
    """`{"linkage": …, "review": …}` from `folder`, overlays laid over by key; raises DefinitionError naming file and line."""
    model = _read(LinkageModel, "model.yaml", folder, overlays)
    rules = _read(LinkageRules, "rules.yaml", folder, overlays)
    try:
        return {"linkage": Linkage(model=model, rules=rules), "review": load_review(folder, overlays)}
    except ValidationError as e:
        found = "、".join(str(error.get("ctx", {}).get("error", error["msg"])) for error in e.errors())
        raise DefinitionError("K302", "名寄せの規則が、比較の表と合いません。", str(folder / "rules.yaml"), found) from e


def as_yaml(model: LinkageModel) -> str:
    """`model.yaml` for a model, in the order and wording the loader reads."""
    written = model.model_dump(by_alias=True, mode="json")
    return yaml.safe_dump(written, allow_unicode=True, sort_keys=False, width=120)


def _read(model: type[Model], name: str, folder: Path, overlays: Sequence[Path]) -> Model:
    nodes = [read_yaml(layer / name) for layer in (folder, *overlays) if (layer / name).exists()]
    if not nodes:
        raise DefinitionError(
            "K301", "名寄せの定義がありません。", str(folder / name), "definitions/base/linkage を戻してください。"
        )
    return build(model, reduce(merge, nodes))
