"""A file between core and relay: what was signed is what is read, and any other file is refused whole."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kizuki.push.exchange import FIRST, Envelope, digest, is_next, pack, public_key, public_text, unpack
from kizuki.push.lines import Answer, Cancel, Code, Line, Opened, Send, Silence, Stop, Template, from_json, to_json
from kizuki.terms.errors import InputRefused

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
WORDS = st.text(st.characters(codec="utf-8"), max_size=30)  # line ends and separators of every kind included
LINES = st.one_of(
    st.builds(Template, WORDS, WORDS, WORDS, st.booleans()),
    st.builds(Code, WORDS, WORDS, WORDS),
    st.builds(Send, *(WORDS,) * 7),
    st.builds(Cancel, WORDS),
    st.builds(Silence, WORDS, st.booleans()),
    st.builds(Stop, st.booleans()),
)


def _pack(lines: list[Line], seq: int = 1, previous: str = FIRST) -> bytes:
    return pack("to_relay", seq, previous, "2026-11-20T10:00:00+09:00", lines, key=KEY)


@given(st.lists(LINES, max_size=6))
def test_what_was_written_is_read(lines: list[Line]) -> None:
    data = _pack(lines)
    found = unpack(data, "to_relay", key=KEY.public_key())
    assert (list(found.lines), found.seq, found.previous, found.digest) == (lines, 1, FIRST, digest(data))


@given(st.lists(LINES, min_size=1, max_size=3), st.data())
def test_any_altered_or_missing_byte_refuses_the_file(lines: list[Line], data: st.DataObject) -> None:
    whole = _pack(lines)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = data.draw(st.integers(1, 255))
    cut, altered = whole[:place], whole[:place] + bytes([whole[place] ^ changed]) + whole[place + 1 :]
    for hostile in (cut, altered, b"", b"\n", b"PK\x03\x04", whole + whole):
        try:
            found = unpack(hostile, "to_relay", key=KEY.public_key())
        except InputRefused as e:
            assert e.code == "K651"
        else:  # white space or the spelling of the signature line alone: what was signed is untouched
            assert list(found.lines) == lines


def test_another_signer_or_direction_is_refused() -> None:
    with pytest.raises(InputRefused, match="K651"):
        unpack(_pack([Stop(True)]), "to_relay", key=OTHER.public_key())
    with pytest.raises(InputRefused, match="K652"):
        unpack(_pack([Stop(True)]), "from_relay", key=KEY.public_key())
    with pytest.raises(ValueError, match="does not go"):
        pack("from_relay", 1, FIRST, "", [Stop(True)], key=KEY)
    assert public_key(public_text(KEY.public_key())).public_bytes_raw() == KEY.public_key().public_bytes_raw()
    with pytest.raises(InputRefused, match="K656"):
        public_key("鍵ではない")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"kind":"send"}',
        '{"kind":"stop","on":true,"name":"x"}',
        '{"kind":"nothing"}',
        '{"on":true}',
        '{"kind":["stop"],"on":true}',
    ],
)
def test_a_line_with_more_or_less_than_its_fields_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="K650"):
        from_json(text)


def test_lines_with_lists_come_back_as_they_were() -> None:
    for line in (Answer("e", "r", "wanted", ("tax",), "1", "line", "t"), Opened("n", "t")):
        assert from_json(to_json(line)) == line


def _envelope(seq: int, previous: str, own: str) -> Envelope:
    return Envelope(seq, previous, "", (), own)


def test_files_are_applied_in_order_once_and_without_a_gap() -> None:
    assert is_next(_envelope(1, FIRST, "a"), 0, FIRST)
    assert is_next(_envelope(2, "a", "b"), 1, "a")
    assert not is_next(_envelope(2, "a", "b"), 2, "b")
    assert not is_next(_envelope(1, FIRST, "a"), 2, "b")
    with pytest.raises(InputRefused, match="K653"):
        is_next(_envelope(3, "b", "c"), 1, "a")
    with pytest.raises(InputRefused, match="K654"):
        is_next(_envelope(2, "x", "b"), 1, "a")
    with pytest.raises(InputRefused, match="K654"):
        is_next(_envelope(2, "a", "other"), 2, "b")
