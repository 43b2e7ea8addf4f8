"""A programme's form and its YAML are one content; findings stand beside their field."""

from pathlib import Path

import pytest

from kizuki.app import programme_editing
from kizuki.app import programme_form as forms
from kizuki.app.criteria_editing_form import DRAFT_PATH
from kizuki.definitions.programmes import Programme, understood
from kizuki.definitions.yaml import read_text

ROOT = Path(__file__).parents[2] / "definitions"
FILES = sorted(ROOT.glob("base/programmes/*.yaml"))


def read(text: str) -> Programme:
    return understood(read_text(text, DRAFT_PATH))


def posted(form: forms.ProgrammeForm) -> dict[str, str]:
    """What a browser sends of a form: with its own line ends."""
    found = dict(form.head)
    for of, rows in form.rows():
        found |= {f"{of}-{r.number}-{name}": value for r in rows for name, value in r.fields.items()}
    return {name: value.replace("\n", "\r\n") for name, value in found.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_shipped_programme_survives_the_form_and_a_browser(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    form = forms.form_of(text)
    assert read(forms.yaml_of(form)) == read(text)
    again = forms.form_from(posted(form), forms.kept_of(text))
    assert read(forms.yaml_of(again)) == read(text)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_copy_for_a_draft_says_the_same_without_signatures(path: Path) -> None:
    base = read(path.read_text(encoding="utf-8"))
    assert read(programme_editing.copy_of(base)).text == base.text
