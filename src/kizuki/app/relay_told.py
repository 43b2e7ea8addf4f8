"""What the relay was told, written down anew from what it says it has (after this side was put back from a copy)."""

import datetime as dt

from kizuki.app import city_rules_told, consents
from kizuki.push.resume import Stated
from kizuki.records.consent_models import RelayTold
from kizuki.records.notice_models import Recipient, RegistrationCode


def retell(state: Stated, now: dt.datetime) -> None:
    """Silences, codes and rules as the relay has them; texts are told again (the relay knows a text it has)."""
    people = set(Recipient.objects.values_list("recipient_no", flat=True))
    digests = set(RegistrationCode.objects.values_list("digest", flat=True))
    RelayTold.objects.all().delete()
    seq = state.last_applied
    rows = [
        RelayTold(kind=kind, key=key, state=how, seq=seq, at=now)
        for kind, key, how in (
            *consents.as_told((r.recipient_no, r.silenced) for r in state.recipients if r.recipient_no in people),
            *consents.codes_as_told((c.digest, c.expires_at) for c in state.codes if c.digest in digests),
            *city_rules_told.as_told(state.in_force.rules_number),
        )
    ]
    RelayTold.objects.bulk_create(rows, batch_size=500)
