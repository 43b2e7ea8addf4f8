"""Filters that print one cell: masked, blank, dated."""

import datetime as dt
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from kizuki.app.explanation import date_text
from kizuki.app.release import MASKED

register = template.Library()


@register.filter
def cell(value: Any, blank: str = "") -> Any:
    """The value; 「非表示」 where it may not be seen; `blank` where there is none."""
    if value is MASKED:
        return format_html('<span class="masked">{}</span>', str(MASKED))
    return blank if value is None or value == "" else value


@register.filter
def day(value: dt.date | None) -> str:
    """2026/11/20(金)."""
    return date_text(value, weekday=True)


@register.filter
def short_day(value: dt.date | None) -> str:
    """11/20(金): the year is left out where only the coming weeks are shown."""
    return date_text(value, weekday=True).partition("/")[2] if value else ""


@register.filter
def rendered(html: str) -> SafeString:
    """HTML made by our own Markdown renderer (raw HTML in the source is escaped there)."""
    return mark_safe(html)
