"""検証: the board of criteria sets, 閾値設計, 公平性, モデルの説明書. Sums only; nobody's row passes here."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from kizuki.app import fairness_board, learned_drafts, middle_band, thresholds, validation_board
from kizuki.app.accounts import may
from kizuki.app.backtest_results import kept
from kizuki.terms.errors import InputRefused
from kizuki.web.charts import capacity
from kizuki.web.views.session import actor_of, home, number_of, snapshot


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every criteria set with what its past can say."""
    lines = validation_board.validation_board(actor_of(request), snapshot(), home())
    criteria = lines[0].criteria if lines else None
    return render(request, "validation/index.html", {"lines": lines, "criteria": criteria})


@require_GET
def capacities(request: HttpRequest) -> HttpResponse:
    """閾値設計: works as a plain form."""
    monthly = thresholds.monthly_of(request.GET.get("monthly", ""))
    page = thresholds.thresholds(actor_of(request), snapshot(), home(), request.GET.get("criteria", ""), monthly)
    context = {
        "page": page,
        "chart": _chart(page),
        "middle": middle_band.standing(snapshot(), page.criteria.id),
        "may_draw": bool(may(actor_of(request), "middle_band.draw")),
    }
    return render(request, "validation/thresholds.html", context)


@require_POST
def propose(request: HttpRequest) -> HttpResponseBase:
    """The proposal as a draft in the queue of drafts; nothing is applied."""
    name, monthly = request.POST.get("criteria", ""), thresholds.monthly_of(request.POST.get("monthly", ""))
    try:
        made = thresholds.propose(actor_of(request), snapshot(), home(), name, monthly)
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
        return redirect("thresholds")
    messages.success(request, "閾値の提案を、新しい版の案にしました。例と人数を確かめてから、承認を求めてください。")
    return redirect("criteria_draft", made.pk)


@require_POST
def draw(request: HttpRequest) -> HttpResponseBase:
    """This month's 中程度の抽出 of one set, then back."""
    name = request.POST.get("criteria", "")
    try:
        count = middle_band.draw(actor_of(request), snapshot(), name, number_of(request.POST.get("wanted", "")) or 0)
        messages.success(request, f"{count}人を無作為に抽出しました。支援候補の「無作為の確認」に出ます。")
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
    return redirect(f"{reverse('thresholds')}?{urlencode({'criteria': name})}")


@require_GET
def fairness(request: HttpRequest) -> HttpResponse:
    """公平性."""
    page = fairness_board.fairness_board(actor_of(request), snapshot(), home(), request.GET.get("criteria", ""))
    return render(request, "validation/fairness.html", {"page": page})


@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    """モデルの説明書."""
    served = snapshot()
    criteria, page = validation_board.sheet_page(actor_of(request), served, home(), request.GET.get("criteria", ""))
    context = {
        "criteria": criteria,
        "sheet": page.html if page else "",
        "may_draft": bool(may(actor_of(request), "criteria.draft")),
        "not_a_draft": learned_drafts.why_not(home(), kept(home(), criteria.id)),
        "sets": [(c.id, c.name) for c in thresholds.criteria_sets(served).values()],
        "empty": validation_board.why_no_sheet(home(), criteria.id),
    }
    return render(request, "validation/sheet.html", context)


@require_POST
def bring_in(request: HttpRequest) -> HttpResponseBase:
    """The learned table of one set as a draft of a new version, then to the draft."""
    name = request.POST.get("criteria", "")
    try:
        made = learned_drafts.bring_in(actor_of(request), snapshot(), home(), name)
    except InputRefused as refusal:
        messages.error(request, f"{refusal.what} {refusal.fix}", extra_tags="alert")
        return redirect(f"{reverse('model_sheet')}?{urlencode({'criteria': name})}")
    messages.success(request, "学んだ採点表を、新しい版の案にしました。試行か施行日を決めて、承認を求めてください。")
    return redirect("criteria_draft", made.pk)


def _chart(page: thresholds.Page) -> capacity.Curve | None:
    points = [capacity.Point(x.monthly, x.found, x.low, x.high, x.learned_found, x.chosen) for x in page.lines]
    return capacity.draw(points)
