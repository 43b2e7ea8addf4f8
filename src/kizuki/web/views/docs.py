"""手引き."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kizuki.app import docs_pages as app
from kizuki.web.views.session import home


@require_GET
def docs(request: HttpRequest, slug: str = "index") -> HttpResponse:
    """One page of the manual beside its table of contents."""
    made = app.made_pages(home())
    page = app.doc_page(slug, made=made)
    if page is None:
        raise Http404
    return render(request, "docs/page.html", {"page": page, "contents": app.contents(made=made)})
