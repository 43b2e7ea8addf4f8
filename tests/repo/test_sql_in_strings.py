"""House style, rule 2: SQL lives in .sql files or sqlglot trees, never inside a Python string."""

import ast
import re

from tests.repo.source_tree import PACKAGE, modules, where

STATEMENT = re.compile(
    r"\b(select\s.+\sfrom|insert\s+into|update\s+\S+\s+set|delete\s+from|create\s+(table|view|trigger|or\s+replace))\b",
    re.I | re.S,
)


def _docstrings(tree: ast.Module) -> set[int]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, holders) and n.body and isinstance(n.body[0], ast.Expr)
    }


def test_no_sql_inside_python_strings() -> None:
    found = []
    for path, tree in modules().items():
        skip = _docstrings(tree)
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in skip else None
            if isinstance(text, str) and STATEMENT.search(text):
                found.append(where(path, node))
    assert found == []


def test_the_pattern_would_notice() -> None:
    assert STATEMENT.search("SELECT a FROM t")
    assert STATEMENT.search("delete from t where x")
    assert not STATEMENT.search("select the rows you want")


def test_each_sql_file_says_what_one_row_is() -> None:
    silent = [p.name for p in PACKAGE.rglob("*.sql") if not p.read_text(encoding="utf-8").lstrip().startswith("--")]
    assert silent == []
