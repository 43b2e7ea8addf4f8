"""Who in the core speaks to the relay, and who hears it: the one place where the exchange is put together."""

from kizuki.app import consents, enquiries, notice_outbox
from kizuki.app.exchange import Parts


def core_parts() -> Parts:
    """Withdrawals and codes are said before notices, so that nothing is sent to somebody who has just left."""
    return Parts(
        writers=(consents, notice_outbox),
        takers={
            "outcome": notice_outbox.take_in,
            "opened": notice_outbox.take_in,
            "answer": consents.take_in,
            "linked": consents.take_in,
            "asked": enquiries.take_in,
        },
    )
