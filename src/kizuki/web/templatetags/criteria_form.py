"""One field of the criteria form: label, hint, value, and the finding beside it."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag
def criteria_field(label: str, name: str, value: str | None, errors: Mapping[str, str], **how: Any) -> SafeString:
    """A labelled text input; `of` and `number` name the row, `hint` explains (once: `first`), `wide` takes half the width."""
    full = f"{how['of']}-{how['number']}-{name}" if "of" in how else name
    error, hint = errors.get(full, ""), how.get("hint", "") if how.get("first", True) else ""
    described = " ".join(f"{mark}-{full}" for mark, text in (("h", hint), ("e", error)) if text)
    return format_html(
        '<div class="field{}"{}><label for="f-{}">{}</label><input type="text" id="f-{}" name="{}" value="{}"{}{}'
        ' autocomplete="off">{}{}</div>',
        " wide" if how.get("wide") else "",
        mark_safe(" data-error") if error else "",
        full,
        label,
        full,
        full,
        value or "",
        format_html(' aria-describedby="{}"', described) if described else "",
        mark_safe(' aria-invalid="true"') if error else "",
        format_html('<span class="quiet" id="h-{}">{}</span>', full, hint) if hint else "",
        format_html('<span class="errortext" id="e-{}">{}</span>', full, error) if error else "",
    )


@register.filter
def at(errors: Mapping[str, str], number: int) -> str:
    """The finding about what an example expects."""
    return errors.get(f"example-{number}-expected", "")


@register.filter
def words(text: str) -> list[str]:
    """Words separated by blanks."""
    return text.split()
