"""手引き: the manual in docs/*.md, rendered inside the program because the network has no internet.

Raw HTML in a page is shown as text, and links leave the manual only to other pages of it (or are printed as text).
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.utils import timezone
from markdown_it import MarkdownIt

from kizuki.app import staff_guide
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_pages import criteria_page, items_page
from kizuki.app.reference_pages import sources_page, tables_page

SECTIONS: Final = (
    ("tutorial", "はじめに"),
    ("howto", "手順"),
    ("messages", "知らせの符号"),
    ("guide", "窓口の手引き"),
    ("reference", "参照"),
    ("explanation", "解説"),
    ("adr", "決定の記録"),
)


@dataclass(frozen=True, slots=True)
class DocLink:
    """One page in the table of contents."""

    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class DocPage:
    """One rendered page; `html` holds only what the renderer made from Markdown."""

    slug: str
    title: str
    html: str

    @property
    def section(self) -> str:
        """The section of the table of contents it belongs to."""
        folder = posixpath.basename(posixpath.dirname(self.slug))
        return dict(SECTIONS).get(folder, folder)


def docs_folder() -> Path:
    """docs/ of a checkout, or the copy inside an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1] / "docs"
    return checkout if (checkout / "index.md").is_file() else package / "_shipped" / "docs"


def made_pages(home: Path) -> dict[str, str]:
    """Pages written from what is in force (tables, sources) and the glossary: slug to Markdown."""
    loaded = definitions_now(home)
    made = {"reference/tables": tables_page(), "reference/sources": sources_page(loaded)}
    made |= {"reference/criteria": criteria_page(loaded), "reference/items": items_page(loaded)}
    made |= staff_guide.pages(loaded, timezone.localdate())
    glossary = docs_folder().parent / "GLOSSARY.md"
    if glossary.is_file():
        made["reference/glossary"] = glossary.read_text(encoding="utf-8")
    return made


def contents(folder: Path | None = None, made: Mapping[str, str] | None = None) -> tuple[tuple[str, tuple[DocLink, ...]], ...]:
    """Sections with their pages, the entry page first."""
    links: dict[str, list[DocLink]] = {}
    root = folder or docs_folder()
    titles = dict(SECTIONS)
    order = list(dict.fromkeys(["", *titles.values()]))
    for path in sorted(root.rglob("*.md")):
        relative = path.relative_to(root)
        section = titles.get(relative.parent.name, relative.parent.name)
        links.setdefault(section, []).append(
            DocLink(relative.with_suffix("").as_posix(), _first_title(path.read_text(encoding="utf-8"), path.stem))
        )
    for slug, text in (made or {}).items():
        section = titles.get(posixpath.dirname(slug), "")
        links.setdefault(section, []).append(DocLink(slug, _first_title(text, slug)))
    names = sorted(links, key=lambda n: order.index(n) if n in order else len(order))
    return tuple((name, tuple(sorted(links[name], key=lambda d: d.slug != "index"))) for name in names)


def doc_page(slug: str, folder: Path | None = None, made: Mapping[str, str] | None = None) -> DocPage | None:
    """One page of the manual; None for anything that is not a page of it."""
    if made and slug in made:
        return render(made[slug], slug)
    root = (folder or docs_folder()).resolve()
    path = (root / f"{slug}.md").resolve()
    if not path.is_relative_to(root) or not path.is_file():
        return None
    return render(path.read_text(encoding="utf-8"), slug)


@lru_cache(maxsize=64)
def render(text: str, slug: str) -> DocPage:
    """Markdown as a page of the manual."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")
    tokens = reader.parse(text)
    _repair(tokens, slug)
    return DocPage(slug, _first_title(text, slug), reader.renderer.render(tokens, reader.options, {}))


def _repair(tokens: list[Any], slug: str) -> None:
    """Links to `other.md` become pages of the manual; column alignment (an inline style) is dropped for the strict CSP."""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            token.attrs.pop("style", None)
        if token.type == "th_open":
            token.attrs["scope"] = "col"
        if token.type in ("fence", "code_block"):
            token.attrs["tabindex"] = "0"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs["href"] = _target(str(child.attrs.get("href", "")), slug)


def _target(href: str, slug: str) -> str:
    if "://" in href or href.startswith(("#", "mailto:")):
        return href
    page, _, anchor = href.partition("#")
    if not page.endswith(".md"):
        return "/docs/"
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(slug), page[: -len(".md")]))
    return f"/docs/{joined}/" + (f"#{anchor}" if anchor else "")


def _first_title(text: str, otherwise: str) -> str:
    return next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), otherwise)
