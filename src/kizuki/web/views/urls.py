"""Addresses of the screens; included by `kizuki.web.urls`."""

from django.urls import URLPattern, path

from kizuki.web.views import audit, candidates, children, cleansing, docs, feeds, handovers, review, today

urlpatterns: list[URLPattern] = [
    path("", today.today, name="today"),
    path("candidates/", candidates.candidates, name="candidates"),
    path("candidates/change/", candidates.change, name="candidates_change"),
    path("candidates/undo/", candidates.undo, name="candidates_undo"),
    path("candidates/excel/", candidates.excel, name="candidates_excel"),
    path("children/<str:person_id>/", children.child, name="child"),
    path("children/<str:person_id>/change/", children.change, name="child_change"),
    path("children/<str:person_id>/judgement/<str:criteria>/", children.judgement, name="judgement"),
    path("children/<str:person_id>/handover/", handovers.prepare, name="handover_prepare"),
    path("handovers/", handovers.handovers, name="handovers"),
    path("handovers/receive/", handovers.receive, name="handover_receive"),
    path("handovers/received/<int:letter_id>/", handovers.received, name="received_handover"),
    path("handovers/<int:handover_id>/", handovers.show, name="handover"),
    path("handovers/<int:handover_id>/decide/", handovers.decide, name="handover_decide"),
    path("handovers/<int:handover_id>/issue/", handovers.issue, name="handover_issue"),
    path("handovers/<int:handover_id>/print/", handovers.print_page, name="handover_print"),
    path("feeds/", feeds.feeds, name="feeds"),
    path("feeds/<str:source>/", feeds.feed, name="feed"),
    path("cleansing/", cleansing.cleansing, name="cleansing"),
    path("cleansing/csv/", cleansing.cleansing_csv, name="cleansing_csv"),
    path("review/", review.desk, name="review"),
    path("review/decisions/", review.decisions, name="review_decisions"),
    path("review/decisions/<int:decision>/withdraw/", review.withdraw, name="review_withdraw"),
    path("review/undo/", review.undo, name="review_undo"),
    path("review/pairs/<str:pair_id>/", review.pair, name="review_pair"),
    path("review/pairs/<str:pair_id>/answer/", review.answer, name="review_answer"),
    path("review/<str:name>/", review.first, name="review_list"),
    path("link-quality/", review.check, name="link_quality"),
    path("link-quality/thresholds/", review.thresholds, name="link_thresholds"),
    path("docs/", docs.docs, name="docs"),
    path("docs/<path:slug>/", docs.docs, name="doc"),
    path("audit/", audit.audit, name="audit"),
]
