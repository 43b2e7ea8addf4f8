"""Walks every address of the product as one signed-in user and hands out what came back, unpacked to text."""

import base64
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, get_resolver

CRITERIA = "poverty"
MARKED_DIFFERENCE = re.compile(r"</?mark\b[^>]*>")
FILTERS = (
    *("", "?tab=確認中", "?name=印", "?order=カナ", "?order=年齢", "?page=2"),
    *("?since=new", "?since=left&known=hide&merged=1", "?known=only&merged=1", "?known=all&merged="),
    *(f"?criteria={CRITERIA}", "?assignee=none", "?name=x&page=9"),
)


@dataclass(frozen=True)
class Answer:
    """What one request gave, as text (files unpacked)."""

    role: str
    method: str
    path: str
    status: int
    text: str


def screens() -> set[str]:
    """Names of all addresses of the screens."""
    from kizuki.web.views.urls import urlpatterns

    return {p.name for p in urlpatterns if isinstance(p, URLPattern) and p.name}


def requests(people: Sequence[str], criteria: Sequence[str] = (CRITERIA,)) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(name of the address, method, path, form) of every screen, for every person."""
    yield "today", "GET", "/", {}
    for query in FILTERS:
        yield "candidates", "GET", f"/candidates/{query}", {}
    yield "candidates_excel", "POST", "/candidates/excel/", {"list": ""}
    yield "candidates_undo", "POST", "/candidates/undo/", {"change": "1"}
    for person in people:
        for query in ("", "?span=all"):
            yield "child", "GET", f"/children/{person}/{query}", {}
        for one in criteria:
            yield "judgement", "GET", f"/children/{person}/judgement/{one}/", {}
            yield "feedback", "POST", f"/children/{person}/judgement/{one}/feedback/", {"answer": "当たり", "note": "書き添え"}
            yield "feedback", "POST", f"/children/{person}/judgement/{one}/feedback/", {"answer": "情報誤り"}  # no entry: 422
            yield "feedback", "POST", f"/children/{person}/judgement/{one}/feedback/", {"undo": "1"}
        yield "inquiry", "GET", f"/children/{person}/inquiry/", {}
        yield "resident", "GET", f"/children/{person}/resident/", {}
        yield "candidates_change", "POST", "/candidates/change/", {"child": person, "status": "確認中"}
        yield "child_change", "POST", f"/children/{person}/change/", {"status": "見送り"}  # no reason: shown again with 422
        yield "candidates_undo", "POST", "/candidates/undo/", {"change": [str(n) for n in range(1, 40)]}
        yield "handover_prepare", "GET", f"/children/{person}/handover/", {}
        yield "handover_prepare", "POST", f"/children/{person}/handover/", _handover()
    yield "handovers", "GET", "/handovers/", {}
    yield "handover_receive", "POST", "/handovers/receive/", {}
    for number in range(1, 6):
        yield "handover", "GET", f"/handovers/{number}/", {}
        yield "handover_print", "GET", f"/handovers/{number}/print/", {}
        yield "handover_issue", "POST", f"/handovers/{number}/issue/", {}
        yield "handover_decide", "POST", f"/handovers/{number}/decide/", {"what": "withdraw"}
        yield "received_handover", "GET", f"/handovers/received/{number}/", {}
    yield from _sheets(criteria)
    yield "feeds", "GET", "/feeds/", {}
    for source in ("family_consultation", "resident_register", "nothing"):
        yield "feed", "GET", f"/feeds/{source}/", {}
    for query in ("", "?source=resident_register&open=1", "?field=nothing&flag=%27"):
        yield "cleansing", "GET", f"/cleansing/{query}", {}
        yield "cleansing_csv", "GET", f"/cleansing/csv/{query}", {}
    yield from _review_requests()
    yield from _criteria()
    yield from _programmes()
    yield from _batches()
    for query in ("", f"?criteria={CRITERIA}&monthly=5", "?criteria=%27&monthly=x"):
        yield "thresholds", "GET", f"/validation/thresholds/{query}", {}
        yield "fairness", "GET", f"/validation/fairness/{query}", {}
        yield "model_sheet", "GET", f"/validation/sheet/{query}", {}
    yield from _notices()
    yield "validation", "GET", "/validation/", {}
    yield "threshold_propose", "POST", "/validation/thresholds/propose/", {"criteria": CRITERIA, "monthly": "25"}
    yield "learned_draft", "POST", "/validation/learned/", {"criteria": CRITERIA}
    yield "middle_band_draw", "POST", "/validation/draw/", {"criteria": CRITERIA, "wanted": "1"}
    yield "candidates", "GET", "/candidates/?tab=無作為の確認", {}
    yield "docs", "GET", "/docs/", {}
    yield "doc", "GET", "/docs/index/", {}
    yield "doc", "GET", "/docs/../../keys/root.key/", {}
    yield "audit", "GET", "/audit/", {}
    yield "audit", "GET", "/audit/?verify=1", {}
    yield "", "GET", "/nowhere/", {}


def _criteria() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """A draft from start to refusal by everybody, and every way two versions can be compared."""
    yield "criteria", "GET", "/criteria/", {}
    yield "criteria_version", "GET", f"/criteria/sets/{CRITERIA}/2026.1/", {}
    yield "criteria_version", "GET", f"/criteria/sets/{CRITERIA}/none/", {}
    for copy in (f"{CRITERIA}@2026.1", "", "nothing@1"):
        yield "criteria_new", "POST", "/criteria/new/", {"copy": copy}
    for number in (1, 2, 99):
        at = f"/criteria/drafts/{number}/"
        yield "criteria_draft", "GET", f"{at}?count=1", {}
        yield "criteria_draft", "POST", at, {"what": "yaml", "yaml": "ID: [", "revision": "1"}
        yield "criteria_draft", "GET", at, {}
        yield "criteria_preview", "GET", f"{at}preview/", {}
        yield "criteria_preview", "POST", f"{at}preview/", {"name": "x", "entry-0-condition": "印 ≥ 1"}
        for what in ("request", "approve", "return", "withdraw"):
            yield "criteria_decide", "POST", f"{at}decide/", {"what": what, "effective_on": "2999-01-01"}
    pair = f"old={CRITERIA}@2026.1&new={CRITERIA}@2026.1"
    for query in ("", f"?{pair}", f"?{pair}&children=1&capacity=2", "?old=absence&new=poverty", "?old=x&new=draft:99"):
        yield "criteria_compare", "GET", f"/criteria/compare/{query}", {}


def _batches() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Batches of notices from being made to being cancelled, and the stop."""
    yield "notices", "GET", "/notices/", {}
    for programme, waves in (("school_aid", "1"), ("medical_single_parent", "2"), ("nothing", "x")):
        yield "notice_new", "POST", "/notices/new/", {"programme": programme, "template": "neutral", "waves": waves}
    for number in (1, 2, 99):
        yield "notice", "GET", f"/notices/{number}/", {}
        for what in ("test", "request", "approve", "return", "cancel", "nothing"):
            form = {"what": what, "seen": "1", "reason": "理由の書き添え"}
            yield "notice_act", "POST", f"/notices/{number}/act/", form
        yield "notice", "GET", f"/notices/{number}/", {}
    for what in ("stop", "ask", "lift", "nothing"):
        for reason in ("", "誤りを確かめるため"):
            yield "notice_stop", "POST", "/notices/stop/", {"what": what, "programme": "school_aid", "reason": reason}
    yield "notices", "GET", "/notices/", {}


def _programmes() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """A draft of a programme from start to refusal by everybody, the registry both ways, and the office's list."""
    yield "programmes", "GET", "/programmes/", {}
    for name in ("school_aid", "nothing"):
        yield "programme", "GET", f"/programmes/{name}/", {}
        yield "programme_new", "POST", "/programmes/new/", {"copy": name}
    yield "programme_new", "POST", "/programmes/new/", {"copy": ""}
    for number in (*range(1, 12), 99):  # drafts of criteria sets have numbers, too
        at = f"/programmes/drafts/{number}/"
        yield "programme_draft", "GET", f"{at}?count=1", {}
        yield "programme_draft", "POST", at, {"what": "yaml", "yaml": "ID: [", "revision": "1"}
        yield "programme_preview", "GET", f"{at}preview/", {}
        yield "programme_preview", "POST", f"{at}preview/", {"name": "x", "rule-0-condition": "印 ≥ 1"}
        for what in ("request", "approve", "return", "withdraw"):
            yield "programme_decide", "POST", f"{at}decide/", {"what": what, "effective_on": "2999-01-01"}
    yield "programme_import", "POST", "/programmes/import/", {}
    yield "programme_export", "GET", "/programmes/export/", {}
    for query in ("", "?programme=school_aid", "?programme=school_aid&fact=tax_class&page=2", "?programme=%27&fact=%27"):
        yield "confirmations", "GET", f"/confirmations/{query}", {}
    for kind in ("xlsx", "csv"):
        yield "confirmation_file", "POST", "/confirmations/file/", {"programme": "school_aid", "kind": kind}


def _sheets(criteria: Sequence[str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """The sheets of criteria sets with what is done on them, and the requests to correct data."""
    yield "sheets", "GET", "/sheets/", {}
    yield "corrections", "GET", "/corrections/", {}
    yield "correction_answer", "POST", "/corrections/1/answer/", {"status": "訂正した"}
    for one in (*criteria, "nothing"):
        yield "sheet", "GET", f"/sheets/{one}/", {}
        yield "sheet_review", "POST", f"/sheets/{one}/review/", {"version": "none"}
        for query in ("", "?by=child"):
            yield "stop_ledger", "GET", f"/sheets/{one}/ledger/{query}", {}
    yield "criteria_stop", "POST", "/sheets/absence/stop/", {"what": "stop", "reason": "試験"}
    yield "criteria_stop", "POST", "/sheets/absence/stop/", {"what": "lift"}


def _handover() -> dict[str, Any]:
    """The form of a 引継ぎ書 with every part; the address is any 32 bytes."""
    parts = ["household", "council", "consultation", "health", "school"]
    address = base64.b64encode(bytes(range(32))).decode()
    return {"destination": "となり町", "address": address, "basis": "consent", "part": parts, "reason": "転出のため"}


def _notices() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Consent, invitations with their letters, enquiries, the counter's list and the effect."""
    yield "consents", "GET", "/consents/", {}
    for name, programme in (("秋", "childcare_free"), ("秋", "childcare_free"), ("", "nothing")):
        yield "invitation_make", "POST", "/consents/invitations/", {"name": name, "programme": programme}
    for number in (1, 99):
        for form in ({"form": "html"}, {"form": "html", "number": "x", "reason": ""}):
            yield "invitation_print", "POST", f"/consents/invitations/{number}/print/", form
    yield "consents", "GET", "/consents/", {}
    for typed in ("FIRST", "0000-0000-0000"):
        yield "consent_find", "POST", "/consents/find/", {"number": typed}
    for number in ("FIRST", "SECOND", "NOBODY"):
        at = f"/consents/recipients/{number}/"
        yield "consent", "GET", at, {}
        wish = {"answer": "wanted", "scope": ["tax"], "channel": "counter", "on": "2026-11-20", "version": "2026.1"}
        yield "consent", "POST", at, wish
        yield "consent", "POST", at, {"answer": "wanted"}  # no day: 422
        yield "consent", "GET", at, {}
        yield "consent_revoke", "POST", f"{at}revoke/", {}
    for form in ({"form": "html"}, {"form": "html", "notice": "00000000-0000-0000-0000-000000000000"}):
        yield "notice_letters", "POST", "/letters/notices/", form
    yield "letter_style", "GET", "/letters/style.css", {}
    for form in ({"topic": "call", "channel": "phone", "number": ""}, {"topic": "nothing"}):
        yield "enquiries", "POST", "/enquiries/", form
    for query in ("", "?done=1"):
        yield "enquiries", "GET", f"/enquiries/{query}", {}
    for what in ("take", "hand_over", "answer"):
        yield "enquiry_act", "POST", "/enquiries/1/", {"what": what, "office": "nowhere", "result": "制度を案内した"}
    yield "counter_refresh", "POST", "/counter/refresh/", {}
    for query in ("", "?programme=school_aid&page=2", "?page=x"):
        yield "counter", "GET", f"/counter/{query}", {}
    yield "counter_excel", "POST", "/counter/excel/", {}
    for outcome in ("伝えた・考えたい", ""):
        yield "counter_told", "POST", "/counter/1/told/", {"outcome": outcome}
    yield "effect", "GET", "/effect/", {}
    yield "effect_csv", "GET", "/effect/csv/", {}
    yield "invitation_close", "POST", "/consents/invitations/1/close/", {}


def _review_requests() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Pairs by the names the marked city gives them, and whatever pair a list leads to."""
    yield "review", "GET", "/review/", {}
    for name in ("new", "second", "split", "held", "check", "nothing"):
        yield "review_list", "GET", f"/review/{name}/", {}
    for pair in ("pairplain", "pairsealed", "pairmachine", "nopair"):
        yield "review_pair", "GET", f"/review/pairs/{pair}/", {}
        yield "review_pair", "GET", f"/review/pairs/{pair}/?list=check", {}
        for word in ("hold", "maybe", "same"):
            yield "review_answer", "POST", f"/review/pairs/{pair}/answer/", {"answer": word, "list": "new"}
        yield "review_pair", "GET", f"/review/pairs/{pair}/", {}
        yield "review_undo", "POST", "/review/undo/", {"pair": pair}
    yield "review_decisions", "GET", "/review/decisions/", {}
    yield "review_withdraw", "POST", "/review/decisions/1/withdraw/", {"reason": "見直し"}
    yield "link_quality", "GET", "/link-quality/", {}
    for basis in ("reviewed", "truth"):
        yield "link_thresholds", "GET", f"/link-quality/thresholds/?basis={basis}", {}


def crawl(client: Client, role: str, people: Sequence[str], criteria: Sequence[str] = (CRITERIA,)) -> Iterator[Answer]:
    """Every answer of the product to one user; a fault of the program counts as an answer."""
    assert get_resolver()
    client.raise_request_exception = False
    for _, method, path, form in requests(people, criteria):
        response = client.get(path, follow=path.startswith("/review/")) if method == "GET" else client.post(path, form)
        yield Answer(role, method, path, response.status_code, text_of(response))


def text_of(response: Any) -> str:
    """Headers and body of an answer, files unpacked."""
    body = b"".join(response.streaming_content) if getattr(response, "streaming", False) else response.content
    headers = "\n".join(f"{k}: {v}" for k, v in response.headers.items())
    if body[:2] == b"PK":
        archive = zipfile.ZipFile(io.BytesIO(body))
        body = b"\n".join(archive.read(n) for n in archive.namelist())
    whole = MARKED_DIFFERENCE.sub("", body.decode("utf-8", "replace"))  # a value cut up by marks is still that value
    return headers + "\n" + whole
