"""Places in a drawing."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def px(value: float) -> SafeString:
    """A length or place to a tenth of a pixel, without the language's separators; a drawing prints hundreds of them."""
    return mark_safe(f"{float(value):.1f}")
