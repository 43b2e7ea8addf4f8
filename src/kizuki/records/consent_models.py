"""Invitations, letters and what the relay was told of consents: fields and constraints only; the rules are in `push`."""

from django.conf import settings
from django.db import models

from kizuki.records.notice_models import Enquiry, Notice, Recipient

_ID = 64


class Invitation(models.Model):
    """One named list of households invited to say whether they want notices; whom it invites stays as it was drawn.

    `counts` = how many were looked at, drawn, and left out for which reason, as whoever made it saw them.
    """

    name = models.CharField("名簿の名前", max_length=64, unique=True)
    programme = models.CharField("受給している制度", max_length=64)
    snapshot = models.CharField("公開データ", max_length=64)
    counts = models.JSONField("件数", default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField("作成日時")
    closed_at = models.DateTimeField("締め切った日時", null=True, blank=True, help_text="締め切ると、番号はすべて使えなくなる")

    class Meta:
        verbose_name = "案内の名簿"


class Invited(models.Model):
    """One recipient on one invitation."""

    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="invited")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="invited")

    class Meta:
        verbose_name = "案内する宛先"
        constraints = [models.UniqueConstraint(fields=["invitation", "recipient"], name="invited_once")]


class LetterPrint(models.Model):
    """One letter put on paper: of an invitation or of a notice. Printed again it is a further row, with the reason why."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="letters")
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, null=True, blank=True, related_name="letters")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, null=True, blank=True, related_name="letters")
    copy = models.PositiveSmallIntegerField("何通目か（1から）", default=1)
    reason = models.CharField("刷り直した理由", max_length=200, blank=True)
    printed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    printed_at = models.DateTimeField("印刷した日時")

    class Meta:
        verbose_name = "印刷した手紙"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(invitation__isnull=True) ^ models.Q(notice__isnull=True), name="letter_of_one_thing"
            ),
            models.CheckConstraint(condition=models.Q(copy=1) | ~models.Q(reason=""), name="letter_again_with_reason"),
            models.UniqueConstraint(fields=["invitation", "recipient", "copy"], name="letter_once_per_invitation"),
            models.UniqueConstraint(fields=["notice", "copy"], name="letter_once_per_notice"),
        ]


class LinkEvent(models.Model):
    """One change of a recipient's link to the message service as the relay told it; the latest by `at` holds."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="links")
    on = models.BooleanField("つながった")
    at = models.DateTimeField("日時")
    source_event = models.CharField("中継の行", max_length=64, unique=True)

    class Meta:
        verbose_name = "つながりの記録"


class RelayTold(models.Model):
    """One thing the relay was told last: a text, a code, a silence (`kind`, `key`) and how it then stood (`state`)."""

    kind = models.CharField("種類", max_length=16)
    key = models.CharField("対象", max_length=_ID)
    state = models.CharField("伝えた内容", max_length=_ID)
    seq = models.PositiveBigIntegerField("中継への便の通番")
    at = models.DateTimeField("渡した日時")

    class Meta:
        verbose_name = "中継へ伝えたこと"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="relay_told_once")]


class RelayLeftover(models.Model):
    """One notice, recipient or code (`kind`, `key`) the relay has and this database, put back from an older copy, has not.

    `about` = what a notice was about as the relay was told (a keyed token); `told_seq` blank = the relay is to be told yet.
    """

    kind = models.CharField("種類", max_length=16)
    key = models.CharField("番号か照合値", max_length=_ID)
    recipient_no = models.CharField("宛先番号", max_length=32)
    about = models.CharField("何についてか（照合値）", max_length=32, blank=True)
    status = models.CharField("中継での状態", max_length=16, blank=True)
    at = models.DateTimeField("試みた・試みる日時", null=True, blank=True)
    told_seq = models.PositiveBigIntegerField("中継への便の通番", null=True, blank=True)

    class Meta:
        verbose_name = "中継だけが知っていること"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="relay_leftover_once")]


class RelayResume(models.Model):
    """One joining again of a core put back from a copy: asked by one person, carried out by another, with what it found."""

    digest = models.CharField("中継の状態の照合値", max_length=_ID, unique=True)
    counts = models.JSONField("件数", default=dict)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("求めた日時")
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    done_at = models.DateTimeField("つなぎ直した日時", null=True, blank=True)

    class Meta:
        verbose_name = "中継とのつなぎ直し"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_by__isnull=True) | ~models.Q(done_by=models.F("asked_by")),
                name="relay_resume_two_people",
            )
        ]


class EnquiryStep(models.Model):
    """One step of one enquiry: taken, handed to another office, answered. Never changed."""

    enquiry = models.ForeignKey(Enquiry, on_delete=models.PROTECT, related_name="steps")
    what = models.CharField("したこと", max_length=16)
    office = models.CharField("課", max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField("日時")

    class Meta:
        verbose_name = "問合せの対応"
