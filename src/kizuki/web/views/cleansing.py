"""整え方の記録: counts of what cleansing did; no value of anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import cleansing_board as app
from kizuki.web.views.session import actor_of, snapshot


@require_GET
def cleansing(request: HttpRequest) -> HttpResponse:
    """The board, narrowed by source, field and flag."""
    served = snapshot()
    board = app.cleansing_board(actor_of(request), served, _chosen(request))
    query = request.GET.urlencode()
    return render(request, "cleansing/board.html", {"board": board, "as_of": served.as_of, "query": query})


@require_GET
def cleansing_csv(request: HttpRequest) -> HttpResponse:
    """The same lines for a spreadsheet."""
    board = app.cleansing_board(actor_of(request), snapshot(), _chosen(request))
    answer = HttpResponse(app.as_csv(board.lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="cleansing.csv"'
    return answer


def _chosen(request: HttpRequest) -> app.Chosen:
    given = request.GET
    return app.Chosen(
        source=given.get("source", ""),
        field=given.get("field", ""),
        flag=given.get("flag", ""),
        open_only=given.get("open") == "1",
    )
