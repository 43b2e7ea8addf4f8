"""Committed files carry no registry host, no machine path and no address of an index."""

import re
import subprocess

from tests.repo.source_tree import ROOT

FORBIDDEN = re.compile(
    r"--(extra-)?index-url|py" + r"pi\.org|pythonhosted\.org|registry\.npm" + r"js|/opt/(pypi|wheels)"
    r"|/ro" + r"ot/|/wo" + r"rk/|deb\.debian\.org"
)


def test_no_registry_host_or_machine_path_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:  # a source archive without git: walk it instead
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file() and ".venv" not in p.parts]
    else:
        names = [n for n in listed.stdout.decode().split("\0") if n]
    found = []
    for name in names:
        path = ROOT / name
        if not path.is_file() or path.suffix in {".png", ".gz", ".woff2", ".parquet", ".pdf"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {m.group()}" for m in FORBIDDEN.finditer(text)]
    assert found == []
