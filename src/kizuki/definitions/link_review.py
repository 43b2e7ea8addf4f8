"""Review of links as the city decides it: which pairs first, how many people decide, how the machine's own links are checked.

`definitions/base/linkage/review.yaml`; the words of the order are shown on the screen as written there.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import reduce
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from kizuki.definitions.yaml import Definition, build, labelled, merge, read_yaml
from kizuki.terms.errors import DefinitionError
from kizuki.terms.tables import Klass

FILE = "review.yaml"


class Harm(StrEnum):
    """What makes a pair urgent; worked out by the night, `sealed` again at every request."""

    LOOK_ALIKE = "look_alike"  # twins, the same name twice in the register, or several candidates
    SEALED = "sealed"  # somebody of a 支援措置 household is a candidate
    EVIDENCE = "evidence"  # the record would add to what a criteria set reads of a child
    SENSITIVE = "sensitive"  # the record's source is of a class handled with care
    OTHER = "other"


class TwoPeople(StrEnum):
    """What one person may not decide alone."""

    SEALED = "sealed"
    RESIDENTS = "residents"  # joining two rows of the register
    UNLINK = "unlink"  # taking apart what the machine has joined


_HARM_TITLES = {
    "双子・同姓同名": Harm.LOOK_ALIKE.value,
    "支援措置の世帯": Harm.SEALED.value,
    "こどもの判定に使う記録": Harm.EVIDENCE.value,
    "取扱いに注意する記録": Harm.SENSITIVE.value,
    "そのほか": Harm.OTHER.value,
}
_TWO_TITLES = {
    "支援措置の世帯": TwoPeople.SEALED.value,
    "住民どうし": TwoPeople.RESIDENTS.value,
    "機械の結び付けを外す": TwoPeople.UNLINK.value,
}
_Harm = Annotated[Harm, BeforeValidator(labelled(_HARM_TITLES))]
_TwoPeople = Annotated[TwoPeople, BeforeValidator(labelled(_TWO_TITLES))]


class OrderStep(Definition):
    """One step of the order, in the words shown to reviewers."""

    harm: _Harm = Field(alias="条件")
    title: str = Field(alias="名称")
    description: str = Field(alias="説明")


class Check(Definition):
    """The monthly check: a random sample of the machine's links, judged without knowing which they are."""

    monthly: int = Field(alias="毎月の数", ge=1, le=2000)
    left_out_rules: tuple[str, ...] = Field(alias="除く規則", default=())
    mixed_one_in: int = Field(alias="混ぜる割合", ge=1)
    confidence_percent: float = Field(alias="信頼の幅", gt=50, lt=100)


class ReviewRules(Definition):
    """How review is done in this city."""

    version: str = Field(alias="版")
    order: tuple[OrderStep, ...] = Field(alias="順番", min_length=1)
    two_people: frozenset[_TwoPeople] = Field(alias="二人で決める")
    careful_classes: frozenset[Klass] = Field(alias="注意する区分")
    careful_title: str = Field(alias="注意する記録の呼び名")
    least_strength: float = Field(alias="下限")
    minutes_per_pair: float = Field(alias="一組の分", gt=0)
    hours_per_month: float = Field(alias="月の審査時間", gt=0)
    check: Check = Field(alias="点検")

    @model_validator(mode="after")
    def _each_condition_once(self) -> "ReviewRules":
        named = [step.harm for step in self.order]
        if sorted(named) != sorted(Harm):
            raise ValueError(f"「順番」には {'・'.join(_HARM_TITLES)} を一度ずつ書いてください。")
        return self

    def step(self, harm: Harm) -> OrderStep:
        """The step of one condition."""
        return next(s for s in self.order if s.harm is harm)


def load(folder: Path, overlays: Sequence[Path] = ()) -> ReviewRules:
    """`review.yaml` of `folder` (…/linkage) with overlays laid over it key by key; raises DefinitionError naming the file."""
    nodes = [read_yaml(layer / FILE) for layer in (folder, *overlays) if (layer / FILE).exists()]
    if not nodes:
        raise DefinitionError(
            "K301", "名寄せの定義がありません。", str(folder / FILE), "definitions/base/linkage を戻してください。"
        )
    return build(ReviewRules, reduce(merge, nodes))
