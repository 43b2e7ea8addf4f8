"""Fields of the programme form that take several lines or one of a few words."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def area_field(label: str, name: str, value: str | None, errors: Mapping[str, str], **how: Any) -> SafeString:
    """A labelled text of several lines, with its hint and its finding; `of` and `number` name the row."""
    full, error, hint = _named(name, errors, how)
    return format_html(
        '<div class="field wide"{}><label for="f-{}">{}</label>'
        '<textarea id="f-{}" name="{}" rows="{}"{}>{}</textarea>{}{}</div>',
        mark_safe(" data-error") if error else "",
        full,
        label,
        full,
        full,
        how.get("rows", 2),
        _described(full, hint, error),
        value or "",
        _hint(full, hint),
        _error(full, error),
    )


@register.simple_tag
def choice_field(label: str, name: str, value: str | None, errors: Mapping[str, str], **how: Any) -> SafeString:
    """A labelled choice among `choices` (words separated by blanks); a value that is none of them is offered, too."""
    full, error, hint = _named(name, errors, how)
    offered: Iterable[str] = str(how["choices"]).split()
    offered = offered if not value or value in offered else (value, *offered)
    options = format_html_join(
        "", '<option value="{}"{}>{}</option>', ((c, mark_safe(" selected") if c == value else "", c) for c in offered)
    )
    blank = mark_safe('<option value="">—</option>') if how.get("blank") else ""
    return format_html(
        '<div class="field"{}><label for="f-{}">{}</label><select id="f-{}" name="{}"{}>{}{}</select>{}{}</div>',
        mark_safe(" data-error") if error else "",
        full,
        label,
        full,
        full,
        _described(full, hint, error),
        blank,
        options,
        _hint(full, hint),
        _error(full, error),
    )


def _named(name: str, errors: Mapping[str, str], how: Mapping[str, Any]) -> tuple[str, str, str]:
    full = f"{how['of']}-{how['number']}-{name}" if "of" in how else name
    return full, errors.get(full, ""), how.get("hint", "") if how.get("first", True) else ""


def _described(full: str, hint: str, error: str) -> SafeString:
    marks = " ".join(f"{mark}-{full}" for mark, text in (("h", hint), ("e", error)) if text)
    described = format_html(' aria-describedby="{}"', marks) if marks else mark_safe("")
    return format_html("{}{}", described, mark_safe(' aria-invalid="true"') if error else "")


def _hint(full: str, hint: str) -> SafeString:
    return format_html('<span class="quiet" id="h-{}">{}</span>', full, hint) if hint else mark_safe("")


def _error(full: str, error: str) -> SafeString:
    return format_html('<span class="errortext" id="e-{}">{}</span>', full, error) if error else mark_safe("")
