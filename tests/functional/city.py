"""A small fictional city as a published snapshot: what the screens are looked at with, without running a night.

Deterministic; every table passes the declared schema. Among its households: single parents, siblings, a sealed household,
families that moved in last month, months nobody entered, a feed that is late and one that is off.
"""

import datetime as dt
import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import Manifest, SnapshotStore
from kizuki.engine.tables import arrow_schema
from kizuki.terms.tables import ALL_TABLES

AS_OF = dt.date(2026, 11, 20)
FAMILIES = {
    "佐藤": "サトウ",
    "鈴木": "スズキ",
    "高橋": "タカハシ",
    "田中": "タナカ",
    "伊藤": "イトウ",
    "渡辺": "ワタナベ",
    "山本": "ヤマモト",
    "中村": "ナカムラ",
    "小林": "コバヤシ",
    "加藤": "カトウ",
    "吉田": "ヨシダ",
    "山田": "ヤマダ",
    "佐々木": "ササキ",
    "山口": "ヤマグチ",
}
GIVEN = [("陽菜", "ヒナ", "2"), ("大翔", "ヒロト", "1"), ("結衣", "ユイ", "2"), ("樹", "イツキ", "1"), ("凛", "リン", "2")]
SCHOOLS = ("郷荘小学校", "伯太小学校", "国府小学校")
MIDDLE = ("光明台中学校", "郷荘中学校")
CRITERIA = ("poverty", "abuse", "absence")
REASONS = {
    "poverty": [("就学援助を受けている", "school_enrolment"), ("学童保育の滞納が3か月ある", "after_school_care")],
    "abuse": [
        ("3歳児健診を受けていない", "maternal_child_health"),
        ("家庭児童相談の受付が1年以内に2件ある", "family_consultation"),
        ("むし歯が8本ある（3年以内の最大）", "maternal_child_health"),
    ],
    "absence": [
        ("欠席が直近3か月で18日（前年同期4日）", "school_life"),
        ("遅刻・早退が直近3か月で12回", "school_life"),
        ("保健室の利用が直近3か月で15回", "school_life"),
    ],
}
UNKNOWNS = [
    ("就学援助を受けているか", "school_enrolment", "moved_in"),
    ("世帯が非課税か", "municipal_tax", "feed_off"),
    ("保健室の利用が増えているか", "school_life", "not_entered"),
]
FEEDS = (
    "resident_register",
    "school_enrolment",
    "school_life",
    "municipal_tax",
    "single_parent_allowance",
    "child_allowance",
    "medical_subsidy",
    "after_school_care",
    "disability_welfare",
    "public_assistance",
    "long_term_care",
    "childcare",
    "maternal_child_health",
    "family_consultation",
    "childrens_cafeteria",
    "community_social_work",
)


def pair_id(number: int) -> str:
    """The token of one pair."""
    return hashlib.sha256(f"pair-{number}".encode()).hexdigest()[:32]


_RETURNED_NO = 2000
RETURNED = pair_id(_RETURNED_NO)
"""The pair of two rows of the register: a child who came back under a new number."""


def person_id(number: int) -> str:
    """An opaque id."""
    return hashlib.sha256(f"person-{number}".encode()).hexdigest()[:32]


@dataclass
class City:
    """Rows by table."""

    children: int
    seed: int = 7
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in ALL_TABLES})
    people: int = 0
    fathers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        made = 0
        while made < self.children:
            made += self._household(made)
        self._ranks()
        self._feeds()
        self._review()

    def add(self, table: str, **values: Any) -> None:
        """One row; knowledge columns and evidence get plain defaults."""
        schema = ALL_TABLES[table]
        defaults = {
            "known_from": dt.date(2021, 12, 1),
            "known_to": None,
            "valid_to": None,
            "delivery_id": "d-20261101-01",
            "record_id": "r",
            "source": "resident_register",
            "valid_from": dt.date(2015, 4, 1),
        }
        self.rows[table].append({c.name: values.get(c.name, defaults.get(c.name)) for c in schema.columns})

    def _person(self, home: str, name: str, kana: str, birth: dt.date, sex: str, relation: str) -> str:
        self.people += 1
        pid = person_id(self.people)
        self.add(
            "person",
            person_id=pid,
            person_no=f"{self.people:010d}",
            name=name,
            kana=kana,
            birth_date=birth,
            sex=sex,
            resident_type="1",
            resident_status="resident",
            resident_from=birth,
            sealed=False,
            valid_from=birth,
        )
        self.add("household_member", household_id=home, person_id=pid, relation=relation, valid_from=birth)
        self.add(
            "residence",
            person_id=pid,
            address="わかば市府中町五丁目1番2号",
            town="府中町",
            postcode="5940001",
            valid_from=birth,
        )
        return pid

    def _household(self, made: int) -> int:
        r = self.random
        family, kana = list(FAMILIES.items())[made % len(FAMILIES)]
        home = f"h{made:07d}"
        single = r.random() < 0.4
        mother = self._person(home, f"{family} 美穂", f"{kana} ミホ", dt.date(1992, 3, 4), "2", "世帯主" if single else "妻")
        if not single:
            self._person(home, f"{family} 健", f"{kana} ケン", dt.date(1990, 5, 6), "1", "世帯主")
        count = r.choice((1, 1, 1, 2, 2, 3)) if made else 1
        moved_in = made % 11 == 5
        for i in range(count):
            given, given_kana, sex = GIVEN[(made + i) % len(GIVEN)]
            age = r.randint(0, 17) if made else 14
            birth = dt.date(AS_OF.year - age - 1, r.randint(11, 12) if made else 12, r.randint(21, 28))
            child = self._person(home, f"{family} {given}", f"{kana} {given_kana}", birth, sex, "子")
            self._related(child, mother, "parent", together=True)
            if single:
                self._related(child, self._elsewhere(family, kana), "parent", together=False)
            self._child(child, age, single=single, moved_in=moved_in, busy=made % 3 == 0)
        if single:
            self.add(
                "spell",
                person_id=mother,
                kind="single_parent_allowance_recipient",
                status="全部",
                valid_from=dt.date(2022, 4, 1),
                source="single_parent_allowance",
            )
        if made % 13 == 4:
            self.add("seal", person_id=mother, reason="own", sealed_from=dt.date(2024, 1, 1))
        self._offers(home, single=single)
        return count

    def _elsewhere(self, family: str, kana: str) -> str:
        """The father of a child of a single mother, in a household of his own in the city."""
        name = f"{family} 一郎"
        if name not in self.fathers:
            home = f"f{len(self.fathers):07d}"
            self.fathers[name] = self._person(home, name, f"{kana} イチロウ", dt.date(1988, 7, 8), "1", "世帯主")
        return self.fathers[name]

    def _related(self, child: str, related: str, kind: str, *, together: bool) -> None:
        ends = None if together else dt.date(2024, 4, 1)
        self.add("kinship", person_id=child, related_id=related, kind=kind, basis="household", together=together, valid_to=ends)

    def _child(self, pid: str, age: int, *, single: bool, moved_in: bool, busy: bool) -> None:
        r = self.random
        since = dt.date(2026, 10, 1) if moved_in else dt.date(2021, 12, 1)
        for source in FEEDS:
            self.add("coverage", person_id=pid, source=source, covered_from=since, covered_until=AS_OF)
        self.add(
            "spell", person_id=pid, kind="child_allowance", valid_from=max(since, dt.date(2022, 6, 1)), source="child_allowance"
        )
        if single:
            self.add(
                "spell",
                person_id=pid,
                kind="single_parent_allowance",
                status="全部",
                valid_from=since,
                source="single_parent_allowance",
            )
        if 6 <= age <= 14:
            self._school(pid, age, since, busy=busy)
        elif age < 6:
            self.add(
                "spell",
                person_id=pid,
                kind="childcare",
                status="2号",
                facility="わかば中央こども園",
                valid_from=dt.date(2025, 4, 1),
                source="childcare",
            )
            self.add(
                "event",
                person_id=pid,
                kind="checkup",
                happened_on=dt.date(2025, 9, 30),
                value_state="known",
                code="1歳6か月児健診:受診:要経過観察",
                source="maternal_child_health",
            )
        if busy and age > 3:
            self.add(
                "event",
                person_id=pid,
                kind="consultation",
                happened_on=dt.date(2026, 6, 12),
                value=2.0,
                value_state="known",
                code="ネグレクト",
                facility="学校",
                source="family_consultation",
            )
            self.add(
                "spell",
                person_id=pid,
                kind="council_registration",
                status="要支援",
                valid_from=dt.date(2026, 7, 1),
                source="family_consultation",
            )
        if moved_in:
            self.add(
                "event", person_id=pid, kind="moved_in", happened_on=since, value_state="known", source="resident_register"
            )
        self._judged(pid, age, moved_in=moved_in, number=r.randint(1, 3))

    def _school(self, pid: str, age: int, since: dt.date, *, busy: bool) -> None:
        r = self.random
        grade = age - 5
        for back in (2, 1, 0):
            if grade - back >= 1 and (back == 0 or since < dt.date(2024, 1, 1)):
                year = 2026 - back
                school = SCHOOLS[grade % 3] if grade - back <= 6 else MIDDLE[grade % 2]
                self.add(
                    "spell",
                    person_id=pid,
                    kind="enrolment",
                    status="1",
                    facility=school,
                    detail=str(grade - back),
                    valid_from=dt.date(year, 4, 1),
                    valid_to=dt.date(year + 1, 4, 1),
                    source="school_enrolment",
                )
        for year, month in months(dt.date(2024, 11, 1), dt.date(2026, 10, 1)):
            end = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
            if end < since or month == 8:
                continue
            absent = float(r.choice((0, 0, 1, 3)) + (7 if busy and (year, month) >= (2026, 9) else 0))
            unknown = r.random() < 0.03
            self.add(
                "event",
                person_id=pid,
                kind="absence_days",
                happened_on=end,
                value=None if unknown else absent,
                value_state="not_entered" if unknown else ("known" if absent else "zero"),
                facility="2710",
                source="school_life",
            )
            self.add(
                "event", person_id=pid, kind="late_count", happened_on=end, value=1.0, value_state="known", source="school_life"
            )

    def _judged(self, pid: str, age: int, *, moved_in: bool, number: int) -> None:
        r = self.random
        for criteria in CRITERIA:
            holds = REASONS[criteria][:number] if r.random() < 0.35 else []
            unknown = UNKNOWNS if moved_in else ([UNKNOWNS[1]] if criteria == "poverty" else [])
            verdict = "該当" if holds else ("要確認" if moved_in else "非該当")
            self.add(
                "judgement",
                person_id=pid,
                criteria=criteria,
                version="1.0",
                verdict=verdict,
                points=len(holds),
                max_points=9,
                rank=None,
            )
            for i, (text, source) in enumerate(holds):
                day = dt.date(2022, 5, 9) if source == "maternal_child_health" else dt.date(2026, 10, 31)
                self.add(
                    "judgement_reason",
                    person_id=pid,
                    criteria=criteria,
                    entry=f"e{i}",
                    answer="true",
                    points=3 - i,
                    text=text,
                    source=source,
                    observed_on=day,
                )
            for i, (text, source, why) in enumerate(unknown):
                self.add(
                    "judgement_reason",
                    person_id=pid,
                    criteria=criteria,
                    entry=f"u{i}",
                    answer="unknown",
                    points=1,
                    text=text,
                    source=source,
                    observed_on=AS_OF,
                    delivery_id=None,
                    unknown_reason=why,
                )

    def _offers(self, home: str, *, single: bool) -> None:
        because = json.dumps(
            [{"条件": "c1", "文": "児童扶養手当（全部支給）を受けている", "元データ": "single_parent_allowance"}],
            ensure_ascii=False,
        )
        confirm = json.dumps(
            [{"条件": "c2", "確認すること": "世帯の所得（市民税のデータを受け取っていません）"}], ensure_ascii=False
        )
        self.add(
            "eligibility",
            programme="school_aid",
            household_id=home,
            verdict="該当" if single else "不明",
            receiving=False,
            unclaimed=single,
            reasons=because if single else "[]",
            unknown="[]" if single else confirm,
        )
        self.add(
            "eligibility",
            programme="single_parent_allowance",
            household_id=home,
            verdict="該当" if single else "非該当",
            receiving=single,
            unclaimed=False,
            reasons=because,
            unknown="[]",
        )

    def _ranks(self) -> None:
        for criteria in CRITERIA:
            listed = [j for j in self.rows["judgement"] if j["criteria"] == criteria and j["verdict"] != "非該当"]
            listed.sort(key=lambda j: (j["verdict"] != "該当", -j["points"], j["person_id"]))
            for rank, row in enumerate(listed, start=1):
                row["rank"] = rank

    def _feeds(self) -> None:
        for i, source in enumerate(FEEDS):
            state = "off" if source == "municipal_tax" else ("late" if source == "school_life" else "fresh")
            last = None if state == "off" else (dt.date(2026, 9, 5) if state == "late" else dt.date(2026, 10, 31))
            self.add(
                "feed",
                source=source,
                last_as_of=last,
                last_received_at="2026-11-02T09:10:00" if last else None,
                state=state,
                deliveries=0 if state == "off" else 20 + i,
                rows=i * 1000,
                quarantined=i % 4,
            )
            done = (("all", "", 1000), ("width", "", 200), ("gaiji_unknown", "U+E001", i % 3))
            for flag, detail, cells in done:
                self.add(
                    "cleansing",
                    source=source,
                    field="name",
                    rule="name",
                    flag=flag,
                    detail=detail,
                    writings=cells // 2 + 1,
                    cells=cells,
                )

    def _review(self) -> None:
        """Pairs for reviewers: every fifth child beside a record of another office; sealed ones, one with two candidates."""
        people = {row["person_id"]: row for row in self.rows["person"]}
        sealed = sorted(row["person_id"] for row in self.rows["seal"])
        children = [row["person_id"] for row in self.rows["household_member"] if row["relation"] == "子"]
        for place, person in enumerate([*sealed[:2], *children[::5]], start=1):
            harms = "sealed" if person in sealed else ("look_alike" if place % 3 == 0 else "evidence")
            self._pair(place, people[person], "waiting", harms)
        for place, child in enumerate(children[1::9], start=1):
            self._pair(1000 + place, people[child], "automatic", "other")
        self._returned(_RETURNED_NO, people[children[2]])

    def _returned(self, number: int, resident: dict[str, Any]) -> None:
        """A child who moved away and came back under a new number: two rows of the register."""
        self._pair(number, resident, "waiting", "look_alike")
        other, pair = person_id(10_000 + number), self.rows["review_case"][-1]["pair_id"]
        self.rows["review_case"][-1] |= {"source": "resident_register", "rule": "returned"}
        for side in self.rows["review_side"][-2:]:
            number_of = {"record": "0000020003", "resident": side["person_no"]}
            side |= {"source": "resident_register", "person_no": number_of[side["side"]], "grade": None}
            side |= {"birth_date": resident["birth_date"]}
        left, came = dt.date(2025, 3, 31), dt.date(2026, 4, 10)
        before, now = "わかば市府中町五丁目1番2号 若葉ハイツ101号室", "わかば市桜が丘三丁目22番14号"
        for side, one, two, first, last, address in (
            ("record", other, resident["person_id"], came, None, now),
            ("resident", resident["person_id"], other, dt.date(2018, 6, 1), left, before),
        ):
            told = {
                "pair_id": pair,
                "side": side,
                "person_id": one,
                "other_person_id": two,
                "valid_from": first,
                "valid_to": last,
            }
            self.add("review_history", **told, kind="stay", status="moved_out" if last else "resident")
            self.add("review_history", **told, kind="name", name=resident["name"], kana=resident["kana"])
            self.add("review_history", **told, kind="address", address=address)
            self.add("review_history", **told, kind="household", relation="子", members=4, met_again=3)

    def _pair(self, number: int, resident: dict[str, Any], state: str, harms: str) -> None:
        differs, waiting = number % 2 == 1, state == "waiting"
        pair, other = pair_id(number), person_id(10_000 + number)
        source = ("school_life", "childrens_cafeteria", "family_consultation")[number % 3]
        agreeing = "family=7 given=7 birth=3 sex=1 address=2 phone=-1"
        differing = "family=5 given=0 birth=1 sex=1 address=-1 phone=0"
        both = {"pair_id": pair, "known_from": dt.date(2026, 10, 5), "town": "わかば市府中町五丁目", "postcode": "5940001"}
        self.add(
            "review_case",
            pair_id=pair,
            person_id=resident["person_id"],
            other_person_id=other,
            source=source,
            record_id=f"r{number}",
            resident_id=resident["person_no"],
            state=state,
            group_id=pair,
            rule="look_given" if waiting else "school_grade_name",
            strength=float(20 - number % 17),
            evidence=differing if differs else agreeing,
            harms=harms,
            place=number if waiting else None,
            lot=None if waiting else f"{number:032x}",
            eligible=None if waiting else 420,
        )
        self.add(
            "review_side",
            **both,
            side="record",
            person_id=other,
            other_person_id=resident["person_id"],
            source=source,
            record_id=f"r{number}",
            name=f"{resident['name'][:-1]}{'奈' if differs else resident['name'][-1]}",
            kana=resident["kana"].replace(" ", ""),
            sex=resident["sex"],
            grade="3",
            block="1-3" if differs else "1-2",
        )
        told = {name: resident[name] for name in ("person_id", "name", "kana", "birth_date", "sex", "person_no")}
        told |= {"record_id": resident["person_no"], "block": "1-2"}
        self.add("review_side", **both, side="resident", other_person_id=other, **told)

    def tables(self) -> dict[str, pa.Table]:
        """Arrow tables in the declared schemas, sorted by person as publication does."""
        made = {}
        for name, schema in ALL_TABLES.items():
            arrow = arrow_schema(schema)
            columns = {c: [row[c] for row in self.rows[name]] for c in arrow.names}
            table = pa.table(columns, schema=arrow)
            made[name] = table.sort_by("person_id") if "person_id" in table.column_names else table
        return made


def months(first: dt.date, last: dt.date) -> Iterator[tuple[int, int]]:
    """(year, month) pairs, both ends included."""
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def publish(home: Path, *, children: int = 90, seed: int = 7) -> City:
    """Make a home whose served snapshot is such a city, published after that of the day before."""
    city = City(children, seed)
    _publish(home, city, f"{children}-{seed}-before", AS_OF - dt.timedelta(days=1))
    for pid in _often_absent(city):
        city.add(
            "judgement_reason",
            person_id=pid,
            criteria="absence",
            entry="p0",
            answer="true",
            points=-1,
            text="別室に登校しています",
            source="school_life",
            observed_on=dt.date(2026, 10, 31),
        )
    _publish(home, city, f"{children}-{seed}", AS_OF)
    return city


def _often_absent(city: City) -> list[str]:
    """Children whom 不登校 lists: today a protective factor of theirs is known that was not known the day before."""
    return [j["person_id"] for j in city.rows["judgement"] if j["criteria"] == "absence" and j["verdict"] == "該当"]


def _publish(home: Path, city: City, name: str, as_of: dt.date) -> None:
    keys = KeyRing.load(home)
    cache = TableCache(home / "cache", keys)
    entries = cache.store("city", name, city.tables())
    manifest = Manifest(
        id=hashlib.sha256(name.encode()).hexdigest()[:32],
        as_of=as_of.isoformat(),
        published_at=f"{as_of.isoformat()}T05:12:00+09:00",
        definitions="test",
        synthetic=True,
        tables={table: (entry,) for table, entry in entries.items()},
    )
    SnapshotStore(home / "snapshots", keys).publish(manifest, cache)
