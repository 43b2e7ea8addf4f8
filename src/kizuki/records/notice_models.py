"""Consent and notices: what people wished, what was decided to send, and what became of it.

Fields and constraints only; the rules are in `push`, the use cases in `app`. A person appears as the opaque `person_id`, a
recipient towards the relay as `recipient_no`, which is drawn at random and means nothing elsewhere. No LINE user id is ever
stored here: the relay alone knows it (D11).
"""

from django.conf import settings
from django.db import models

_PERSON_ID = 64
_CODE = 64
_STAFF = settings.AUTH_USER_MODEL


class Recipient(models.Model):
    """One adult to whom notices may go; `recipient_no` (random) is the only name the relay has for them."""

    recipient_no = models.CharField("宛先番号", max_length=32, unique=True)
    person_id = models.CharField("個人ID", max_length=_PERSON_ID, unique=True)
    created_at = models.DateTimeField("作成日時", auto_now_add=True)

    class Meta:
        verbose_name = "お知らせの宛先"


class RegistrationCode(models.Model):
    """One registration code posted to one recipient: it proves the address. Only its keyed digest is kept."""

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="codes")
    digest = models.CharField("登録番号の照合値", max_length=_CODE, unique=True)
    invitation = models.CharField("案内の名簿", max_length=64, db_index=True)
    issued_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField("発行日時")
    expires_on = models.DateField("有効期限")
    used_at = models.DateTimeField("使われた日時", null=True, blank=True)
    revoked_at = models.DateTimeField("取り消した日時", null=True, blank=True)

    class Meta:
        verbose_name = "登録番号"


class ConsentAnswer(models.TextChoices):
    """What a recipient said about receiving notices."""

    WANTED = "wanted", "要"
    UNWANTED = "unwanted", "不要"
    WITHDRAWN = "withdrawn", "撤回"


class ConsentChannel(models.TextChoices):
    """How the answer came."""

    LINE = "line", "LINE"
    WEB = "web", "入力フォーム"
    PAPER = "paper", "書面"
    COUNTER = "counter", "窓口"
    PHONE = "phone", "電話"
    RESTORED = "restored", "控えから戻したときの読み直し"


class ConsentEvent(models.Model):
    """One answer of one recipient; never changed, the latest by `answered_at` holds (a withdrawal at the same instant wins).

    `scopes` ⊂ {tax, programme_name}: use of 税情報, and naming the programme in the message. `source_event` names the line of
    the relay's file it came in, so that a file applied twice adds nothing.
    """

    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="consents")
    answer = models.CharField("希望", max_length=16, choices=ConsentAnswer.choices)
    scopes = models.JSONField("範囲", default=list)
    text_version = models.CharField("同意文の版", max_length=32)
    channel = models.CharField("受け付けた方法", max_length=16, choices=ConsentChannel.choices)
    answered_at = models.DateTimeField("答えた日時")
    recorded_at = models.DateTimeField("記録した日時", auto_now_add=True)
    recorded_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source_event = models.CharField("中継の行", max_length=64, unique=True, null=True, blank=True)

    class Meta:
        verbose_name = "同意・希望"
        indexes = [models.Index(fields=["recipient", "answered_at"], name="consent_latest")]


class BatchStatus(models.TextChoices):
    """Where one batch of notices stands."""

    WRITING = "作成中"
    WAITING = "承認待ち"
    APPROVED = "承認済み"
    RETURNED = "差し戻し"
    CANCELLED = "取り消し"


class NoticeBatch(models.Model):
    """One programme's notices by one template, from being made to approval; ten minutes after approval they may leave.

    `counts` = how many candidates and how many were held back for which reason, as the approver saw them.
    """

    programme = models.CharField("制度ID", max_length=64, db_index=True)
    office = models.CharField("所管課", max_length=64)
    template = models.CharField("文面ID", max_length=64)
    template_version = models.CharField("文面の版", max_length=32)
    template_digest = models.CharField("文面の照合値", max_length=_CODE)
    snapshot = models.CharField("公開データ", max_length=64)
    counts = models.JSONField("件数", default=dict)
    waves = models.PositiveSmallIntegerField("送る週の数", default=1, help_text="2以上なら、送る週をくじで決め、効果を測る")
    seed = models.CharField("くじの種", max_length=64, blank=True)
    status = models.CharField("状態", max_length=8, choices=BatchStatus.choices, default=BatchStatus.WRITING)
    created_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField("作成日時", auto_now_add=True)
    tested_at = models.DateTimeField("試し送りの日時", null=True, blank=True)
    requested_at = models.DateTimeField("承認を求めた日時", null=True, blank=True)
    decided_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField("承認・差し戻しの日時", null=True, blank=True)
    decision_reason = models.CharField("差し戻し・取り消しの理由", max_length=200, blank=True)
    leaves_at = models.DateTimeField("送り出してよい時刻", null=True, blank=True, help_text="それまでは取り消せる")
    cancelled_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField("取り消した日時", null=True, blank=True)

    class Meta:
        verbose_name = "お知らせのまとまり"
        constraints = [
            models.CheckConstraint(condition=~models.Q(decided_by=models.F("created_by")), name="notice_two_people"),
            models.CheckConstraint(
                condition=~models.Q(status="承認済み") | models.Q(decided_by__isnull=False, leaves_at__isnull=False),
                name="notice_approved_by",
            ),
        ]


class NoticeChannel(models.TextChoices):
    """How one notice goes out."""

    LINE = "line", "LINE"
    LETTER = "letter", "手紙"
    COUNTER = "counter", "窓口・健診"


class NoticeStatus(models.TextChoices):
    """What became of one notice (`push.states` says which may follow which).

    waiting = approved, not yet handed to the relay; handed = in a file to the relay; accepted = LINE answered 200 (or 409: it
    had been accepted before); unknown = no answer within the life of the retry key, never sent again by the machine.
    """

    WAITING = "waiting", "送り出し待ち"
    HANDED = "handed", "中継へ渡した"
    ACCEPTED = "accepted", "送った"
    UNKNOWN = "unknown", "結果不明"
    FAILED = "failed", "送れなかった"
    BLOCKED = "blocked", "受け取れない（ブロック等）"
    EXPIRED = "expired", "期限が過ぎた"
    CANCELLED = "cancelled", "取り消し"
    HELD = "held", "最後の確認で止めた"
    PRINTED = "printed", "印刷した"
    TOLD = "told", "窓口で伝えた"


class Notice(models.Model):
    """One notice to one recipient about one programme (and one child, where the programme is a child's), over all channels.

    `notice_id` is the one number on every channel; `retry_key` is persisted before the first attempt and never changes, so that
    LINE accepts it at most once. The status is the last of its events.
    """

    notice_id = models.UUIDField("お知らせ番号", primary_key=True)
    batch = models.ForeignKey(NoticeBatch, on_delete=models.PROTECT, related_name="notices")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="notices")
    household_id = models.CharField("世帯ID", max_length=_PERSON_ID, db_index=True)
    child_id = models.CharField("対象のこども", max_length=_PERSON_ID, blank=True)
    programme = models.CharField("制度ID", max_length=64, db_index=True)
    channel = models.CharField("方法", max_length=16, choices=NoticeChannel.choices)
    retry_key = models.UUIDField("再送の鍵", unique=True)
    wave = models.PositiveSmallIntegerField("送る週（0から）", default=0)
    not_before = models.DateTimeField("これより前に送らない")
    expires_at = models.DateTimeField("これより後に送らない")
    status = models.CharField("状態", max_length=16, choices=NoticeStatus.choices, default=NoticeStatus.WAITING, db_index=True)
    status_at = models.DateTimeField("状態の日時")
    handed_seq = models.PositiveBigIntegerField("中継への便の通番", null=True, blank=True)
    opened_at = models.DateTimeField("開いた日時", null=True, blank=True)

    class Meta:
        verbose_name = "お知らせ"
        constraints = [
            models.UniqueConstraint(fields=["batch", "household_id", "child_id"], name="notice_once_in_batch"),
            models.UniqueConstraint(
                fields=["programme", "household_id", "child_id"],
                condition=models.Q(status__in=["waiting", "handed"]),
                name="notice_one_under_way",
            ),
        ]
        indexes = [models.Index(fields=["household_id", "status_at"], name="notice_by_household")]


class NoticeEvent(models.Model):
    """One thing that happened to one notice; never changed. `source_event` = the relay's line it came in, applied once."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="events")
    status = models.CharField("状態", max_length=16)
    at = models.DateTimeField("日時")
    detail = models.CharField("理由の番号など", max_length=64, blank=True)
    by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source_event = models.CharField("中継の行", max_length=64, unique=True, null=True, blank=True)

    class Meta:
        verbose_name = "お知らせの出来事"


class NoticeStop(models.Model):
    """One 緊急停止 of notices (of one programme, or of all where `programme` is blank): nothing leaves until two lifted it."""

    programme = models.CharField("制度ID", max_length=64, blank=True, help_text="空ならすべて")
    reason = models.CharField("止める理由", max_length=200)
    stopped_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField("止めた日時", auto_now_add=True)
    lift_reason = models.CharField("解く理由", max_length=200, blank=True)
    lift_asked_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lift_asked_at = models.DateTimeField("解くことを求めた日時", null=True, blank=True)
    lifted_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField("解いた日時", null=True, blank=True)
    told_at = models.DateTimeField("止めたことを中継へ渡した日時", null=True, blank=True)
    lift_told_at = models.DateTimeField("解いたことを中継へ渡した日時", null=True, blank=True)

    class Meta:
        verbose_name = "お知らせの緊急停止"
        constraints = [
            models.UniqueConstraint(fields=["programme"], condition=models.Q(lifted_at__isnull=True), name="notice_stop_once"),
            models.CheckConstraint(
                condition=models.Q(lifted_by__isnull=True) | ~models.Q(lifted_by=models.F("lift_asked_by")),
                name="notice_stop_two_people",
            ),
        ]


class ExchangeDirection(models.TextChoices):
    """Which way a file between core and relay goes."""

    TO_RELAY = "to_relay", "中継へ"
    FROM_RELAY = "from_relay", "中継から"


class RelayFile(models.Model):
    """One signed file between core and relay, written or applied: numbers run without a gap in each direction."""

    direction = models.CharField("向き", max_length=16, choices=ExchangeDirection.choices)
    seq = models.PositiveBigIntegerField("通番")
    digest = models.CharField("照合値", max_length=_CODE)
    lines = models.PositiveIntegerField("行数")
    at = models.DateTimeField("書いた・取り込んだ日時")

    class Meta:
        verbose_name = "中継との便"
        constraints = [models.UniqueConstraint(fields=["direction", "seq"], name="relay_file_once")]


class ContactOccasion(models.Model):
    """One household without consent, to be told when it next comes by: 窓口フラグ. Told or lapsed, it stays as a record."""

    household_id = models.CharField("世帯ID", max_length=_PERSON_ID, db_index=True)
    child_id = models.CharField("対象のこども", max_length=_PERSON_ID, blank=True)
    programme = models.CharField("制度ID", max_length=64)
    flagged_at = models.DateTimeField("載せた日時", auto_now_add=True)
    told_at = models.DateTimeField("伝えた日時", null=True, blank=True)
    told_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField("伝えた結果", max_length=32, blank=True)

    class Meta:
        verbose_name = "窓口で伝えること"
        constraints = [
            models.UniqueConstraint(
                fields=["household_id", "child_id", "programme"],
                condition=models.Q(told_at__isnull=True),
                name="contact_once",
            )
        ]


class EnquiryStatus(models.TextChoices):
    """Where one enquiry of a resident stands."""

    OPEN = "未対応"
    DOING = "対応中"
    DONE = "対応済み"


class Enquiry(models.Model):
    """One question of a resident, given to the owning office with a day to answer by. Holds no free text of theirs."""

    recipient = models.ForeignKey(
        Recipient,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="enquiries",
        help_text="空＝電話などで、番号を言わなかった人",
    )
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, null=True, blank=True, related_name="enquiries")
    programme = models.CharField("制度ID", max_length=64, blank=True)
    office = models.CharField("所管課", max_length=64, db_index=True)
    topic = models.CharField("用件", max_length=32)
    channel = models.CharField("受け付けた方法", max_length=16, choices=ConsentChannel.choices)
    opened_at = models.DateTimeField("受け付けた日時")
    due_on = models.DateField("答える期限")
    status = models.CharField("状態", max_length=8, choices=EnquiryStatus.choices, default=EnquiryStatus.OPEN)
    answered_by = models.ForeignKey(_STAFF, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField("答えた日時", null=True, blank=True)
    result = models.CharField("結果", max_length=32, blank=True)
    source_event = models.CharField("中継の行", max_length=64, unique=True, null=True, blank=True)

    class Meta:
        verbose_name = "住民からの問合せ"
