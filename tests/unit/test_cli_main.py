"""The command line: help at once, every error a sentence and an exit code, and never a person's value."""

import subprocess
import sys
from typing import NoReturn

import pytest

from kizuki.cli.main import VERBS, call, main
from kizuki.terms.errors import DefinitionError, InputRefused, NotPermitted, RunFailed, UsageError


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError, 2), (DefinitionError, 3), (InputRefused, 4), (RunFailed, 5), (NotPermitted, 6)]
)
def test_each_kind_of_error_has_its_exit_code(error: type[Exception], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def verb() -> NoReturn:
        raise error("Kxxx", "起きたこと", "場所", "対応")  # type: ignore[call-arg]

    assert call(verb) == code
    assert "起きたこと" in capsys.readouterr().err


def test_an_unforeseen_fault_tells_where_but_not_what_it_held(capsys: pytest.CaptureFixture[str]) -> None:
    def verb() -> NoReturn:
        raise ValueError("山田花子")

    assert call(verb) == 5
    told = capsys.readouterr()
    assert "K404" in told.err
    assert "ValueError" in told.err
    assert "山田花子" not in told.err + told.out


def test_an_unknown_verb_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["no-such-verb"])
    assert left.value.code == 2
    assert "no-such-verb" in capsys.readouterr().err


def test_a_day_that_is_none_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["run", "--as-of", "11月20日"])
    assert left.value.code == 2
    assert "K403" in capsys.readouterr().err


def test_help_names_every_verb_without_importing_the_engine() -> None:
    code = (
        "import sys\nfrom kizuki.cli.main import main\nsys.argv = ['kizuki', '--help']\n"
        "try:\n    main()\nfinally:\n    assert not {'duckdb', 'pyarrow', 'django'} & set(sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert [verb for verb in VERBS if verb not in told.stdout] == []


def test_every_verb_has_its_module() -> None:
    import importlib

    assert [v for v, (module, _) in VERBS.items() if not hasattr(importlib.import_module(module), "app")] == []
