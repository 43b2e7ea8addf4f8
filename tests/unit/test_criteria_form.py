"""The form and the YAML are one content; findings stand beside their field; a difference is told in words."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kizuki.app import criteria_editing_form as forms
from kizuki.app.criteria_editing_checks import check
from kizuki.app.criteria_editing_diff import ADDED, CHANGED, GONE, differences
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.yaml import read_text
from kizuki.terms.errors import DefinitionError

ROOT = Path(__file__).parents[2] / "definitions"
FILES = sorted([*ROOT.glob("base/criteria/*.yaml"), *ROOT.glob("profiles/*/criteria/overall.yaml")])
ABSENCE = (ROOT / "base" / "criteria" / "absence.yaml").read_text(encoding="utf-8").replace('"2026.1"', '"2027.1"')


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(ROOT / "base")


def plain(text: str) -> object:
    return read_text(text, forms.DRAFT_PATH).plain()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_shipped_set_survives_the_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert plain(forms.yaml_of(forms.form_of(text))) == plain(text)


def posted(form: forms.Form) -> dict[str, str]:
    found = dict(form.head)
    for of, rows in (("entry", form.entries), ("example", form.examples)):
        found |= {f"{of}-{r.number}-{name}": value for r in rows for name, value in r.fields.items()}
    return found


def test_what_a_browser_posts_is_the_same_content_and_empty_or_struck_rows_are_left_out() -> None:
    form = forms.form_of(ABSENCE)
    data = posted(form) | {"entry-8-name": "", "entry-8-condition": " ", "example-8-expected": "該当", "entry-1-remove": "1"}
    made = plain(forms.yaml_of(forms.form_from(data, form.signed)))
    wanted = plain(ABSENCE)
    assert isinstance(made, dict) and isinstance(wanted, dict)
    assert [e["ID"] for e in made["項目"]] == [e["ID"] for e in wanted["項目"] if e["ID"] != "increased"]
    assert made["例"] == wanted["例"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@example("x", "0\x850", "")
@given(texts, texts, texts)
def test_no_text_typed_into_a_field_breaks_the_file_or_leaks_into_another(name: str, condition: str, situation: str) -> None:
    data = posted(forms.form_of(ABSENCE)) | {"name": name, "entry-0-condition": condition, "example-0-situation": situation}
    try:
        made = plain(forms.yaml_of(forms.form_from(data, {})))
    except DefinitionError as e:  # a character YAML does not know is refused as such, never half read
        assert e.code == "K801"
        return
    assert isinstance(made, dict)
    kept = [text.replace("\x85", " ").replace("\u2028", " ").replace("\u2029", " ").strip() for text in (name, condition)]
    assert [made["名称"], made["項目"][0]["条件"]] == kept
    assert made["項目"][1:] == plain(ABSENCE)["項目"][1:]  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new", "field", "code"),
    [
        ("≥ 5日", "≥ 5円", "entry-1-condition", "K514"),
        ("≥ 6回", "≥", "entry-2-condition", "K515"),
        ("直近3か月の保健室利用 ≥ 5回", "国籍 ＝ 1", "entry-3-condition", "K502"),
        ("点: 3\n", "点: 三\n", "entry-1-points", "K804"),
        ("{直近3か月の欠席日数}", "{知らない項目}", "entry-0-explanation", "K503"),
        ("閾値: 7", "閾値: 0", "threshold", "K804"),
        ("閾値: 7", "閾値: 6", "example-4-expected", "K504"),
        ('版: "2027.1"', '版: "2026.1"', "version", "K507"),
        ('版: "2027.1"', '版: "../x"', "version", "K581"),
    ],
)
def test_a_finding_of_the_loader_stands_beside_its_field(
    definitions: Definitions, old: str, new: str, field: str, code: str
) -> None:
    assert old in ABSENCE
    text = forms.yaml_of(forms.form_of(ABSENCE.replace(old, new, 1)))
    found = check(text, definitions, "2026.1")
    assert not found.sound
    assert (field, code) in {(f.field, f.code) for f in found.findings}
    assert field in found.by_field()


def test_the_id_and_title_of_another_set_are_not_free(definitions: Definitions) -> None:
    assert [f.field for f in check(ABSENCE, definitions).findings] == ["id"]
    renamed = ABSENCE.replace("ID: absence\n", "ID: absence_two\n")
    assert [f.field for f in check(renamed, definitions).findings] == ["name"]
    assert check(renamed.replace("名称: 不登校\n", "名称: 休み始め\n"), definitions).sound


@pytest.mark.parametrize("text", ["", "ID: [", "[]", "x", "ID: a\nID: b", "項目: {a: b}", "ID: &a x\n名称: *a", "（" * 50_000])
def test_whatever_is_typed_as_yaml_is_refused_in_japanese(definitions: Definitions, text: str) -> None:
    found = check(text, definitions)
    assert found.criteria is None and found.findings
    assert all(f.what and f.fix and f.code.startswith("K") for f in found.findings)


def test_deep_brackets_are_refused_not_a_crash(definitions: Definitions) -> None:
    deep = "（" * 9_000 + "就学援助" + "）" * 9_000
    found = check(ABSENCE.replace("直近3か月の欠席日数 ≥ 10日", deep, 1), definitions, "2026.1")
    assert [f.code for f in found.findings] == ["K581"]


def test_signatures_are_set_line_by_line_and_the_rest_stays_as_written() -> None:
    made = forms.with_lines(ABSENCE, {"終了日": "2027-04-01", "承認者": "市長: 代理 # 1"})
    kept = [line for line in made.splitlines() if not line.startswith(("終了日", "承認者"))]
    assert kept == [line for line in ABSENCE.splitlines() if not line.startswith("承認者")]
    told = plain(made)
    assert isinstance(told, dict) and (told["終了日"], told["承認者"]) == ("2027-04-01", "市長: 代理 # 1")
    with pytest.raises(DefinitionError):
        forms.with_lines("{ID: a, 版: b, 承認者: c}", {"承認者": "d"})


def test_differences_are_told_in_words(definitions: Definitions) -> None:
    old = definitions.criteria["absence"]
    text = ABSENCE.replace("閾値: 7", "閾値: 8").replace("≥ 10日", "≥ 12日").replace("ID: bullying", "ID: bullied")
    new = check(text, definitions, "2026.1").criteria
    assert new is not None
    told = {d.about: (d.how, d.before, d.after) for d in differences(old, new)}
    assert told["閾値"] == (CHANGED, "7点", "8点")
    assert told["項目「欠席」の条件"][1:] == ("直近3か月の欠席日数 ≥ 10日", "直近3か月の欠席日数 ≥ 12日")
    assert {d.how for d in differences(old, new) if d.about == "項目「いじめの認知」"} == {ADDED, GONE}
    assert differences(old, old) == ()
    assert {d.how for d in differences(None, new)} == {ADDED}


def test_an_example_with_a_new_name_is_one_row_that_tells_both(definitions: Definitions) -> None:
    old = definitions.criteria["absence"]
    name, other = (e.name for e in old.text.examples[:2])
    renamed = check(ABSENCE.replace(f"名称: {name}", f"名称: {name}（学んだ配点での答え）"), definitions, "2026.1").criteria
    assert renamed is not None
    (told,) = differences(old, renamed)
    assert (told.about, told.how) == (f"例「{name}（学んだ配点での答え）」", CHANGED)
    assert told.before.startswith(f"「{name}」") and told.before.endswith(told.after)
    assert other not in told.before + told.after


def test_what_the_form_does_not_show_stays_as_it_was_when_the_form_is_saved() -> None:
    carried = forms.unshown(ABSENCE)
    assert "検証の記録" in carried and not set(forms.SIGNED) & set(carried)
    saved = plain(forms.yaml_of(forms.form_from(posted(forms.form_of(ABSENCE)), carried)))
    assert isinstance(saved, dict) and saved["検証の記録"] == carried["検証の記録"]
    assert forms.unshown("ID: [") == {}
