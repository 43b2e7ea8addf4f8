"""The city's rules of sending at the relay: taken in as lines, the newest holds, asked for at every notice."""

import datetime as dt

from kizuki.app.relay_home import Relay
from kizuki.push import lines
from kizuki.push.relay_rules import SAFE, RelayRules, from_line
from kizuki.records.relay.models import CityRules
from kizuki.terms.errors import InputRefused


def take_in(relay: Relay, line: lines.Rules, now: dt.datetime) -> None:
    """Keep one line; one that came before changes nothing, an older one never becomes the one in force.

    Raises InputRefused: K650 it cannot be read, or would allow the night; K660 the same number came with other rules.
    """
    try:
        from_line(line)
        since = dt.datetime.fromisoformat(line.since)
    except (ValueError, TypeError) as e:
        raise InputRefused(
            "K650", "中継との便に、読めない「送るきまり」があります。", fix="本体と中継を同じ版にして、書き出し直してください。"
        ) from e
    row, _ = CityRules.objects.get_or_create(
        number=line.number, defaults={"since": since, "applied_at": now, "line": lines.to_json(line)}
    )
    if row.line != lines.to_json(line):
        raise InputRefused(
            "K660", "同じ番号の「送るきまり」が、別の中身で届きました。", "中継との便", "本体で、書き出し直してください。"
        )


def newest() -> CityRules | None:
    """The row that holds; None until the core has told any."""
    return CityRules.objects.order_by("-number").first()


def in_force() -> RelayRules:
    """The rules to send by now: the newest told, or the safe ones."""
    row = newest()
    if row is None:
        return SAFE
    line = lines.from_json(row.line)
    assert isinstance(line, lines.Rules)
    return from_line(line)


def described(rules: RelayRules, today: dt.date) -> str:
    """The rules in one line for whoever runs the relay."""
    days = [] if rules.weekends else ["土日"]
    if rules.years is None:
        days.append("法律の祝日")
    elif rules.closed_days:
        days.append(f"市の決めた{len(rules.closed_days)}日（このあと{sum(d >= today for d in rules.closed_days)}日）")
    return (
        f"{rules.quiet_from:%H:%M}〜{rules.quiet_to:%H:%M}{''.join(f'・{d}' for d in days)}は送りません。"
        f"一人に月{rules.monthly_cap}通まで、同じことは{rules.cooldown_days}日空けます。"
    )


def standing(now: dt.datetime) -> str:
    """Which rules are in force and since when, in one line."""
    row, rules = newest(), in_force()
    said = described(rules, now.date())
    if row is None:
        return f"本体からまだ届いていないので、安全の側の決まりで送ります。{said}"
    since = row.since.astimezone(now.tzinfo)
    return f"本体の決まり {row.number}番（{since:%Y-%m-%d %H:%M} から）。{said}"


def year_known(today: dt.date) -> bool:
    """Whether anything can be sent this year at all (the year's holidays are entered)."""
    years = in_force().years
    return years is None or today.year in years
