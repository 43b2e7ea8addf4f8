"""The menu: read at a glance whatever a role may do, and the page one is on is always named in it."""

from typing import Any

import pytest

from kizuki.web.views.chrome import AT_A_GLANCE, _menus


def _entries(count: int, current: int = -1) -> list[dict[str, Any]]:
    return [{"title": f"画面{n}", "href": f"/{n}/", "current": n == current} for n in range(count)]


@pytest.mark.parametrize("count", range(AT_A_GLANCE + 2))
def test_a_short_menu_stands_whole(count: int) -> None:
    found = _menus(_entries(count))
    assert len(found["menu"]) == count
    assert not found["more"]


@pytest.mark.parametrize("count", [AT_A_GLANCE + 2, AT_A_GLANCE + 9])
def test_a_long_menu_folds_what_is_beyond_and_loses_nothing(count: int) -> None:
    found = _menus(_entries(count, current=count - 1))
    assert len(found["menu"]) == AT_A_GLANCE
    assert found["menu"] + found["more"] == _entries(count, current=count - 1)
    assert found["more_current"] == f"画面{count - 1}"
