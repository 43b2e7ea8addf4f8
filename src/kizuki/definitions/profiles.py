"""Profiles: what one municipality joins and judges — its sources, its difficulties, how its systems lie — and no code.

A profile is a folder of `definitions/profiles/`: `profile.yaml`, and beside it overlays of the same folders as `base/`. A home
that follows one names it in `<home>/definitions/profile.yaml`; the home's own definitions lie over both.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Key

from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.definitions.yaml import Definition, YesNo, build, labelled, read_yaml, unique
from kizuki.terms.errors import DefinitionError

if TYPE_CHECKING:
    from kizuki.definitions.loader import Definitions

PROFILE_FILE = "profile.yaml"
REGISTER = "resident_register"
_DEPLOYMENTS = {"庁内完結型": "inside", "外部データ取得型": "outside_sources", "外部分析基盤活用型": "outside_analysis"}


class Profile(Definition):
    """One municipality's (or several towns' shared) choice.

    Source: the pilot report's list of teams and its three deployment types.
    """

    id: str = Key(alias="ID", pattern=r"^[a-z][a-z-]*$")
    name: str = Key(alias="名称")
    members: tuple[str, ...] = Key(alias="団体", min_length=1)
    deployment: Annotated[Literal["inside", "outside_sources", "outside_analysis"], BeforeValidator(labelled(_DEPLOYMENTS))] = (
        Key(alias="構成類型")
    )
    deployment_ground: str = Key(alias="構成類型の根拠")
    difficulties: tuple[str, ...] = Key(alias="困難の類型", min_length=1)
    sources: tuple[str, ...] = Key(alias="元データ", min_length=1)
    notices: YesNo = Key(False, alias="未受給の案内")
    note: str = Key("", alias="補足")

    @model_validator(mode="after")
    def _consistent(self) -> "Profile":
        unique(self.difficulties, "困難の類型")
        unique(self.sources, "元データ")
        if REGISTER not in self.sources:
            raise ValueError("住民記録（resident_register）は、名寄せのもとになるため外せません。")
        return self

    @property
    def deployment_title(self) -> str:
        """庁内完結型 …"""
        return next(title for title, name in _DEPLOYMENTS.items() if name == self.deployment)


class Choice(Definition):
    """`<home>/definitions/profile.yaml`: which profile the home follows."""

    profile: str = Key(alias="プロファイル")


def profile_ids(folder: Path) -> tuple[str, ...]:
    """Ids of the profiles in a folder, in order."""
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{PROFILE_FILE}")))


def load_profile(folder: Path, name: str) -> Profile:
    """One profile of `folder`; raises DefinitionError K808 if there is none, or one under another name."""
    path = folder / name / PROFILE_FILE
    if name not in profile_ids(folder):
        known = "、".join(profile_ids(folder))
        raise DefinitionError("K808", "そのプロファイルはありません。", name, f"使えるもの：{known}")
    profile = build(Profile, read_yaml(path))
    if profile.id != name:
        raise DefinitionError(
            "K808", f"プロファイルのIDがフォルダ名と違います（{profile.id}）。", str(path), "同じ名前にしてください。"
        )
    return profile


def chosen_profile(overlay: Path) -> str:
    """The profile a home's own definitions name; empty for none."""
    path = overlay / PROFILE_FILE
    return build(Choice, read_yaml(path)).profile if path.is_file() else ""


def apply_profile(definitions: "Definitions", profile: Profile) -> "Definitions":
    """The definitions as one profile uses them: its difficulties only, and sources outside it not received.

    Raises DefinitionError K809 on a source or set that does not exist, and on a set that could list nobody with these sources.
    """
    where = f"profiles/{profile.id}/{PROFILE_FILE}"
    _check_known(profile.sources, definitions.sources, "元データ", where)
    _check_known(profile.difficulties, definitions.criteria, "困難の類型", where)
    criteria: dict[str, CriteriaSet] = {name: definitions.criteria[name] for name in profile.difficulties}
    for found in criteria.values():
        if set(found.combines) - criteria.keys():
            missing = "、".join(sorted(set(found.combines) - criteria.keys()))
            raise DefinitionError(
                "K809", f"「{found.name}」のもとの判定がありません。", where, f"困難の類型に足してください：{missing}"
            )
        if not found.combines and _reachable(found, definitions, profile) < found.threshold:
            what = f"「{found.name}」は、この元データでは誰も該当になりません。"
            raise DefinitionError("K809", what, where, "元データを足すか、閾値を上書きするか、類型を外してください。")
    sources = {
        name: manifest if name in profile.sources else manifest.model_copy(update={"enabled": False})
        for name, manifest in definitions.sources.items()
    }
    return replace(definitions, sources=sources, criteria=criteria, profile=profile)


def _check_known(names: tuple[str, ...], known: Mapping[str, object], what: str, where: str) -> None:
    strange = [name for name in names if name not in known]
    if strange:
        raise DefinitionError("K809", f"{what}「{strange[0]}」という定義はありません。", where, "IDを確かめてください。")


def _reachable(criteria: CriteriaSet, definitions: "Definitions", profile: Profile) -> int:
    """The most points a child could have for certain with the profile's sources."""
    total = 0
    for cap, entries in criteria.families():
        part = 0
        for entry in entries:
            sources = {definitions.items[t.id].source for t in terms_of(entry.condition)}
            part += entry.points if entry.points > 0 and sources <= set(profile.sources) else 0
        total += part if cap is None else min(part, cap)
    return total
