"""Text → nodes. Every refusal names the position and what to write instead; no condition is half understood."""

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from kizuki.definitions.expression.nodes import (
    And,
    AnyMember,
    Compare,
    Condition,
    Constant,
    CountHolding,
    CountMembers,
    EveryMember,
    Holds,
    Kind,
    Lookup,
    Not,
    Operand,
    Operator,
    Or,
    Ref,
    SumMembers,
    SumTerms,
    Term,
    Vocabulary,
)
from kizuki.terms.errors import DefinitionError

_SPELLINGS: dict[Operator, str] = {"=": "= ==", "≠": "≠ != <>", "<": "<", "≤": "<= ≤ ≦", ">": ">", "≥": ">= ≥ ≧"}
_OPERATORS = {spelling: operator for operator, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_TOKEN = re.compile(
    r"""(?P<space>[\s\u3000]+)
      | (?P<text>「[^」]*」|"[^"]*")
      | (?P<op>[<>!\uff1c\uff1e！][=＝]|[<\uff1c][>\uff1e]|={1,2}|[＝≠<\uff1c≤≦>\uff1e≥≧])
      | (?P<open>[(（])
      | (?P<close>[)）])
      | (?P<comma>[,，、](?!\d{3}(?!\d)))
      | (?P<word>(?:[^\s\u3000「」"=＝≠<\uff1c≤≦>\uff1e≥≧!！()（）,，、]|(?<=\d)[,，](?=\d{3}(?!\d)))+)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"(?P<digits>-?\d+(?:,\d{3})*(?:\.\d+)?)(?P<man>万)?(?P<unit>.*)")
_AGGREGATES = ("いずれか", "すべて", "合計", "人数", "該当数", "表")
_KEYWORDS = frozenset({"かつ", "または", "でない", "はい", "いいえ", *_AGGREGATES})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class _Number(Constant):
    """A number as written, with the unit still to be checked against the other side."""

    unit: str = ""


def parse(text: str, vocabulary: Vocabulary) -> Condition:
    """The condition `text` means; raises DefinitionError (K511 to K517) with the column of the first thing not understood."""
    parser = _Parser(text, vocabulary)
    node = parser.either(vocabulary.terms)
    parser.end()
    return node


def is_plain_title(title: str) -> bool:
    """Whether a title can be written in a condition as it is."""
    match = _TOKEN.fullmatch(title)
    return bool(match and match.lastgroup == "word") and title not in _KEYWORDS


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _refuse(
                "K511",
                f"「{text[at]}」を読めません。",
                at,
                "比較の記号・かっこ・項目名・「かつ」「または」だけを使ってください。",
            )
        if match.lastgroup != "space":
            tokens.append(_Token(match.lastgroup or "", match.group(), at))
        at = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _refuse(code: str, what: str, at: int, fix: str) -> NoReturn:
    raise DefinitionError(code, what, f"条件の{at + 1}文字目", fix)


class _Parser:
    """Recursive descent; `names` is the vocabulary in force (inside an aggregate, that of the members)."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._vocabulary = vocabulary
        self._inside_aggregate = False

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, kind: str, text: str | None = None) -> _Token | None:
        token = self._token
        if token.kind != kind or (text is not None and token.text != text):
            return None
        self._next += 1
        return token

    def _need(self, kind: str, what: str) -> _Token:
        token = self._take(kind)
        if token is None:
            _refuse("K515", f"{what}がありません。", self._token.at, "かっこと区切りの数を合わせてください。")
        return token

    def end(self) -> None:
        """Nothing may follow the condition."""
        if self._token.kind != "end":
            token = self._token
            _refuse(
                "K515",
                f"「{token.text}」の前で条件が終わっています。",
                token.at,
                "「かつ」「または」でつなぐか、かっこの数を合わせてください。",
            )

    def either(self, names: Mapping[str, Term]) -> Condition:
        """One chain of かつ or of または; mixing them needs brackets so that nobody has to know a precedence."""
        parts = [self._negatable(names)]
        joint = ""
        while (token := self._take("word", "かつ") or self._take("word", "または")) is not None:
            if joint and token.text != joint:
                _refuse("K516", "「かつ」と「または」が混ざっています。", token.at, "先に結ぶ方を（ ）で囲んでください。")
            joint = token.text
            parts.append(self._negatable(names))
        if not joint:
            return parts[0]
        return And(tuple(parts)) if joint == "かつ" else Or(tuple(parts))

    def _negatable(self, names: Mapping[str, Term]) -> Condition:
        node = self._primary(names)
        while self._take("word", "でない"):
            node = Not(node)
        return node

    def _primary(self, names: Mapping[str, Term]) -> Condition:
        if self._take("open"):
            node = self.either(names)
            self._need("close", "閉じかっこ")
            return node
        for word, of_members, of_list in (("いずれか", AnyMember, Or), ("すべて", EveryMember, And)):
            if self._take("word", word):
                if self._vocabulary.members:
                    return of_members(self._bracketed_members())
                return of_list(self._listed(names))
        return self._comparison(names)

    def _comparison(self, names: Mapping[str, Term]) -> Condition:
        at = self._token.at
        left = self._operand(names)
        operator = self._take("op")
        if operator is None:
            return self._bare(left, at)
        op = _OPERATORS[unicodedata.normalize("NFKC", operator.text)]
        truth = self._take("word", "はい") or self._take("word", "いいえ")
        if truth is not None:
            positive = (truth.text == "はい") == (op == "=")
            if op not in ("=", "≠"):
                _refuse("K513", "はい・いいえは大小を比べられません。", operator.at, "＝ か ≠ を使ってください。")
            return self._bare(left, at) if positive else Not(self._bare(left, at))
        right_at = self._token.at
        right = self._operand(names)
        self._check_types(left, op, right, right_at)
        return Compare(op, _plain(left), _plain(right))

    def _bare(self, left: Operand, at: int) -> Condition:
        if isinstance(left, Ref) and left.term.kind is Kind.TRUTH:
            return Holds(left.term)
        _refuse("K513", "これだけでは条件になりません。", at, "=・≠・<・≤・>・≥ で何かと比べてください。")

    def _operand(self, names: Mapping[str, Term]) -> Operand:
        text = self._take("text")
        if text is not None:
            return Constant(text.text[1:-1])
        word = self._need("word", "項目名か値")
        match word.text:
            case "合計":
                return self._sum() if self._vocabulary.members else self._sum_of_terms(names)
            case "該当数":
                return CountHolding(self._listed(names))
            case "人数":
                return CountMembers(self._bracketed_members())
            case "表":
                return self._lookup(names)
        if word.text in names:
            return Ref(names[word.text])
        number = _NUMBER.fullmatch(unicodedata.normalize("NFKC", word.text))
        if number is None:
            self._unknown_name(word, names)
        value = float(number["digits"].replace(",", "")) * (10_000 if number["man"] else 1)
        return _Number(value, number["unit"])

    def _unknown_name(self, word: _Token, names: Mapping[str, Term]) -> NoReturn:
        near = difflib.get_close_matches(word.text, names, n=3, cutoff=0.4)
        hint = f"近い項目名：{'、'.join(near)}" if near else "項目の一覧にある名称を書いてください。"
        _refuse("K512", f"「{word.text}」という項目はありません。", word.at, hint)

    def _members(self, at: int) -> Mapping[str, Term]:
        if not self._vocabulary.members or self._inside_aggregate:
            _refuse(
                "K517",
                "ここでは世帯員の集計を使えません。",
                at,
                "いずれか・すべて・合計・人数は、入れ子にせずに使ってください。",
            )
        return self._vocabulary.members

    def _bracketed_members(self) -> Condition:
        names = self._members(self._token.at)
        self._need("open", "開きかっこ")
        self._inside_aggregate = True
        node = self.either(names)
        self._inside_aggregate = False
        self._need("close", "閉じかっこ")
        return node

    def _listed(self, names: Mapping[str, Term]) -> tuple[Condition, ...]:
        """（条件、条件、…）."""
        at = self._token.at
        self._need("open", "開きかっこ")
        found = [self.either(names)]
        while self._take("comma"):
            found.append(self.either(names))
        self._need("close", "閉じかっこ")
        if len(found) < 2:
            _refuse("K517", "条件が一つしかありません。", at, "かっこの中に、二つ以上の条件を「、」で並べてください。")
        return tuple(found)

    def _sum_of_terms(self, names: Mapping[str, Term]) -> SumTerms:
        """（項目、項目、…） of one unit."""
        self._need("open", "開きかっこ")
        first = self._summable(names)
        terms = [first]
        while self._take("comma"):
            at = self._token.at
            term = self._summable(names)
            if term.unit != first.unit:
                _refuse(
                    "K514", f"「{first.title}」と「{term.title}」は単位が違います。", at, "同じ単位の項目だけを合計できます。"
                )
            terms.append(term)
        self._need("close", "閉じかっこ")
        return SumTerms(tuple(terms))

    def _sum(self) -> SumMembers:
        names = self._members(self._token.at)
        self._need("open", "開きかっこ")
        term = self._summable(names)
        where: Condition | None = None
        if self._take("comma"):
            self._inside_aggregate = True
            where = self.either(names)
            self._inside_aggregate = False
        self._need("close", "閉じかっこ")
        return SumMembers(term, where)

    def _summable(self, names: Mapping[str, Term]) -> Term:
        word = self._need("word", "項目名")
        if word.text not in names:
            self._unknown_name(word, names)
        term = names[word.text]
        if term.kind is not Kind.NUMBER or term.minimum is None or term.minimum < 0:
            _refuse("K513", f"「{term.title}」は合計できません。", word.at, "0以上と決まっている数の項目だけを合計できます。")
        return term

    def _lookup(self, names: Mapping[str, Term]) -> Lookup:
        self._need("open", "開きかっこ")
        word = self._take("text") or self._need("word", "表の名")
        table = self._vocabulary.tables.get(word.text.strip('「」"'))
        if table is None:
            _refuse("K512", f"「{word.text}」という表はありません。", word.at, "この定義の「表」にある名を書いてください。")
        self._need("comma", "区切り（、）")
        at = self._token.at
        key = self._operand(names)
        if not isinstance(key, Ref) or key.term.kind is not Kind.NUMBER:
            _refuse("K513", "表は数の項目で引いてください。", at, "例：表（限度額、扶養人数）")
        self._need("close", "閉じかっこ")
        return Lookup(table, key)

    def _check_types(self, left: Operand, op: Operator, right: Operand, at: int) -> None:
        kinds = _kind(left), _kind(right)
        if kinds[0] is not kinds[1]:
            _refuse("K513", f"{kinds[0]}と{kinds[1]}は比べられません。", at, "同じ型どうしを比べてください。")
        if kinds[0] is Kind.TRUTH or (kinds[0] is Kind.TEXT and op not in ("=", "≠")):
            _refuse("K513", f"{kinds[0]}は大小を比べられません。", at, "＝ か ≠ を使ってください。")
        for one, other in ((left, right), (right, left)):
            self._check_constant(one, other, at)

    def _check_constant(self, one: Operand, other: Operand, at: int) -> None:
        term = other.term if isinstance(other, Ref) else None
        if isinstance(one, _Number) and one.unit:
            unit = _unit(other)
            if one.unit != unit:
                known = f"「{unit}」" if unit else "なし"
                _refuse("K514", f"単位「{one.unit}」が項目と合いません。", at, f"この項目の単位は{known}です。")
        elif (
            isinstance(one, Constant) and isinstance(one.value, str) and term and term.choices and one.value not in term.choices
        ):
            _refuse("K514", f"「{one.value}」は「{term.title}」にない区分です。", at, f"使える区分：{'、'.join(term.choices)}")


def _plain(operand: Operand) -> Operand:
    return Constant(operand.value) if isinstance(operand, _Number) else operand


def _kind(operand: Operand) -> Kind:
    match operand:
        case Ref(term):
            return term.kind
        case Constant(value):
            return Kind.TEXT if isinstance(value, str) else Kind.NUMBER
        case _:
            return Kind.NUMBER


def _unit(operand: Operand) -> str:
    match operand:
        case Ref(term) | SumMembers(term, _):
            return term.unit
        case Lookup(table, _):
            return table.unit
        case SumTerms(terms):
            return terms[0].unit
        case CountHolding():
            return "個"
        case CountMembers():
            return "人"
        case _:
            return ""
