"""モデルの説明書: read by people who never saw an identifier, from a set's past and from any table."""

from pathlib import Path

import pytest

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from tests.learned_past import ITEMS, learned_result


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(learned_result(Path(tmp_path_factory.mktemp("past")))["sheet"])


@pytest.mark.parametrize("name", sorted(ITEMS.values()))
def test_items_have_their_titles_in_every_section(sheet: str, name: str) -> None:
    assert name not in sheet
    titles = {i.id: i.title for i in load_definitions(shipped_definitions()).items.values()} | {"staff_points": "現場の点"}
    assert titles[name] in sheet


def test_the_table_and_what_was_left_out_are_told_by_title(sheet: str) -> None:
    assert "| 過去1年の相談件数 |" in sheet and "| 現場の点 |" in sheet
    assert "除いた項目「同居の成人の要介護認定」" in sheet
