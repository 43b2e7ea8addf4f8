"""The manual renders nothing it should not; the Excel file holds no formula."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kizuki.app.docs_pages import contents, doc_page, docs_folder, made_pages
from kizuki.app.list_filters import Filters
from kizuki.app.worklist_export import safe_text
from kizuki.app.worklist_order import search_key


def test_raw_html_scripts_and_styles_are_shown_as_text(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text(
        "# 題\n\n<script>x</script>\n\n| a |\n|:-:|\n| b |\n\n[次](howto/run.md#s)\n", encoding="utf-8"
    )
    page = doc_page("index", tmp_path)
    assert page is not None
    assert "<script" not in page.html and "style=" not in page.html
    assert 'href="/docs/howto/run/#s"' in page.html


def test_nothing_outside_the_manual_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# x", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    assert doc_page("../secret", tmp_path / "docs") is None
    assert doc_page("index", tmp_path / "docs") is None


def test_every_page_of_the_manual_renders_and_links_to_pages_that_exist(tmp_path: Path) -> None:
    made = made_pages(tmp_path)
    slugs = {link.slug for _, links in contents(made=made) for link in links}
    assert slugs
    broken = []
    for slug in slugs:
        page = doc_page(slug, made=made)
        assert page is not None
        targets = [part.split('"')[0].split("#")[0] for part in page.html.split('href="/docs/')[1:]]
        broken += [(slug, t) for t in targets if t.strip("/") and t.strip("/") not in slugs]
    assert broken == [], docs_folder()


@given(st.text(max_size=20))
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not safe_text(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_names_are_found_by_hiragana_katakana_and_width() -> None:
    assert search_key("さとう ひな") == search_key("サトウ　ヒナ") == search_key("ｻﾄｳ ﾋﾅ")


@given(st.dictionaries(st.sampled_from(["tab", "name", "criteria", "assignee", "order", "page"]), st.text(max_size=8)))
def test_any_query_string_opens_a_list_and_reads_back_the_same(given_query: dict[str, str]) -> None:
    from urllib.parse import parse_qsl

    filters = Filters.read(given_query)
    assert Filters.read(dict(parse_qsl(filters.query))) == filters
