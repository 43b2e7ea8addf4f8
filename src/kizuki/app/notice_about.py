"""What a notice is about, as the relay may know it: a keyed token of one subject for one recipient (D11).

The relay compares it and nothing else; two recipients never share one, so it ties nobody to anybody.
"""

from typing import Final

from kizuki.engine.keys import KeyRing
from kizuki.records.notice_models import Notice

_PURPOSE: Final = "relay-notice-about"


def about(keys: KeyRing, one: Notice) -> str:
    """The token of programme, household and child for this recipient: the same for every notice about the same."""
    return keys.token(_PURPOSE, one.recipient.recipient_no, one.programme, one.household_id, one.child_id)
