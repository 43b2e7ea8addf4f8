"""窓口の手引き: one page per programme made from the catalogue — what it is, for whom, 想定問答, 断り方, what to confirm.

Made afresh from the definitions in force, so that the desk never answers from a page older than the rules.
"""

import datetime as dt
from collections.abc import Iterator

from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme

_GUIDANCE = {
    "notice": "お知らせの対象になる制度です。",
    "information": "案内だけをする制度です。この制度のお知らせを、こちらから送ることはありません。",
    "consultation": "相談の案内だけをする制度です。該当するとは、こちらから言いません。",
}


def pages(definitions: Definitions, day: dt.date) -> dict[str, str]:
    """Slug → Markdown of every programme's page."""
    return {f"guide/{p}": "\n".join(_page(found.on(day), day)) + "\n" for p, found in definitions.programmes.items()}


def _page(programme: Programme, day: dt.date) -> Iterator[str]:
    text = programme.text
    yield from (f"# {programme.name}の窓口の手引き", "")
    yield from (_GUIDANCE[text.guidance], "", "## どんな制度か", "")
    yield from (f"- 所管課：{text.owner}", f"- 問合せ先：{text.contact}", f"- 位置づけ：{text.standing}")
    unit = "こどもごと" if programme.of_child else "世帯ごと"
    ends = f"〜{text.validity.end:%Y/%m/%d}" if text.validity.end else "〜"
    yield from (f"- 判断の単位：{unit}", f"- この内容の有効期間：{text.validity.start:%Y/%m/%d}{ends}", "")
    if not programme.in_force(day):
        yield from ("**いまは有効期間の外です。この手引きで答えないでください。**", "")
    expired = programme.amount_expired(day)
    if expired:
        yield from (f"**{'・'.join(expired)}は、今年度の値が入っていません。額を答えないでください。**", "")
    yield from ("## だれが使えるか", "", "| 条件 | 内容 | 根拠 |", "|---|---|---|")
    for rule in text.rules:
        yield f"| {rule.name} | {rule.explanation or rule.name} | {rule.ground} |"
    yield ""
    yield from _questions(programme)
    yield from _refusing(programme)


def _questions(programme: Programme) -> Iterator[str]:
    text = programme.text
    yield from ("## 想定問答", "")
    yield from ("### 「お知らせが来たが、必ずもらえるのか」", "")
    yield from (f"お知らせは、使える可能性があるという案内です。使えるかどうかは、申請のあとに{text.owner}が決めます。", "")
    yield from ("### 「なぜ、うちに来たのか」", "")
    yield "お知らせに同意された方について、市の記録から条件に当てはまる可能性を調べました。"
    yield from ("理由の細かい内容は、本人を確かめてから、所管課が説明します。", "")
    yield from ("### 「どうすれば使えるのか」", "", f"{text.contact}で申請を受け付けます。次のことを確かめて進めます。", "")
    for ask in (*dict.fromkeys(r.ask for r in text.rules if r.ask), *text.to_confirm):
        yield f"- {ask}"
    yield from ("", "### 「対象でないと言われた。なぜか」", "")
    for rule in text.rules:
        yield f"- {rule.name}：{rule.ground}で決まっています。記録が事実と違うときは、訂正を受け付けます。"
    yield from (
        "",
        "### 「もうお知らせはいらない」",
        "",
        "その場で撤回を受け付けます。理由は聞きません。次の送信から届きません。",
        "",
    )


def _refusing(programme: Programme) -> Iterator[str]:
    yield from ("## 断り方・言ってはいけないこと", "")
    yield "- 「必ず受けられます」「対象外です」と窓口で決めつけない。決めるのは申請のあとです。"
    yield "- 電話では、世帯の所得・手当・家族のことを答えない。本人を確かめてから、対面か折り返しで説明する。"
    yield "- 家族・親族・元の配偶者からの問合せには、お知らせを送ったかどうかも答えない。"
    yield "- 支援措置の有無、住所、こどもの学校を、だれにも答えない。"
    yield "- 判定の順番や、ほかの困りごとの記録は、この窓口では見えないし、推測で話さない。"
    if programme.consultation_only:
        yield "- この制度は、受けるよう勧めたり、受けられないと断ったりせず、相談の場所と時間だけを案内する。"
    else:
        yield "- 断られた方には、ほかに使える制度の窓口を一つは案内する。"
    yield ""
