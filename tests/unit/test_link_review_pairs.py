"""What the night lays out for reviewers: the city's order, the machine's own evidence, lots anybody can draw again."""

import datetime as dt
import hashlib
from typing import Any

import pyarrow as pa
import pytest

from kizuki.definitions.link_review import ReviewRules
from kizuki.definitions.link_review import load as load_rules
from kizuki.definitions.linkage import Linkage, load
from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.matching import match_records
from kizuki.link.review import Asked, month_seed, prepare
from kizuki.link.tables import CLASS_YEAR, PAIR
from kizuki.terms.errors import DefinitionError
from kizuki.terms.tables import HOUSEHOLD_MEMBER, LINK, PERSON, RESIDENCE, SEAL
from tests.unit.link_people import NIGHT, REGISTER, record, table
from tests.unit.test_link_matching import BASE, CITY, HINA, HOME, REN, YUINA

KEYS = KeyRing(b"k" * 32)
UNRELATED = record("cafeteria", "far", kana=("サトウ", "ヒナ"))
TWIN_LIKE = record("clinic", "two", kana=("サトウ", "ヒナ"), **HOME)
OF_REN = record("clinic", "ren", kana=("スズキ", "レン"), sex="1", phone="0725000000")


@pytest.fixture(scope="module")
def linkage() -> Linkage:
    found: Linkage = load(BASE)["linkage"]
    return found


@pytest.fixture(scope="module")
def rules() -> ReviewRules:
    return load_rules(BASE)


def review_pair(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> pa.Table:
    rows = [
        {"source": r["source"], "record_id": r["record_id"], "resident_id": p["record_id"], "reason": "look_given"}
        for r, p in pairs
    ]
    types = dict.fromkeys(("source", "record_id", "resident_id", "reason"), pa.string())
    return pa.Table.from_pylist(rows, schema=pa.schema(list(types.items())))


def links(records: list[dict[str, Any]], auto: dict[str, dict[str, Any]]) -> pa.Table:
    """Everybody is their own person, but for records the machine has joined to a resident."""
    rows = []
    for r in records:
        to = auto.get(r["record_id"])
        told = {"rule": "name_birth", "state": "auto"} if to else {"rule": "single", "state": "single"}
        if r["source"] == REGISTER:
            told = {"rule": "register", "state": "auto"}
        person = f"p-{(to or r)['record_id']}"
        rows.append({"person_id": person, "source": r["source"], "record_id": r["record_id"], "weight": None, **told})
    return pa.Table.from_pylist(rows, schema=arrow_schema(LINK))


def laid_out(linkage: Linkage, rules: ReviewRules, pairs: pa.Table, records: list[dict[str, Any]], **more: Any) -> list[Any]:
    people = [*CITY, HINA, YUINA, REN]
    everybody = table(*people, *records)
    by_source = {s: table(*(r for r in [*people, *records] if r["source"] == s)) for s in {r["source"] for r in records}}
    sealed = [{"person_id": f"p-{p['record_id']}", "reason": "own", "sealed_from": NIGHT} for p in more.get("sealed", [])]
    member = {
        "relation": "子",
        "valid_from": NIGHT,
        "known_from": NIGHT,
        "source": REGISTER,
        "delivery_id": "d",
        "record_id": "r",
    }
    homes = [member | {"household_id": "h", "person_id": f"p-{p['record_id']}"} for p in more.get("household", [])]
    asked = Asked(
        tables={
            "link": links([*people, *records], more.get("auto", {})),
            "review_pair": pairs,
            "decided": empty(PAIR),
            "seal": pa.Table.from_pylist(sealed, schema=arrow_schema(SEAL)),
            "household_member": pa.Table.from_pylist(homes, schema=arrow_schema(HOUSEHOLD_MEMBER)),
            "register_record": table(*people),
            "person": empty(PERSON),
            "residence": empty(RESIDENCE),
        },
        class_years=empty(CLASS_YEAR),
        writings=lambda s: by_source.get(s, table(*people)),
        sources=[REGISTER, *sorted(by_source)],
        evidence_sources=more.get("evidence", ()),
        careful_sources=more.get("careful", ()),
    )
    assert everybody.num_rows == len(people) + len(records)
    made = prepare(asked, linkage, rules, KEYS, more.get("day", NIGHT))
    cases: list[Any] = made["review_case"].to_pylist()
    assert made["review_side"].num_rows == 2 * len(cases)
    places = [(r["person_id"], r["pair_id"], r["side"]) for r in made["review_side"].to_pylist()]
    assert places == sorted(set(places)), "every row has its own place, the same at every run"
    return cases


def queue(cases: list[Any]) -> list[str]:
    return [c["record_id"] for c in sorted((c for c in cases if c["place"]), key=lambda c: c["place"])]


def test_the_order_is_the_citys(linkage: Linkage, rules: ReviewRules) -> None:
    pairs = review_pair((UNRELATED, HINA), (TWIN_LIKE, YUINA), (OF_REN, REN))
    records = [UNRELATED, TWIN_LIKE, OF_REN]
    more = {"sealed": [REN], "evidence": {"cafeteria"}}
    assert queue(laid_out(linkage, rules, pairs, records, **more)) == ["ren", "far", "two"]
    turned = rules.model_copy(update={"order": tuple(reversed(rules.order))})
    assert queue(laid_out(linkage, turned, pairs, records, **more))[0] == "two"


def test_twins_come_first_and_candidates_of_one_record_stay_together(linkage: Linkage, rules: ReviewRules) -> None:
    pairs = review_pair((OF_REN, REN), (TWIN_LIKE, HINA), (TWIN_LIKE, YUINA), (UNRELATED, HINA))
    cases = laid_out(linkage, rules, pairs, [UNRELATED, TWIN_LIKE, OF_REN], sealed=[REN], household=[HINA, YUINA])
    assert queue(cases)[-1] == "ren"
    places = [c["place"] for c in cases if c["record_id"] == "two"]
    assert max(places) - min(places) == 1
    assert all("look_alike" in c["harms"].split() for c in cases if c["record_id"] in ("two", "far"))


def test_a_reviewer_is_shown_the_machines_own_evidence(linkage: Linkage, rules: ReviewRules) -> None:
    found = match_records(table(*CITY, HINA, YUINA, REN, OF_REN, TWIN_LIKE), linkage).review
    weighed = [r for r in found.to_pylist() if r["evidence"]]
    assert weighed
    cases = laid_out(linkage, rules, found, [OF_REN, TWIN_LIKE])
    shown = {(c["record_id"], c["resident_id"]): c["evidence"] for c in cases}
    assert {(r["record_id"], r["resident_id"]): r["evidence"] for r in weighed}.items() <= shown.items()


def test_below_the_floor_nobody_is_asked(linkage: Linkage, rules: ReviewRules) -> None:
    pairs = review_pair((UNRELATED, HINA), (TWIN_LIKE, HINA))
    cases = laid_out(linkage, rules, pairs, [UNRELATED, TWIN_LIKE])
    weak, strong = sorted(c["strength"] for c in cases)
    higher = rules.model_copy(update={"least_strength": (weak + strong) / 2})
    states = {c["strength"]: (c["state"], c["place"]) for c in laid_out(linkage, higher, pairs, [UNRELATED, TWIN_LIKE])}
    assert states == {weak: ("below", None), strong: ("waiting", 1)}


def test_lots_can_be_drawn_again_from_the_seed_and_leave_out_what_the_city_leaves_out(
    linkage: Linkage, rules: ReviewRules
) -> None:
    people = {r["record_id"]: r for r in CITY[:40]}
    records = [record("clinic", f"a{no}", kana=("カ", "タ")) for no in people]
    auto = {f"a{no}": r for no, r in people.items()}
    one = rules.check.model_copy(update={"monthly": 2})
    cases = laid_out(linkage, rules.model_copy(update={"check": one}), review_pair(), records, auto=auto)
    seed = month_seed(KEYS, NIGHT)
    expected = sorted(hashlib.md5(f"{seed}|clinic|{a}".encode()).hexdigest() for a in auto)
    assert sorted(c["lot"] for c in cases) == expected[:8]  # four times the sample, for records that go before they are judged
    assert {c["eligible"] for c in cases} == {40}
    assert month_seed(KEYS, NIGHT) != month_seed(KEYS, NIGHT + dt.timedelta(days=31))
    none = rules.check.model_copy(update={"left_out_rules": ("name_birth",)})
    assert laid_out(linkage, rules.model_copy(update={"check": none}), review_pair(), records, auto=auto) == []


def test_order_of_records_does_not_matter(linkage: Linkage, rules: ReviewRules) -> None:
    pairs = [(OF_REN, REN), (TWIN_LIKE, HINA), (TWIN_LIKE, YUINA), (UNRELATED, HINA)]
    records = [UNRELATED, TWIN_LIKE, OF_REN]
    one = laid_out(linkage, rules, review_pair(*pairs), records)
    assert laid_out(linkage, rules, review_pair(*reversed(pairs)), records[::-1]) == one


def test_an_order_that_forgets_a_condition_is_refused(tmp_path: Any) -> None:
    text = (BASE / "review.yaml").read_text(encoding="utf-8")
    (tmp_path / "review.yaml").write_text(text.replace("条件: 支援措置の世帯", "条件: そのほか"), encoding="utf-8")
    with pytest.raises(DefinitionError, match="一度ずつ"):
        load_rules(tmp_path)
