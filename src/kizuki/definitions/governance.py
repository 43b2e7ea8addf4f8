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
_FILES = ("roles", "purposes", "source_classes", "handover")


class Scope(StrEnum):
    """Which persons' rows a grant covers."""

    ALL = "all"  # every person of the snapshot
    CANDIDATES = "candidates"  # children listed by a judgement, assigned or shared; their household members in part
    OWN_SOURCE = "own_source"  # rows that came from the actor's own office
    PSEUDONYMOUS = "pseudonymous"  # every person, under names that mean nothing elsewhere
    REVIEW = "review"  # the two sides of pairs that wait for a reviewer, and nothing else
    RECIPIENTS = "recipients"  # those invited to notices, and households to be told at the counter: who and where, nothing else
    NONE = "none"  # nobody


_SCOPE_TITLES = {
    "すべて": Scope.ALL.value,
    "支援候補と担当": Scope.CANDIDATES.value,
    "自課のデータ": Scope.OWN_SOURCE.value,
    "仮名": Scope.PSEUDONYMOUS.value,
    "審査の組": Scope.REVIEW.value,
    "お知らせの宛先": Scope.RECIPIENTS.value,
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


class HandoverPart(Definition):
    """One part of a 引継ぎ書: what it holds, of which sensitivity, from which sources and kinds of spell and event."""

    title: str = Field(alias="名称")
    klass: Klass = Field(alias="区分")
    sources: tuple[str, ...] = Field(alias="元データ", default=())
    kinds: tuple[str, ...] = Field(alias="種類", default=())


class HandoverBasis(Definition):
    """One legal ground for telling the next municipality, and the parts it covers."""

    title: str = Field(alias="名称")
    article: str = Field(alias="条文")
    parts: tuple[str, ...] = Field(alias="渡せる部分", min_length=1)


class HandoverRetention(Definition):
    """How many days the text of a 引継ぎ書 is kept: after its last step here, or after it came in or was confirmed."""

    issued_days: int = Field(alias="交付した日から", ge=1)
    unissued_days: int = Field(alias="交付しなかったもの", ge=1)
    confirmed_days: int = Field(alias="本人を確かめた日から", ge=1)
    unconfirmed_days: int = Field(alias="本人の確かめられないもの", ge=1)


_RETENTION = HandoverRetention.model_construct(issued_days=365, unissued_days=30, confirmed_days=1825, unconfirmed_days=90)
"""For a city whose own file was written before periods could be."""


class HandoverRules(Definition):
    """What may be handed over of a child who moved away; a part not named under a ground is not handed over on it."""

    municipality: str = Field(alias="この市町村", min_length=1)
    valid_days: int = Field(alias="有効日数", ge=1)
    years_back: int = Field(alias="さかのぼる年数", ge=1)
    retention: HandoverRetention = Field(alias="保存日数", default=_RETENTION)
    parts: dict[str, HandoverPart] = Field(alias="部分")
    bases: dict[str, HandoverBasis] = Field(alias="根拠")

    @model_validator(mode="after")
    def _parts_exist(self) -> "HandoverRules":
        for basis in self.bases.values():
            unknown = set(basis.parts) - set(self.parts)
            if unknown:
                raise ValueError(f"根拠「{basis.title}」の渡せる部分 {'、'.join(sorted(unknown))} がありません。")
        if self.retention.unissued_days < self.valid_days:
            raise ValueError(
                "保存日数の「交付しなかったもの」は、有効日数より短くできません（承認されたものが出せなくなります）。"
            )
        forbidden = {Klass.ADDR, Klass.JUDGE, Klass.TAX, Klass.SEAL} & {p.klass for p in self.parts.values()}
        if forbidden:
            raise ValueError("住所・判定・税・支援措置は、引継ぎ書の部分にできません。")
        return self


class Governance(Definition):
    """The whole matrix."""

    roles: dict[str, Role] = Field(alias="役割")
    purposes: dict[str, Purpose] = Field(alias="利用目的")
    source_classes: dict[str, Klass] = Field(alias="元データの区分")
    handover: HandoverRules = Field(
        alias="引継ぎ", default=HandoverRules.model_construct(municipality="", valid_days=1, years_back=1, parts={}, bases={})
    )

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
