"""Notices as the city wrote them: texts in immutable versions, rules of sending, days nothing is sent, office telephones.

`definitions/base/messages/{rules,calendar,offices}.yaml` and `messages/templates/*.yaml`. A text says nothing about a
person: the only fields are the one-time address, the telephone of the office and, in a named text, the name of the programme.
"""

import datetime as dt
import hashlib
import re
from calendar import isleap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from kizuki.definitions.yaml import Definition, Node, YesNo, build, labelled, merge, read_folder, read_yaml, unique
from kizuki.terms.errors import DefinitionError

LINK, PHONE, PROGRAMME = "リンク", "所管課の電話", "制度名"
FIELDS: Final = (LINK, PHONE, PROGRAMME)
"""All that may be filled in; `リンク` is filled in by the relay alone, for one notice."""
NEVER_SAID: Final = ("該当", "受給できます", "もらえます", "対象です")
"""Words that promise: only the office can say so after an application. A notice says 「使える可能性」."""
MOST_CHARACTERS: Final = 500
_FIELD = re.compile(r"\{([^{}]*)\}")
_MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
_CHANNELS = {"LINE": "line", "手紙": "letter"}
_NAMED = {"書く": "yes", "書かない": "no"}


def digest_of(template: str, version: str, text: str) -> str:
    """The mark of one version: changes with every character of its text."""
    return hashlib.sha256(f"{template}\0{version}\0{text.strip()}".encode()).hexdigest()[:16]


class TemplateVersion(Definition):
    """One version of a text; `digest` is written down beside it, so that nobody changes what was approved unnoticed."""

    version: str = Field(alias="版", pattern=r"^\d{4}\.\d{1,3}$")
    text: str = Field(alias="本文", min_length=1, max_length=MOST_CHARACTERS)
    author: str = Field(alias="作成者")
    approver: str = Field(alias="承認者")
    written_on: dt.date = Field(alias="作成日")
    digest: str = Field(alias="照合値")

    @property
    def fields(self) -> frozenset[str]:
        """The fields the text asks for."""
        return frozenset(_FIELD.findall(self.text))


class Template(Definition):
    """One text in its versions; the last one is used for new batches."""

    id: str = Field(alias="ID", pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Field(alias="名称")
    channel: Annotated[Literal["line", "letter"], BeforeValidator(labelled(_CHANNELS))] = Field(alias="方法")
    names_programme: Annotated[Literal["yes", "no"], BeforeValidator(labelled(_NAMED))] = Field(alias="制度の名前")
    versions: tuple[TemplateVersion, ...] = Field(alias="版の一覧", min_length=1)

    @model_validator(mode="after")
    def _sound(self) -> "Template":
        unique((v.version for v in self.versions), "版")
        for v in self.versions:
            self._check(v)
        return self

    def _check(self, v: TemplateVersion) -> None:
        allowed = set(FIELDS) if self.named else set(FIELDS) - {PROGRAMME}
        unknown = v.fields - allowed
        if unknown or v.text.count("{") != v.text.count("}") or "{" in _FIELD.sub("", v.text):
            listed = "・".join(sorted(allowed))
            raise ValueError(f"版 {v.version} の差し込みは {listed} だけです。人を表すもの、ほかの差し込みは使えません。")
        if v.text.count(f"{{{LINK}}}") != 1:
            raise ValueError(f"版 {v.version} には、{{{LINK}}} を一つだけ入れてください。")
        if self.named and PROGRAMME not in v.fields:
            raise ValueError(f"版 {v.version} に {{{PROGRAMME}}} がありません。「制度の名前: 書かない」にしてください。")
        said = [word for word in NEVER_SAID if word in v.text]
        if said:
            raise ValueError(f"版 {v.version} の「{said[0]}」は使えません。「使える可能性があります」と書いてください。")
        if self.named and "使える可能性" not in v.text:
            raise ValueError(f"版 {v.version} には「使える可能性」の言い方で書いてください。")

    @property
    def named(self) -> bool:
        """Whether the text names the programme: it then goes only to those whose consent covers that."""
        return self.names_programme == "yes"

    @property
    def latest(self) -> TemplateVersion:
        """The version new batches use."""
        return self.versions[-1]

    def version(self, version: str) -> TemplateVersion | None:
        """One version, or None."""
        return next((v for v in self.versions if v.version == version), None)


class Opening(Definition):
    """A period in which a programme takes applications; a programme without any takes them all the time."""

    programme: str = Field(alias="制度")
    start: dt.date = Field(alias="開始")
    end: dt.date = Field(alias="終了")
    source: str = Field(alias="出典", min_length=1)

    @model_validator(mode="after")
    def _forward(self) -> "Opening":
        if self.end < self.start:
            raise ValueError("受付期間の終了が、開始より前です。")
        return self


class SendingRules(Definition):
    """When and how often notices may be sent. Times are those of Japan."""

    cooldown_days: int = Field(alias="同じ制度の間隔日数", ge=1)
    monthly_cap: int = Field(alias="一世帯の月の上限", ge=1, le=10)
    quiet_from: dt.time = Field(alias="送らない時刻の始まり")
    quiet_to: dt.time = Field(alias="送らない時刻の終わり")
    weekends: YesNo = Field(alias="土日に送る")
    holidays: YesNo = Field(alias="祝日に送る")
    cancel_minutes: int = Field(alias="取り消せる分数", ge=10)
    least_room_minutes: int = Field(alias="その日に残す分数", ge=0)
    lead_hours: int = Field(alias="中継へ渡す時間前", ge=1, le=96)
    live_days: int = Field(alias="送り出しの期限日数", ge=1, le=60)
    most_waves: int = Field(alias="送る週の数の上限", ge=1, le=12)
    closing_days: int = Field(alias="締切前に送らない日数", ge=0)
    tax_facts: frozenset[str] = Field(alias="税情報の項目")
    yearly_worth: dict[str, int] = Field(alias="年額の目安", default_factory=dict)
    openings: tuple[Opening, ...] = Field((), alias="受付期間")

    @model_validator(mode="after")
    def _day_left(self) -> "SendingRules":
        room = dt.timedelta(
            hours=self.quiet_from.hour - self.quiet_to.hour, minutes=self.quiet_from.minute - self.quiet_to.minute
        )
        if room <= dt.timedelta(minutes=self.least_room_minutes):
            raise ValueError(
                "送らない時刻は、夜から次の朝までを書いてください（送れる時間が「その日に残す分数」より長くなるように）。"
            )
        if self.quiet_from > dt.time(21) or self.quiet_to < dt.time(8):
            raise ValueError("夜9時から朝8時までは、かならず送らない時刻に入れてください。")
        return self


class Holiday(Definition):
    """One 国民の祝日 or 休日."""

    day: dt.date = Field(alias="日")
    name: str = Field(alias="名称")


class HolidayYear(Definition):
    """The holidays of one year as announced, with where that was looked up."""

    year: int = Field(alias="年", ge=2020, le=2100)
    source: str = Field(alias="出典", min_length=1)
    checked_on: dt.date = Field(alias="確認日")
    days: tuple[Holiday, ...] = Field(alias="祝日", min_length=10)

    @model_validator(mode="after")
    def _own_year(self) -> "HolidayYear":
        unique((h.day.isoformat() for h in self.days), "祝日")
        if any(h.day.year != self.year for h in self.days):
            raise ValueError(f"{self.year}年でない日が入っています。")
        return self


class Calendar(Definition):
    """Days on which nothing is sent. A year that is not entered is unknown: then nothing is sent at all."""

    years: tuple[HolidayYear, ...] = Field(alias="年の一覧")
    closed: tuple[str, ...] = Field((), alias="市の休業日")

    @model_validator(mode="after")
    def _readable(self) -> "Calendar":
        unique((str(y.year) for y in self.years), "年")
        wrong = [d for d in self.closed if not _MONTH_DAY.match(d)]
        if wrong:
            raise ValueError("「市の休業日」は 12-29 のように書いてください。")
        return self

    def knows(self, day: dt.date) -> bool:
        """Whether the holidays of the year have been entered."""
        return any(y.year == day.year for y in self.years)

    def holiday(self, day: dt.date) -> bool:
        """Whether `day` is a holiday or a day the city is closed; ask `knows` first."""
        return f"{day:%m-%d}" in self.closed or any(h.day == day for y in self.years for h in y.days)

    @property
    def closed_days(self) -> list[dt.date]:
        """Every day of the years entered that is a holiday or a day the city is closed, in order."""
        years = sorted(y.year for y in self.years)
        days = (dt.date(year, 1, 1) + dt.timedelta(days=n) for year in years for n in range(365 + isleap(year)))
        return [day for day in days if self.holiday(day)]

    @property
    def last_day(self) -> dt.date | None:
        """The last day that is known without a gap from the first year entered."""
        years = sorted(y.year for y in self.years)
        run = [y for n, y in enumerate(years) if y == years[0] + n]
        return dt.date(run[-1], 12, 31) if run else None


class Office(Definition):
    """One office and the telephone residents may call. `example` = a number for demonstrations, never sent to residents."""

    name: str = Field(alias="名")
    phone: str = Field(alias="電話", pattern=r"^[0-9\-() 内線]{8,30}$")
    example: YesNo = Field(False, alias="例")


class Offices(Definition):
    """Telephones by office."""

    offices: tuple[Office, ...] = Field(alias="所管課")

    @model_validator(mode="after")
    def _once(self) -> "Offices":
        unique((o.name for o in self.offices), "所管課")
        return self

    def of(self, name: str) -> Office | None:
        """The office, if its telephone has been entered."""
        return next((o for o in self.offices if o.name == name), None)


@dataclass(frozen=True, slots=True)
class Messages:
    """Everything about notices the city decided."""

    templates: Mapping[str, Template]
    rules: SendingRules
    calendar: Calendar
    offices: Offices


def load(folder: Path, overlays: Sequence[Path] = ()) -> Messages:
    """Messages of `folder` (…/messages) with overlays laid over it; raises DefinitionError K80x, K810, K811."""
    layers = [layer for layer in (folder, *overlays) if layer.is_dir()]
    texts = [layer / "templates" for layer in layers]
    nodes = _merged([read_folder(folder) for folder in texts])
    templates = {name: build(Template, node) for name, node in nodes.items()}
    for name, template in templates.items():
        _check_digests(template, nodes[name])
    _check_history(texts)
    return Messages(
        templates,
        *(build(model, _page(layers, name)) for name, model in _PAGES),  # type: ignore[arg-type]
    )


_PAGES: Final = (("rules", SendingRules), ("calendar", Calendar), ("offices", Offices))


def _page(layers: Sequence[Path], name: str) -> Node:
    found = [path for layer in layers if (path := layer / f"{name}.yaml").exists()]
    if not found:
        raise DefinitionError(
            "K810", f"お知らせの定義 {name}.yaml がありません。", str(layers[0]), "定義を入れ直してください。"
        )
    return reduce(lambda a, b: merge(a, b, ("名", "年", "版")), [read_yaml(path) for path in found])


def _merged(layers: Sequence[Mapping[str, Node]]) -> dict[str, Node]:
    """Texts of all layers: a later one adds versions to those before."""
    found: dict[str, Node] = {}
    for layer in layers:
        for name, node in layer.items():
            found[name] = merge(found[name], node, ("版",)) if name in found else node
    return found


def _check_digests(template: Template, node: Node) -> None:
    for v in template.versions:
        right = digest_of(template.id, v.version, v.text)
        if v.digest != right:
            raise DefinitionError(
                "K811",
                f"文面「{template.id}」版 {v.version} の照合値が、本文と合いません。",
                node.where(),
                f"使った版の本文は変えられません。新しい版を足してください（新しい版の照合値は {right}）。",
            )


def _check_history(folders: Sequence[Path]) -> None:
    """A version another layer has written may not be written again with another text."""
    known: dict[tuple[str, str], str] = {}
    for folder in folders:
        for name, node in read_folder(folder).items():
            listed = node.get("版の一覧")
            for one in listed.value if listed is not None and isinstance(listed.value, list) else ():
                version, digest = _text(one, "版"), _text(one, "照合値")
                if known.setdefault((name, version), digest) != digest:
                    raise DefinitionError(
                        "K811",
                        f"文面「{name}」版 {version} は、すでに別の本文で使われています。",
                        one.where(),
                        "新しい版の番号で書いてください。",
                    )


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return found.value if found is not None and isinstance(found.value, str) else ""
