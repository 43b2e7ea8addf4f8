"""Who is asking: the one object every rule and every audit event is about."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """One signed-in member of staff in one session, with the purpose they chose (利用目的).

    `role` and `purpose` are ids of definitions/base/governance; `session` is a keyed token, never the session key itself.
    """

    user_id: int
    login: str
    name: str
    role: str
    purpose: str
    session: str
