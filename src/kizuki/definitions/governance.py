"""Who may see what, as the city wrote it: roles, purposes, and the sensitivity of each source's rows.

`definitions/base/governance/{roles,purposes,source_classes}.yaml`; what is not written is not permitted.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from kizuki.definitions.yaml import Definition, build, labelled, merge, read_yaml
from kizuki.terms.tables import Klass

FOLDER = "governance"
_FILES = ("roles", "purposes", "source_classes")


class Scope(StrEnum):
    """Which persons' rows a grant covers."""

    ALL = "all"  # every person of the snapshot
    CANDIDATES = "candidates"  # children listed by a judgement, assigned or shared; their household members in part
    OWN_SOURCE = "own_source"  # rows that came from the actor's own office
    PSEUDONYMOUS = "pseudonymous"  # every person, under names that mean nothing elsewhere
    NONE = "none"  # nobody


_SCOPE_TITLES = {
    "すべて": Scope.ALL.value,
    "支援候補と担当": Scope.CANDIDATES.value,
    "自課のデータ": Scope.OWN_SOURCE.value,
    "仮名": Scope.PSEUDONYMOUS.value,
    "なし": Scope.NONE.value,
}

_NEVER_GRANTED = frozenset({Klass.SEAL, Klass.BY_SOURCE})
_IDENTIFYING = frozenset({Klass.IDENT, Klass.ADDR})


class Grant(Definition):
    """What one role may read for one purpose."""

    scope: Annotated[Scope, BeforeValidator(labelled(_SCOPE_TITLES))] = Field(alias="範囲")
    classes: frozenset[Klass] = Field(alias="区分")
    household_classes: frozenset[Klass] = Field(alias="世帯員の区分", default=frozenset())
    kin_classes: frozenset[Klass] = Field(alias="世帯外の親族の区分", default=frozenset())

    @model_validator(mode="after")
    def _sound(self) -> "Grant":
        if (self.classes | self.household_classes | self.kin_classes) & _NEVER_GRANTED:
            raise ValueError("区分 seal・by_source は役割に与えられません（封の閲覧は、人を指定した許可で行います）。")
        if self.household_classes - self.classes:
            raise ValueError("「世帯員の区分」は「区分」の中から選んでください。")
        if self.kin_classes - self.household_classes or Klass.ADDR in self.kin_classes:
            raise ValueError("「世帯外の親族の区分」は「世帯員の区分」の中から選び、住所（addr）は入れないでください。")
        if self.scope is Scope.PSEUDONYMOUS and self.classes & _IDENTIFYING:
            raise ValueError("範囲「仮名」に、氏名（ident）・住所（addr）は与えられません。")
        return self


class Role(Definition):
    """One kind of user: what they do, and what they may read for which purpose."""

    title: str = Field(alias="名称")
    description: str = Field(alias="説明")
    granted_by: str = Field(alias="付与する人")
    actions: frozenset[str] = Field(alias="操作")
    grants: dict[str, Grant] = Field(alias="目的", min_length=1)


class Purpose(Definition):
    """One purpose of use (利用目的) and its legal ground."""

    title: str = Field(alias="名称")
    description: str = Field(alias="説明")
    legal_basis: str = Field(alias="根拠")


class Governance(Definition):
    """The whole matrix."""

    roles: dict[str, Role] = Field(alias="役割")
    purposes: dict[str, Purpose] = Field(alias="利用目的")
    source_classes: dict[str, Klass] = Field(alias="元データの区分")

    @model_validator(mode="after")
    def _purposes_exist(self) -> "Governance":
        for role in self.roles.values():
            for purpose in role.grants:
                if purpose not in self.purposes:
                    raise ValueError(f"役割「{role.title}」の目的「{purpose}」が利用目的にありません。")
        return self


def load(folder: Path, overlays: Sequence[Path] = ()) -> Governance:
    """The matrix of `folder` (…/governance) with overlays laid over it, role by role; raises DefinitionError K80x."""
    layers = [f for f in (folder, *overlays) if f.is_dir()]
    nodes = [read_yaml(layer / f"{name}.yaml") for layer in layers for name in _FILES if (layer / f"{name}.yaml").exists()]
    if not nodes:
        nodes = [read_yaml(folder / "roles.yaml")]  # raises the Japanese message about the missing file
    return build(Governance, reduce(merge, nodes))
