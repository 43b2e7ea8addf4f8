"""The layers of .importlinter hold, and the contract is exhaustive (a `utils` folder would fail)."""

import subprocess
import sys

from tests.repo.source_tree import ROOT


def test_import_linter_keeps_every_contract() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_contract_is_exhaustive() -> None:
    assert "exhaustive = true" in (ROOT / ".importlinter").read_text(encoding="utf-8")
