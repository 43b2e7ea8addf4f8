"""What the house-style tests read: the tree of every source module, parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "kizuki"


@cache
def modules() -> dict[Path, ast.Module]:
    """Every hand-written Python module of the product (migrations are generated)."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "migrations" not in path.parts and "_shipped" not in path.parts
    }


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method with its file."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def where(path: Path, node: ast.AST) -> str:
    """`src/kizuki/x.py:12`, for a failure message one can click."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
