"""The night in order. Each stage knows tables, not the other stages; only this page knows the order.

受領 files → accepted tables · 整形 versions of records, persons as written · 名寄せ records → persons ·
データマート persons, households, spells, events as known on the day · 項目 one value or one reason per child ·
審査の準備 pairs people must look at, in order, beside 判定 and 未受給 · 鮮度 how old each source is ·
公開 one immutable snapshot, served from the moment it is named · 見張り learned tables that no longer fit are stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kizuki.app import stages
from kizuki.app.link_review_night import review
from kizuki.app.stages import Night


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name in ledgers and JSON, its title for people, and what it does (gives the rows it dealt with).

    `beside`: it runs at the same time as the stage before it (and whatever that runs beside), and needs nothing of them.
    """

    name: str
    title: str
    run: Callable[[Night], int]
    beside: bool = False


STAGES = (
    Stage("receive", "受領", stages.receive),
    Stage("cleanse", "整形", stages.cleanse),
    Stage("link", "名寄せ", stages.link),
    Stage("mart", "データマート", stages.mart),
    Stage("items", "項目", stages.items),
    Stage("review", "審査の準備", review),
    Stage("judge", "判定", stages.judge, beside=True),
    Stage("programmes", "未受給", stages.programmes, beside=True),
    Stage("freshness", "鮮度", stages.freshness),
    Stage("publish", "公開", stages.publish),
    Stage("watch", "学んだ表の見張り", stages.watch),
)


def side_by_side(stages: Sequence[Stage]) -> list[list[Stage]]:
    """The stages in order, those that run at the same time together."""
    groups: list[list[Stage]] = []
    for stage in stages:
        if stage.beside and groups:
            groups[-1].append(stage)
        else:
            groups.append([stage])
    return groups
