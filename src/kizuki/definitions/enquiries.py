"""問合せの決まり: topics with the working days to answer in, by office; `definitions/base/messages/desk/enquiry.yaml`."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Final

from pydantic import Field

from kizuki.definitions.yaml import Definition, build, merge, read_yaml
from kizuki.terms.errors import DefinitionError

FILE: Final = Path("messages") / "desk" / "enquiry.yaml"


class Topic(Definition):
    """One thing residents ask, and how many working days an answer may take."""

    name: str = Field(alias="名称", min_length=1)
    days: int = Field(alias="日数", ge=1, le=30)


class Office(Definition):
    """What differs in one office."""

    more_days: int = Field(alias="日数を足す", ge=0, le=30)


class EnquiryRules(Definition):
    """Topics, offices and the words an answer is closed with."""

    first_office: str = Field(alias="はじめの課", min_length=1)
    topics: dict[str, Topic] = Field(alias="用件", min_length=1)
    offices: dict[str, Office] = Field(alias="課ごと", default={})
    results: tuple[str, ...] = Field(alias="結果", min_length=1)

    def days(self, topic: str, office: str) -> int:
        """Working days to answer one topic in; an unknown topic gets the longest."""
        found = self.topics.get(topic)
        days = found.days if found is not None else max(t.days for t in self.topics.values())
        more = self.offices.get(office)
        return days + (more.more_days if more is not None else 0)


def load(root: Path, overlays: Sequence[Path] = ()) -> EnquiryRules:
    """The rules of `root` with overlays laid over them key by key; raises DefinitionError naming file and line."""
    nodes = [read_yaml(layer / FILE) for layer in (root, *overlays) if (layer / FILE).exists()]
    if not nodes:
        fix = "definitions/base/messages を戻してください。"
        raise DefinitionError("K670", "問合せの定義がありません。", str(root / FILE), fix)
    return build(EnquiryRules, reduce(merge, nodes))
