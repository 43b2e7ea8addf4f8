"""Target and generated figure of every row of the city's calibration table.

Targets are figures of the pilot cities, national surveys and the model city. A row says what is measured, the target, how far
the generated figure may lie from it, and how it is measured. What the sources cannot carry is measured on the latent side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR, fiscal_year, grade_in
from kizuki.synth.city import City
from kizuki.synth.consultations import CATEGORIES, EXPECTANT, NOT_LISTED, Consultations, consultations
from kizuki.synth.foreseeable import foreseen
from kizuki.synth.health import (
    EIGHTEEN_MONTHS,
    MISSED,
    NOT_ASKED,
    PREGNANCY,
    THREE_YEARS,
    VISIT,
    HealthRows,
    health_rows,
    mother_of,
)
from kizuki.synth.population import CHILD, FAMILY, HEAD, PARTNER
from kizuki.synth.schooling import Pupils, attendance_of, pupils_of, school_months

Array = npt.NDArray[Any]

FULL_CITY = 182_835


@dataclass(frozen=True, slots=True)
class Target:
    """One row of the table. `tolerance` is absolute, in the unit of the target."""

    name: str
    target: float
    tolerance: float
    measure: Callable[["Census"], float]
    unit: str = "%"
    note: str = ""


class Census:
    """Counts of one city that several rows share."""

    def __init__(self, city: City) -> None:
        self.city = city
        people, today = city.people, city.window.today
        self.here = people.resident_on(today)
        self.age = people.age_on(today)
        self.scale = FULL_CITY / int(self.here.sum())
        self.child = self.here & (people.role == CHILD) & (self.age < 18) & (city.units.kind[people.unit] == FAMILY)
        self.fiscal = int(fiscal_year(np.array([today]))[0])
        self.grade = np.where(self.here & (people.role == CHILD), grade_in(people.birth, self.fiscal), 0)
        self.years = (today - city.window.start) / YEAR

    def share(self, mask: Array, of: Array) -> float:
        """Per cent of `of` in which `mask` holds too."""
        return 100 * float(np.sum(mask & of)) / max(1, int(np.sum(of)))

    @cached_property
    def families(self) -> Array:
        """Units with a child of 0-17 today."""
        out = np.zeros(len(self.city.units), bool)
        out[self.city.people.unit[self.child]] = True
        return out

    @cached_property
    def alone(self) -> Array:
        """Families of a single parent today."""
        single, today = self.city.benefits.single, self.city.window.today
        return self.families & (single.since <= today) & (single.until > today)

    @cached_property
    def mothers_alone(self) -> Array:
        """Single-mother families today."""
        parent = np.maximum(self.city.benefits.single.parent, 0)
        out: Array = self.alone & (self.city.people.sex[parent] == 2)
        return out

    @cached_property
    def pupils(self) -> Pupils:
        """The last finished fiscal year's pupils."""
        return pupils_of(self.city, self.fiscal - 1)

    @cached_property
    def school_year(self) -> tuple[Array, Array]:
        """Days absent and bullying reports per pupil in the last finished fiscal year."""
        absent, bullied = np.zeros(len(self.pupils.person), np.int64), np.zeros(len(self.pupils.person), np.int64)
        for month in school_months(self.city):
            if fiscal_year(np.array([month]))[0] == self.fiscal - 1:
                seen = attendance_of(self.city, self.pupils, month)
                absent[seen.rows] += seen.absent
                bullied[seen.rows] += seen.bullying
        return absent, bullied

    @cached_property
    def health(self) -> HealthRows:
        """Health contacts of the window."""
        return health_rows(self.city)

    @cached_property
    def cases(self) -> Consultations:
        """Family consultations of the window."""
        return consultations(self.city)

    @property
    def in_school(self) -> Array:
        """Pupils of public schools in the measured year."""
        return ~self.pupils.outside

    def births_per_year(self) -> float:
        """Births of residents in the last three years, per year, at full size."""
        people, today = self.city.people, self.city.window.today
        born = (people.birth == people.enter) & (people.birth > today - 3 * YEAR) & (people.birth <= today)
        return float(born.sum()) / 3 * self.scale

    def arrivals(self) -> float:
        """Moves into the city per resident and year, per cent."""
        people, window = self.city.people, self.city.window
        came = (people.enter > window.start) & (people.enter <= window.today) & (people.enter != people.birth)
        return 100 * float(came.sum()) / self.years / float(self.here.sum())

    def mean_income_of_mothers(self) -> float:
        """Mean yearly money of single mothers with their allowance, in ten thousand yen."""
        city = self.city
        unit = np.flatnonzero(self.mothers_alone)
        parent = city.benefits.single.parent[unit]
        pay = city.taxes.gross[parent, -1]
        children = np.bincount(city.people.unit[self.child], minlength=len(city.units))[unit]
        paid = city.benefits.receives_on(unit, city.window.today)
        support = np.where(paid, 12 * (33_000 + 9_000 * (children - 1)), 0) + 12 * 11_000 * children
        assisted = city.assistance.on(unit, city.window.today)
        money = pay + support + np.where(assisted, np.maximum(0, 2_300_000 - pay - support), 0)
        return float(np.mean(money)) / 10_000

    def new_cases(self) -> float:
        """Consultations about harm to a child per year at full size (419 in the model city)."""
        harm = self.cases.category != CATEGORIES.index("養護その他")
        return float(harm.sum()) / self.years * self.scale

    def harm_share(self, category: str) -> float:
        """Share of one kind of harm, per cent."""
        harm = self.cases.category != CATEGORIES.index("養護その他")
        return self.share(self.cases.category == CATEGORIES.index(category), harm)

    def consulted_children(self) -> float:
        """Consultations of all kinds per child and year, per cent."""
        return 100 * len(self.cases.person) / self.years / int(self.child.sum())

    def past_cases(self) -> float:
        """Children newly taken into the case ledger per year at full size."""
        first = np.r_[True, self.cases.person[1:] != self.cases.person[:-1]]
        harm = self.cases.category != CATEGORIES.index("養護その他")
        return float((first & harm).sum()) / self.years * self.scale

    def council_stock(self) -> float:
        """Children registered as 要保護 or 要支援 today, per cent of children."""
        today = self.city.window.today
        rows = self.cases
        now = (
            (rows.registered_on <= today)
            & (rows.closed_on > today)
            & (rows.council != EXPECTANT)
            & (rows.council != NOT_LISTED)
        )
        return 100 * len(np.unique(rows.person[now & self.child[rows.person]])) / int(self.child.sum())

    def missed(self, kind: int) -> float:
        """Missed check-ups of one kind, per cent of those due."""
        rows = self.health
        return self.share(rows.attendance == MISSED, (rows.kind == kind) & (rows.attendance != NOT_ASKED))

    def high_epds(self) -> float:
        """EPDS of 9 or more, per cent of answers."""
        total = self.health.values["epds_total"]
        return self.share(total >= 9, (self.health.kind == VISIT) & (total >= 0))

    def pregnant(self, mask: Array) -> float:
        """Per cent of pregnancy notices."""
        return self.share(mask, self.health.kind == PREGNANCY)

    def high_risk_pregnancies(self) -> float:
        """Young, unmarried, smoking, late or strained expectant mothers, per cent."""
        rows, city = self.health, self.city
        unit = city.people.unit[rows.owner]
        risk = (rows.values["married"] == 0) | (rows.values["smoking"] == 1) | (rows.values["gestation_weeks"] >= 22)
        risk |= city.units.young_mother[unit] | (city.latent.stress[unit] > 1.45)
        return self.pregnant(risk)

    def moved_in_pregnant(self) -> float:
        """Mothers who came to the city during the pregnancy, per cent of births in the window."""
        people = self.city.people
        mother = mother_of(self.city)[people.unit]
        born = (
            (people.role == CHILD)
            & (people.birth > self.city.window.start + 280)
            & (people.birth <= self.city.window.today)
            & (mother >= 0)
        )
        born &= people.enter == people.birth
        came = people.enter[np.maximum(mother, 0)]
        return self.share((came > people.birth - 280) & (came < people.birth), born)

    def entitled_not_receiving(self) -> float:
        """Families entitled to 就学援助 that do not receive it, per cent."""
        benefits = self.city.benefits
        entitled = benefits.school_aid_entitled[:, -1] & self.families
        return self.share(~benefits.school_aid_received[:, -1], entitled)

    def school_aid(self, received: Array) -> float:
        """Per cent of public pupils whose family holds."""
        public = (self.grade >= 1) & (self.grade <= 9)
        return self.share(received[self.city.people.unit], public)

    def latent_line(self, parents: bool) -> float:
        """Residents, or parents of minors, who have the city's LINE account as a friend, per cent."""
        people = self.city.people
        friend = line_friends(self.city, self.families)
        if parents:
            return self.share(friend, self.here & self.families[people.unit] & np.isin(people.role, (HEAD, PARTNER)))
        return self.share(friend, self.here)


def line_friends(city: City, families: Array) -> Array:
    """Latent: who follows the city's LINE account (a third of the parents, few others)."""
    people = city.people
    chance = np.where(
        families[people.unit] & np.isin(people.role, (HEAD, PARTNER)),
        0.35,
        np.where(people.age_on(city.window.today) < 18, 0.05, 0.145),
    )
    return city.streams.of("line friends").random(len(people)) < chance


def targets() -> tuple[Target, ...]:
    """Every row of the table, in its order."""
    return (*_people_rows(), *_family_rows(), *_school_rows(), *_case_rows(), *_health_rows(), *_reach_rows())


def _people_rows() -> tuple[Target, ...]:
    return (
        Target("0-14歳の割合", 12.9, 0.6, lambda c: c.share(c.age < 15, c.here)),
        Target("0-17歳の人数（全市換算）", 29_000, 900, lambda c: float(c.child.sum()) * c.scale, "人"),
        Target("出生（全市換算・年）", 1_200, 90, lambda c: c.births_per_year(), "人"),
        Target("小学生（全市換算）", 10_200, 400, lambda c: float(((c.grade >= 1) & (c.grade <= 6)).sum()) * c.scale, "人"),
        Target("中学生（全市換算）", 5_250, 300, lambda c: float(((c.grade >= 7) & (c.grade <= 9)).sum()) * c.scale, "人"),
        Target("転入（年・対人口）", 3.5, 0.5, lambda c: c.arrivals()),
    )


def _family_rows() -> tuple[Target, ...]:
    return (
        Target("ひとり親世帯（こどものいる世帯のうち）", 13.6, 1.2, lambda c: c.share(c.alone, c.families)),
        Target("ひとり親のうち母子", 88.9, 3.0, lambda c: c.share(c.mothers_alone, c.alone)),
        Target(
            "ひとり親の事由が離婚",
            79.5,
            5.0,
            lambda c: c.share(np.isin(c.city.units.cause, (0, 4)), c.alone & (c.city.units.cause >= 0)),
        ),
        Target("母子世帯の年収", 272, 20, lambda c: c.mean_income_of_mothers(), "万円"),
        Target(
            "母子世帯の生活保護",
            14.0,
            3.5,
            lambda c: c.share(c.city.assistance.on(np.arange(len(c.alone)), c.city.window.today), c.mothers_alone),
            note="要保護児童生徒0.94%とは両立しないため、幅を持たせる",
        ),
        Target(
            "児童扶養手当の受給（ひとり親のうち）",
            60.0,
            7.0,
            lambda c: c.share(c.city.benefits.receives_on(np.arange(len(c.alone)), c.city.window.today), c.alone),
        ),
    )


def _school_rows() -> tuple[Target, ...]:
    def absent(c: Census, low: int, high: int) -> float:
        stage = c.in_school & (c.pupils.grade >= low) & (c.pupils.grade <= high)
        long = c.school_year[0] >= 30
        return c.share(long & (c.city.latent.absent_since[c.pupils.person] < NEVER), stage)

    return (
        Target(
            "就学援助（公立小中学生のうち）",
            16.1,
            2.2,
            lambda c: c.school_aid(c.city.benefits.school_aid_received[:, -1]),
            note="国13.9〜大阪府18.3",
        ),
        Target(
            "要保護（生活保護・小中学生のうち）",
            0.94,
            0.6,
            lambda c: c.school_aid(c.city.assistance.on(np.arange(len(c.alone)), c.city.window.today)),
        ),
        Target("不登校 小学校", 2.14, 0.45, lambda c: absent(c, 1, 6)),
        Target("不登校 中学校", 6.71, 1.1, lambda c: absent(c, 7, 9)),
        Target("不登校 小中計", 3.7, 0.6, lambda c: absent(c, 1, 9)),
        Target(
            "いじめ認知（1000人あたり）",
            57.9,
            7.0,
            lambda c: 1000 * float(c.school_year[1].sum()) / int(c.in_school.sum()),
            "件",
        ),
        Target("発達の特性 小学校", 10.4, 1.2, lambda c: c.share(c.city.latent.delayed, (c.grade >= 1) & (c.grade <= 6))),
        Target("発達の特性 中学校", 5.6, 1.1, lambda c: c.share(c.city.latent.delayed, (c.grade >= 7) & (c.grade <= 9))),
        Target("発達の特性 小中計", 8.8, 1.0, lambda c: c.share(c.city.latent.delayed, (c.grade >= 1) & (c.grade <= 9))),
        Target("ヤングケアラー 小6", 6.5, 1.8, lambda c: c.share(c.city.latent.carer, c.grade == 6), note="潜在側"),
        Target("ヤングケアラー 中2", 5.7, 1.8, lambda c: c.share(c.city.latent.carer, c.grade == 8), note="潜在側"),
        Target(
            "ヤングケアラー 高2", 4.1, 1.6, lambda c: c.share(c.city.latent.carer, c.child & (c.grade == 11)), note="潜在側"
        ),
    )


def _case_rows() -> tuple[Target, ...]:
    return (
        Target("市町村の相談対応（年・こども対）", 2.3, 0.9, lambda c: c.consulted_children(), note="国2.3〜大阪府4.5"),
        Target("虐待の相談（全市換算・年）", 419, 75, lambda c: c.new_cases(), "件"),
        Target("新規ケース（全市換算・年）", 420, 120, lambda c: c.past_cases(), "件", note="約5000件／12年"),
        Target("種別 心理", 56.7, 7.0, lambda c: c.harm_share("心理"), note="児相59.6・和泉市53.9の間"),
        Target("種別 身体", 24.5, 6.0, lambda c: c.harm_share("身体"), note="児相23.0・和泉市26.0の間"),
        Target("種別 ネグレクト", 18.1, 5.0, lambda c: c.harm_share("ネグレクト"), note="児相16.2・和泉市20.0の間"),
        Target("種別 性的", 0.6, 0.8, lambda c: c.harm_share("性的"), note="児相1.1・和泉市0の間"),
        Target("主な虐待者 実母", 48.0, 5.0, lambda c: c.share(c.city.latent.abuser == 0, c.families), note="潜在側"),
        Target("主な虐待者 実父", 42.6, 5.0, lambda c: c.share(c.city.latent.abuser == 1, c.families), note="潜在側"),
        Target("要支援・要保護の登録（こども対）", 1.4, 0.35, lambda c: c.council_stock()),
        Target(
            "児童福祉担当（こども1422人に1人・全市換算）",
            20,
            1.2,
            lambda c: float(c.child.sum()) * c.scale / 1422,
            "人",
            note="計算",
        ),
    )


def _health_rows() -> tuple[Target, ...]:
    return (
        Target("EPDS 9点以上", 9.9, 1.8, lambda c: c.high_epds()),
        Target("妊婦の喫煙", 2.1, 0.8, lambda c: c.pregnant(c.health.values["smoking"] == 1)),
        Target("ハイリスク妊婦", 19.7, 3.5, lambda c: c.high_risk_pregnancies()),
        Target("妊娠中の転入", 5.6, 1.6, lambda c: c.moved_in_pregnant()),
        Target("1歳6か月児健診 未受診", 3.7, 0.9, lambda c: c.missed(EIGHTEEN_MONTHS)),
        Target("3歳児健診 未受診", 4.3, 0.9, lambda c: c.missed(THREE_YEARS)),
    )


def _reach_rows() -> tuple[Target, ...]:
    return (
        Target("LINE 友だち（住民のうち）", 16.0, 1.5, lambda c: c.latent_line(False), note="潜在側"),
        Target("LINE 友だち（親のうち）", 35.0, 2.5, lambda c: c.latent_line(True), note="潜在側・仮定"),
        Target("就学援助の非受給（要件を満たす家庭のうち）", 25.0, 6.0, lambda c: c.entitled_not_receiving(), note="仮定"),
        Target("真の確率のAUC 貧困", 0.805, 0.055, lambda c: foreseen(c.city, "貧困"), "", "判定の難しさ"),
        Target("真の確率のAUC 児童虐待", 0.805, 0.055, lambda c: foreseen(c.city, "児童虐待"), "", "判定の難しさ"),
        Target("真の確率のAUC 不登校", 0.805, 0.055, lambda c: foreseen(c.city, "不登校"), "", "判定の難しさ"),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """One row measured: the figure generated and whether it lies within the tolerance."""

    target: Target
    generated: float

    @property
    def holds(self) -> bool:
        """Within the tolerance."""
        return abs(self.generated - self.target.target) <= self.target.tolerance


def measure(city: City) -> tuple[Reading, ...]:
    """Every row measured on a city (meaningful from about twenty thousand residents)."""
    census = Census(city)
    return tuple(Reading(t, t.measure(census)) for t in targets())


def table(readings: tuple[Reading, ...]) -> str:
    """The table as text: target, generated, tolerance."""
    lines = [
        f"{'適' if r.holds else '否'} {r.target.name}、"
        f"目標 {r.target.target:g}{r.target.unit}、生成 {r.generated:.2f}、幅 ±{r.target.tolerance:g}"
        + (f"、{r.target.note}" if r.target.note else "")
        for r in readings
    ]
    return "\n".join(lines)
