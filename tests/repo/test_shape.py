"""House style, rule 1: small functions, small modules, few positional arguments, names that say a purpose."""

import ast

from tests.repo.source_tree import ROOT, functions, modules, where

HARD_FUNCTION_LINES = 60
HARD_MODULE_LINES = 600
TYPICAL_FUNCTION_LINES = 30
TYPICAL_SHARE = 0.90
MAX_POSITIONAL = 5
BANNED_NAMES = {"utils", "util", "misc", "helpers", "helper", "common", "manager", "managers"}


def _length(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1  # type: ignore[attr-defined]


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert [where(p, f) for p, f in functions() if _length(f) > HARD_FUNCTION_LINES] == []


def test_nine_functions_in_ten_fit_in_thirty_lines() -> None:
    lengths = [_length(f) for _, f in functions()]
    assert sum(n <= TYPICAL_FUNCTION_LINES for n in lengths) / len(lengths) >= TYPICAL_SHARE


def test_no_module_is_longer_than_six_hundred_lines() -> None:
    long = [p for p in modules() if len(p.read_text(encoding="utf-8").splitlines()) > HARD_MODULE_LINES]
    assert [str(p.relative_to(ROOT)) for p in long] == []


def test_more_than_five_arguments_are_keyword_only() -> None:
    def positional(f: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        names = [a.arg for a in (*f.args.posonlyargs, *f.args.args)]
        return len([n for n in names if n not in ("self", "cls")])

    # typer commands declare options as arguments; their callers are people, by name
    assert [where(p, f) for p, f in functions() if positional(f) > MAX_POSITIONAL and "cli" not in p.parts] == []


def test_no_module_is_named_by_absence_of_purpose() -> None:
    assert [str(p) for p in modules() if BANNED_NAMES & {p.stem, *p.relative_to(ROOT).parts}] == []


def test_every_module_and_public_function_says_what_it_is() -> None:
    bare = [where(p, t) for p, t in modules().items() if not ast.get_docstring(t)]
    bare += [
        where(p, f)
        for p, t in modules().items()
        for f in t.body
        if isinstance(f, ast.FunctionDef | ast.ClassDef) and not f.name.startswith("_") and not ast.get_docstring(f)
    ]
    assert bare == []


def test_nothing_is_left_undone_in_the_code() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    left = [f"{p.relative_to(ROOT)}: {m}" for p in modules() for m in marks if m in p.read_text(encoding="utf-8")]
    assert left == []
