"""What the relay keeps between two exchanges. No row can hold a name, address, birthday, income or readable programme (D11).

A LINE user id is kept sealed by the relay's own key, and found again by a keyed token of it. `recipient_no` is the core's
random number of a person, and means nothing here. Fields and constraints only; the rules are in `push`, the use in `app`.
"""

from django.db import models

_NO = 32
_DIGEST = 64


class Link(models.Model):
    """One recipient's LINE account. `on` False = blocked or taken back: nothing goes there until it is on again."""

    recipient_no = models.CharField("宛先番号", max_length=_NO, unique=True)
    user_sealed = models.BinaryField("LINEの利用者（封）")
    user_token = models.CharField("LINEの利用者の照合値", max_length=_DIGEST, unique=True)
    on = models.BooleanField("つながっている", default=True)
    since = models.DateTimeField("つながった・切れた日時")

    class Meta:
        verbose_name = "LINEとのつながり"


class Template(models.Model):
    """One immutable text of notices."""

    template = models.CharField("文面ID", max_length=64)
    version = models.CharField("文面の版", max_length=32)
    text = models.TextField("文面")
    named = models.BooleanField("制度名を含みうる")

    class Meta:
        verbose_name = "文面"
        constraints = [models.UniqueConstraint(fields=["template", "version"], name="relay_template_once")]


class ConsentText(models.Model):
    """One immutable text of the consent page; the one that came last is shown."""

    version = models.CharField("同意文の版", max_length=32, unique=True)
    text = models.TextField("同意文")
    scopes = models.JSONField("たずねる範囲")

    class Meta:
        verbose_name = "同意文"


class Code(models.Model):
    """One posted registration code, as a keyed digest; `expires_at` blank = taken back by the core."""

    digest = models.CharField("登録番号の照合値", max_length=_DIGEST, unique=True)
    recipient_no = models.CharField("宛先番号", max_length=_NO)
    expires_at = models.DateTimeField("有効期限", null=True, blank=True)
    used_at = models.DateTimeField("使われた日時", null=True, blank=True)

    class Meta:
        verbose_name = "登録番号"


class WrongTries(models.Model):
    """How many wrong codes one place (a keyed token of its address, or `all`) typed within one hour."""

    place = models.CharField("どこから（照合値）", max_length=_DIGEST)
    hour = models.DateTimeField("時間帯の始め")
    count = models.PositiveIntegerField("回数", default=0)

    class Meta:
        verbose_name = "登録番号の入力誤り"
        constraints = [models.UniqueConstraint(fields=["place", "hour"], name="relay_wrong_tries_once")]


class Ticket(models.Model):
    """One short-lived right of one recipient, given after the code was typed: to link an account, or to answer on the page.

    The ticket itself is only in the resident's address bar; here is its digest.
    """

    digest = models.CharField("照合値", max_length=_DIGEST, unique=True)
    purpose = models.CharField("用途", max_length=16)
    recipient_no = models.CharField("宛先番号", max_length=_NO)
    code_digest = models.CharField("登録番号の照合値", max_length=_DIGEST, blank=True)
    expires_at = models.DateTimeField("有効期限")
    used_at = models.DateTimeField("使われた日時", null=True, blank=True)

    class Meta:
        verbose_name = "一時の券"


class SendState(models.TextChoices):
    """Where one notice stands at the relay (`push.retry`): all but the first two are final."""

    WAITING = "waiting", "送る前・次の試みを待つ"
    TRYING = "trying", "試みている"
    ACCEPTED = "accepted", "送った"
    UNKNOWN = "unknown", "結果不明"
    FAILED = "failed", "送れなかった"
    BLOCKED = "blocked", "受け取れない（ブロック等）"
    EXPIRED = "expired", "期限が過ぎた"
    CANCELLED = "cancelled", "取り消し"
    HELD = "held", "最後の確認で止めた"


class Outgoing(models.Model):
    """One notice to send. `trying` is written before LINE is asked, so a process that dies leaves a trace of the attempt.

    `maybe_sent` = an attempt ended without a clear answer, so LINE may have accepted it. `page_digest` finds the notice's own
    page; the address itself is made from the relay's key each time and kept nowhere.
    """

    notice_id = models.CharField("お知らせ番号", max_length=36, unique=True)
    recipient_no = models.CharField("宛先番号", max_length=_NO, db_index=True)
    template = models.CharField("文面ID", max_length=64)
    version = models.CharField("文面の版", max_length=32)
    retry_key = models.CharField("再送の鍵", max_length=36, unique=True)
    not_before = models.DateTimeField("これより前に送らない")
    expires_at = models.DateTimeField("これより後に送らない")
    state = models.CharField("状態", max_length=16, choices=SendState.choices, default=SendState.WAITING)
    maybe_sent = models.BooleanField("届いたかもしれない", default=False)
    attempts = models.PositiveIntegerField("試みた回数", default=0)
    first_tried_at = models.DateTimeField("初めて試みた日時", null=True, blank=True)
    last_tried_at = models.DateTimeField("最後に試みた日時", null=True, blank=True)
    next_at = models.DateTimeField("次に試みてよい日時")
    detail = models.CharField("理由の番号など", max_length=64, blank=True)
    about = models.CharField("何についてか（照合値）", max_length=_NO, blank=True, help_text="空なら、本体が言っていない")
    page_digest = models.CharField("専用ページの照合値", max_length=_DIGEST, unique=True)
    opened_at = models.DateTimeField("開いた日時", null=True, blank=True)

    class Meta:
        verbose_name = "送るお知らせ"
        indexes = [models.Index(fields=["state", "next_at"], name="relay_due")]


class Silence(models.Model):
    """One recipient who is sent nothing: because the core said so, or because they did (maybe before the core knew).

    `core_knows` = the core's own silence came after theirs; only then may the core's release also end theirs.
    """

    recipient_no = models.CharField("宛先番号", max_length=_NO, unique=True)
    by_core = models.BooleanField("本体が止めた", default=False)
    by_answer = models.BooleanField("本人が止めた", default=False)
    core_knows = models.BooleanField("本人の停止を本体が知っている", default=False)
    answered_at = models.DateTimeField("本人が最後に答えた日時", null=True, blank=True)
    scopes = models.JSONField("本人が最後に選んだ範囲", null=True, blank=True, help_text="空なら、ここで答えたことがない")

    class Meta:
        verbose_name = "送らない宛先"


class Switch(models.Model):
    """The one row of the relay's own state: 緊急停止, the latest time its clock showed, when it began from a copy."""

    stopped = models.BooleanField("緊急停止", default=False)
    clock_at = models.DateTimeField("時計が示した最後の時刻", null=True, blank=True)
    restored_at = models.DateTimeField("控えから始め直した日時", null=True, blank=True)

    class Meta:
        verbose_name = "中継の状態"


class CityRules(models.Model):
    """The city's rules of sending as the core told them once; the row with the highest number holds, the others are history."""

    number = models.PositiveBigIntegerField("版の番号", unique=True)
    since = models.DateTimeField("本体が決めた日時")
    applied_at = models.DateTimeField("中継が受け取った日時")
    line = models.TextField("行（JSON）")

    class Meta:
        verbose_name = "送るきまり"


class Seen(models.Model):
    """One webhook event taken in: LINE may deliver it again."""

    event_id = models.CharField("webhookEventId", max_length=64, unique=True)
    at = models.DateTimeField("受けた日時")

    class Meta:
        verbose_name = "受け取ったwebhook"


class Pending(models.Model):
    """One line for the core, in order; `seq` = the file it went in, blank = not yet."""

    line = models.TextField("行（JSON）")
    seq = models.PositiveBigIntegerField("便の通番", null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = "本体へ伝えること"


class ExchangedFile(models.Model):
    """One signed file applied (`to_relay`) or written (`from_relay`): numbers run without a gap in each direction."""

    direction = models.CharField("向き", max_length=16)
    seq = models.PositiveBigIntegerField("通番")
    digest = models.CharField("照合値", max_length=_DIGEST)
    at = models.DateTimeField("書いた・取り込んだ日時")

    class Meta:
        verbose_name = "本体との便"
        constraints = [models.UniqueConstraint(fields=["direction", "seq"], name="relay_exchanged_once")]
