"""What the list of candidates is narrowed to, as a query string; and how each member of staff last chose to see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from kizuki.app.cases import TABS
from kizuki.app.release import Actor
from kizuki.records.models import ListPreference

ORDERS: Final = ("確認順", "期限", "年齢", "カナ")
UNASSIGNED: Final = "none"
RANDOM: Final = "無作為の確認"
"""The tab of children drawn at random: no rank, no points, no sign of why they could be drawn."""
KNOWN: Final[Mapping[str, str]] = {"all": "含める", "hide": "除く", "only": "だけ"}
"""既に関わりのあるこども: shown, left out, or only they."""
CHANGES: Final[Mapping[str, str]] = {"": "問わない", "new": "新しく入った", "changed": "理由が変わった", "left": "出た"}
"""前回から: what happened to the child's place since the run before."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; also the query string, so a page can be linked, exported and returned to."""

    tab: str = TABS[0]
    name: str = ""
    criteria: str = ""
    assignee: str = ""
    order: str = ORDERS[0]
    since: str = ""
    known: str = "all"
    merged: bool = False
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filters":
        """From a query string; anything unknown falls back to the default, so an old link still opens."""
        page = given.get("page", "1")
        return cls(
            tab=given["tab"] if given.get("tab") in (*TABS, RANDOM) else TABS[0],
            name=given.get("name", "").strip()[:40],
            criteria=given.get("criteria", ""),
            assignee=given.get("assignee", ""),
            order=given["order"] if given.get("order") in ORDERS else ORDERS[0],
            since=given["since"] if given.get("since") in CHANGES else "",
            known=given["known"] if given.get("known") in KNOWN else "all",
            merged=given.get("merged") == "1",
            page=max(int(page), 1) if page.isdecimal() and len(page) < 6 else 1,
        )

    @property
    def query(self) -> str:
        """The query string of this list, without defaults; how it is seen is remembered with the user (`remembered`)."""
        default = Filters()
        given = {k: getattr(self, k) for k in ("tab", "name", "criteria", "assignee", "order", "since", "page")}
        return urlencode({k: v for k, v in given.items() if v != getattr(default, k)})

    @property
    def narrowed(self) -> bool:
        """Something beyond the tab is chosen."""
        return bool(self.name or self.criteria or self.assignee or self.since)

    def with_tab(self, tab: str) -> "Filters":
        """The same filters on the first page of another tab."""
        return replace(self, tab=tab, page=1)

    def with_page(self, page: int) -> "Filters":
        """Another page of the same list."""
        return replace(self, page=page)


def remembered(actor: Actor, given: Mapping[str, str]) -> Filters:
    """The filters of a query string, seen as this member of staff last chose; a choice in the query string is kept."""
    filters = Filters.read(given)
    kept = ListPreference.objects.filter(user_id=actor.user_id).first()
    if "known" in given:
        if kept is None:
            kept = ListPreference(user_id=actor.user_id)
        if (kept.known, kept.merged) != (filters.known, filters.merged):
            kept.known, kept.merged = filters.known, filters.merged
            kept.save()
        return filters
    return filters if kept is None else replace(filters, known=kept.known, merged=kept.merged)
