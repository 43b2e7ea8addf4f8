"""Every column of every table is classified, described, and says what its blank means (style rule 8, G9)."""

import pytest

from kizuki.terms.records import PERSON_RECORD
from kizuki.terms.tables import ALL_TABLES, Klass, TableSchema

PORTABLE_TYPES = {"string", "int", "double", "bool", "date"}
TABLES = [*ALL_TABLES.values(), PERSON_RECORD]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_column_is_classified_and_described(table: TableSchema) -> None:
    for column in table.columns:
        assert isinstance(column.klass, Klass)
        assert column.type in PORTABLE_TYPES
        assert column.title
        assert not column.nullable or column.blank, f"{table.name}.{column.name}: 空欄の意味がない"


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_column_names_are_unique_and_rows_are_described(table: TableSchema) -> None:
    names = table.column_names()
    assert len(names) == len(set(names))
    assert table.row.startswith("one ")


def test_columns_of_the_same_name_have_the_same_class_unless_the_source_decides() -> None:
    classes: dict[str, set[Klass]] = {}
    for table in ALL_TABLES.values():
        for column in table.columns:
            classes.setdefault(column.name, set()).add(column.klass)
    identity = {n: c for n, c in classes.items() if n in {"name", "kana", "birth_date", "person_no", "address", "postcode"}}
    assert all(len(c) == 1 for c in identity.values()), identity
