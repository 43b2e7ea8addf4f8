"""Inputs no criterion may use, whatever it is called, with the reason staff are told.

Why by word: a title is all a condition can name, and an item that hides what it is behind another title still has to say
where its records come from (`items` refuses the seal of 支援措置 as an origin of judged items). Source: field lessons in which
nationality, language and caseworkers' notes were inputs of a model later suspended; Act on the Protection of Personal
Information (要配慮個人情報).
"""

from typing import Final, NamedTuple

_REASONS: Final = (
    (
        ("国籍", "住民種別", "外国人", "外国籍", "在留", "人種", "民族", "母語", "出身地"),
        "国籍や出自でこどもを選ぶことになるためです。監査（公平性の点検）にだけ使います。",
    ),
    (("宗教", "信条", "信仰", "思想", "政党"), "信条は、誰の判定にも使いません。"),
    (
        ("自由記述", "自由記載", "気づき", "備考", "所見", "メモ"),
        "書いた人の受け止めによって変わる文章は、判定に使いません。人が読むためのものです。",
    ),
    (("性別", "性的指向"), "本人が選べない属性です。公平性の点検にだけ使います。"),
    (("支援措置", "加害者"), "支援措置は、守るための印です。判定に使うと、守られている世帯が分かってしまいます。"),
)


class Banned(NamedTuple):
    """A word that names a banned input, and why it is banned."""

    word: str
    reason: str


def banned_input(text: str) -> Banned | None:
    """The first banned word in a condition, title or explanation; None if there is none."""
    return next((Banned(word, reason) for words, reason in _REASONS for word in words if word in text), None)
