"""What people decided, and who saw what: fields and constraints only, no rules (rules are in `govern`, use cases in `app`).

Facts about children are never copied here (D9): a child appears only as the opaque `person_id` of the key master.
"""

from django.contrib.auth.models import AbstractUser
from django.db import models

from kizuki.records import consent_models as consent_models  # Django finds models through this module
from kizuki.records import notice_models as notice_models  # Django finds models through this module

_PERSON_ID = 64


class User(AbstractUser):
    """One member of staff: what they are here for, in which office, until when."""

    role = models.CharField("役割", max_length=32, blank=True, help_text="definitions/base/governance/roles.yaml の役割ID")
    department = models.CharField("所属", max_length=64, blank=True)
    school_code = models.CharField("学校コード", max_length=16, blank=True)
    area = models.CharField("担当地区", max_length=64, blank=True)
    granted_until = models.DateField("権限の期限", null=True, blank=True, help_text="年度末。過ぎると何も見えない")
    synthetic = models.BooleanField("デモ利用者", default=False)

    class Meta:
        verbose_name = "利用者"
        verbose_name_plural = "利用者"


class AuditHead(models.Model):
    """The end of the audit chain (one row, id 1): locked by each writer, so two events never share a predecessor."""

    seq = models.BigIntegerField(default=0)
    mac = models.CharField(max_length=64)

    class Meta:
        verbose_name = "操作ログの末尾"


class AuditEvent(models.Model):
    """One thing somebody did or saw, chained by HMAC to the one before; the database refuses to change or delete it.

    `body` (canonical JSON) is the record; the other columns repeat parts of it for searching and are checked against it.
    No column holds a value of a child or a search term.
    """

    seq = models.BigIntegerField("通番", primary_key=True)
    at = models.DateTimeField("日時", db_index=True)
    actor = models.CharField("利用者", max_length=150)
    role = models.CharField("役割", max_length=32)
    action = models.CharField("操作", max_length=64)
    outcome = models.CharField("結果", max_length=16)
    body = models.TextField("内容（正規化JSON）")
    prev = models.CharField("直前の連鎖値", max_length=64)
    mac = models.CharField("連鎖値", max_length=64)

    class Meta:
        verbose_name = "操作ログ"
        indexes = [models.Index(fields=["actor", "at"], name="audit_actor_at")]


class AuditSubject(models.Model):
    """One person concerned by one event, under a keyed token: answers "who saw this child"."""

    event = models.ForeignKey(AuditEvent, on_delete=models.DO_NOTHING, related_name="subjects")
    subject = models.CharField("対象（鍵付きの符号）", max_length=32, db_index=True)

    class Meta:
        verbose_name = "操作ログの対象"
        constraints = [models.UniqueConstraint(fields=["event", "subject"], name="audit_subject_once")]


class CaseStatus(models.TextChoices):
    """Where the work on one child stands."""

    NEW = "新着"
    CHECKING = "確認中"
    MEETING = "会議待ち"
    SUPPORTING = "支援中"
    DISMISSED = "見送り"


class Case(models.Model):
    """The work on one child: its state, who does it, until when."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, unique=True)
    status = models.CharField("状態", max_length=8, choices=CaseStatus.choices, default=CaseStatus.NEW)
    assignee = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    due_on = models.DateField("期限", null=True, blank=True)
    note = models.BinaryField("覚え書き（封）", null=True, blank=True, help_text="KeyRing の purpose=note で封をした本文")
    version = models.PositiveIntegerField("版", default=1, help_text="同時に直したことに気づくための番号")
    created_at = models.DateTimeField("作成日時", auto_now_add=True)
    updated_at = models.DateTimeField("更新日時", auto_now=True)

    class Meta:
        verbose_name = "支援の記録"
        indexes = [models.Index(fields=["assignee", "status"], name="case_assignee_status")]


class CaseChange(models.Model):
    """One change of one case, kept so that it can be undone; `before` and `after` hold states and dates, never narrative."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="changes")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("日時", auto_now_add=True)
    before = models.JSONField("変更前")
    after = models.JSONField("変更後")
    reason = models.CharField("理由", max_length=200, blank=True)
    undone_by = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undoes")

    class Meta:
        verbose_name = "支援の記録の変更"


class Share(models.Model):
    """One child shown to one member of staff outside the caseload, for a stated reason and time."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shares")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=200)
    created_at = models.DateTimeField("共有した日時", auto_now_add=True)
    expires_at = models.DateTimeField("期限")

    class Meta:
        verbose_name = "共有"
        constraints = [models.UniqueConstraint(fields=["person_id", "user"], name="share_once")]


class SealOverlay(models.Model):
    """One seal (支援措置) put by staff ahead of the source system: effective at the next response, over the whole household."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=200)
    created_at = models.DateTimeField("封をした日時", auto_now_add=True)
    lifted_at = models.DateTimeField("解いた日時", null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "職員による封"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | models.Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="seal_lift_paired",
            )
        ]


class SealGrant(models.Model):
    """One named member of staff who may see what the seal of one person's household hides, until a date."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="seal_grants")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField("理由", max_length=200)
    created_at = models.DateTimeField("許可した日時", auto_now_add=True)
    expires_at = models.DateTimeField("期限")

    class Meta:
        verbose_name = "封の閲覧許可"
        constraints = [
            models.UniqueConstraint(fields=["person_id", "user"], name="seal_grant_once"),
            models.CheckConstraint(condition=~models.Q(user=models.F("by")), name="seal_grant_not_self"),
        ]


class HandoverStatus(models.TextChoices):
    """Where one 引継ぎ書 to another municipality stands."""

    WAITING = "承認待ち"
    APPROVED = "承認済み"
    ISSUED = "交付済み"
    RETURNED = "差し戻し"
    WITHDRAWN = "取り下げ"


class Handover(models.Model):
    """One 引継ぎ書 about one child to the next municipality; its text lies sealed in the home, here are only the decisions."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    destination = models.CharField("引継ぎ先の市町村", max_length=60)
    address = models.CharField("引継ぎ先の鍵", max_length=64)
    basis = models.CharField("根拠", max_length=32)
    parts = models.JSONField("渡す部分")
    counts = models.JSONField("部分ごとの件数")
    people = models.JSONField("書かれている人（個人ID）", help_text="本人が先頭。だれを見たかの記録と、封の確認に使う")
    reason = models.CharField("渡す理由", max_length=200)
    digest = models.CharField("本文の指紋", max_length=64, help_text="承認した本文と交付する本文が同じであることの証拠")
    status = models.CharField("状態", max_length=8, choices=HandoverStatus.choices, default=HandoverStatus.WAITING)
    prepared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField("作成日時", auto_now_add=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField("承認・差し戻しの日時", null=True, blank=True)
    decision_reason = models.CharField("差し戻しの理由", max_length=200, blank=True)
    seal_approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seal_approved_at = models.DateTimeField("支援措置の責任者が認めた日時", null=True, blank=True)
    issued_at = models.DateTimeField("交付日時", null=True, blank=True)

    class Meta:
        verbose_name = "引継ぎ書（送る）"
        constraints = [
            models.CheckConstraint(condition=~models.Q(decided_by=models.F("prepared_by")), name="handover_two_people"),
            models.CheckConstraint(
                condition=~models.Q(seal_approved_by=models.F("prepared_by"))
                & ~models.Q(seal_approved_by=models.F("decided_by")),
                name="handover_seal_third",
            ),
            models.CheckConstraint(
                condition=models.Q(issued_at__isnull=True) | models.Q(status="交付済み"), name="handover_issued_once"
            ),
        ]


class ReceivedHandover(models.Model):
    """One 引継ぎ書 from another municipality; its text lies sealed in the home.

    It speaks of a person only when a second member of staff has said so.
    """

    digest = models.CharField("ファイルの指紋", max_length=64, unique=True)
    origin = models.CharField("送った市町村", max_length=60)
    signer = models.CharField("署名鍵の指紋", max_length=24)
    basis = models.CharField("根拠", max_length=120)
    counts = models.JSONField("部分ごとの件数")
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField("受け取った日時", auto_now_add=True)
    person_id = models.CharField("個人ID", max_length=_PERSON_ID, blank=True, db_index=True)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField("本人を確かめた日時", null=True, blank=True)

    class Meta:
        verbose_name = "引継ぎ書（受け取る）"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person_id="", confirmed_by__isnull=True, confirmed_at__isnull=True)
                | (~models.Q(person_id="") & models.Q(confirmed_by__isnull=False, confirmed_at__isnull=False)),
                name="received_confirmed_paired",
            ),
            models.CheckConstraint(condition=~models.Q(confirmed_by=models.F("received_by")), name="received_two_people"),
        ]


class ReviewAnswer(models.TextChoices):
    """What a reviewer says about a record and a resident."""

    SAME = "same", "同じ人"
    DIFFERENT = "different", "別の人"
    HOLD = "hold", "保留"


class LinkDecision(models.Model):
    """One settled word about one pair of the key master; `event_seq` numbers its event there (empty: waits to be written).

    The pair is an opaque token: which records it means is known to the key master and the snapshot alone.
    """

    pair_id = models.CharField("組の符号", max_length=_PERSON_ID, db_index=True)
    answer = models.CharField("答え", max_length=16, choices=ReviewAnswer.choices)
    people = models.PositiveSmallIntegerField("決めた人数")
    two_people = models.BooleanField("二人で決める組だったか")
    checked = models.BooleanField("機械の結び付けの点検から出たものか", default=False)
    settled_at = models.DateTimeField("決まった日時", auto_now_add=True)
    event_seq = models.BigIntegerField("統合キーマスタの通番", null=True, blank=True)
    refusal = models.CharField("統合キーマスタが受け入れなかった理由の番号", max_length=8, blank=True)
    sealed_keys = models.BinaryField("組の両側の鍵（封）", help_text="KeyRing の purpose=review-keys で封をしたもの")
    withdrawn_at = models.DateTimeField("取り消した日時", null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdraw_reason = models.CharField("取消しの理由", max_length=200, blank=True)
    withdraw_seq = models.BigIntegerField("取消しの通番", null=True, blank=True)

    class Meta:
        verbose_name = "名寄せの決定"
        constraints = [
            models.UniqueConstraint(
                fields=["pair_id"], condition=models.Q(withdrawn_at__isnull=True), name="link_decision_stands_once"
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | models.Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="link_withdrawal_paired",
            ),
        ]


class LinkOpinion(models.Model):
    """One reviewer's answer about one pair; taken back answers stay, so that the whole history can be read."""

    pair_id = models.CharField("組の符号", max_length=_PERSON_ID, db_index=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="link_opinions")
    answer = models.CharField("答え", max_length=16, choices=ReviewAnswer.choices)
    at = models.DateTimeField("日時", auto_now_add=True)
    checking = models.BooleanField("点検の一覧で答えたか", default=False)
    decision = models.ForeignKey(LinkDecision, on_delete=models.PROTECT, null=True, blank=True, related_name="opinions")
    undone_at = models.DateTimeField("取り消した日時", null=True, blank=True)

    class Meta:
        verbose_name = "名寄せの答え"
        constraints = [
            models.UniqueConstraint(
                fields=["pair_id", "by"], condition=models.Q(undone_at__isnull=True), name="link_opinion_stands_once"
            )
        ]


class LinkSample(models.Model):
    """One month's random sample of the links the machine made: how it was drawn, so that anybody can draw it again."""

    month = models.CharField("年月", max_length=7, unique=True, help_text="2026-11")
    seed = models.CharField("くじの種", max_length=64)
    eligible = models.PositiveIntegerField("母数（機械が結び付けた記録の数）")
    drawn = models.PositiveIntegerField("選んだ数")
    probability = models.FloatField("選ばれる確率")
    left_out = models.CharField("除いた規則", max_length=200, blank=True)
    snapshot = models.CharField("くじを引いた公開データ", max_length=64)
    drawn_at = models.DateTimeField("引いた日時", auto_now_add=True)

    class Meta:
        verbose_name = "名寄せの点検の標本"


class LinkSampleMember(models.Model):
    """One link of one month's sample."""

    sample = models.ForeignKey(LinkSample, on_delete=models.PROTECT, related_name="members")
    pair_id = models.CharField("組の符号", max_length=_PERSON_ID, db_index=True)
    rule = models.CharField("結び付けた規則", max_length=64)

    class Meta:
        verbose_name = "名寄せの点検の一件"
        constraints = [models.UniqueConstraint(fields=["sample", "pair_id"], name="link_sample_once")]


class CriteriaDraftStatus(models.TextChoices):
    """Where one draft of a criteria set stands."""

    WRITING = "作成中"
    WAITING = "承認待ち"
    APPROVED = "承認済み"
    RETURNED = "差し戻し"
    WITHDRAWN = "取り下げ"


class DraftKind(models.TextChoices):
    """What a draft is a draft of."""

    CRITERIA = "判定基準"
    PROGRAMME = "制度"


class CriteriaDraft(models.Model):
    """One new version of a criteria set or a programme on its way to approval; once approved, the home's file is the truth.

    `criteria` = the ID of what it is a draft of, whatever the kind.
    """

    kind = models.CharField("種類", max_length=8, choices=DraftKind.choices, default=DraftKind.CRITERIA)
    criteria = models.CharField("判定基準か制度のID", max_length=64, db_index=True, blank=True)
    version = models.CharField("版", max_length=20, blank=True)
    base_version = models.CharField("もとの版", max_length=20, blank=True, help_text="空なら、もとの無い新しい基準")
    text = models.TextField("本文（YAML）")
    revision = models.PositiveIntegerField("改め", default=1, help_text="同時に直したことに気づくための番号")
    status = models.CharField("状態", max_length=8, choices=CriteriaDraftStatus.choices, default=CriteriaDraftStatus.WRITING)
    effective_on = models.DateField("施行日", null=True, blank=True)
    writers = models.JSONField("書いた職員（利用者番号）", default=list, help_text="ここにある職員は承認できない")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField("作成日時", auto_now_add=True)
    updated_at = models.DateTimeField("更新日時", auto_now=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField("承認を求めた日時", null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField("承認・差し戻しの日時", null=True, blank=True)
    decision_reason = models.CharField("差し戻し・取り下げの理由", max_length=200, blank=True)
    files = models.JSONField("書いた定義ファイル", default=list, help_text="取り下げたとき、前の中身に戻すため")

    class Meta:
        verbose_name = "判定基準・制度の案"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(decided_by=models.F("created_by")) & ~models.Q(decided_by=models.F("requested_by")),
                name="criteria_two_people",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="承認済み") | models.Q(decided_by__isnull=False, effective_on__isnull=False),
                name="criteria_approved_by",
            ),
        ]


class CriteriaStop(models.Model):
    """One 緊急停止 of a criteria set: from the next response nothing of it is shown, until two people have lifted it.

    `covers` = the set itself and the combinations (組合せ) that are made from it.
    """

    criteria = models.CharField("判定基準ID", max_length=64, db_index=True)
    version = models.CharField("止めたときの版", max_length=32)
    covers = models.JSONField("止まる判定基準ID", help_text="この基準から作る組合せも止まる")
    reason = models.CharField("止める理由", max_length=200)
    stopped_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField("止めた日時", auto_now_add=True)
    lift_reason = models.CharField("解く理由", max_length=200, blank=True)
    lift_asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lift_asked_at = models.DateTimeField("解くことを求めた日時", null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField("解いた日時", null=True, blank=True)

    class Meta:
        verbose_name = "判定基準の緊急停止"
        constraints = [
            models.UniqueConstraint(fields=["criteria"], condition=models.Q(lifted_at__isnull=True), name="criteria_stop_once"),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | models.Q(lifted_at__isnull=False, lifted_by__isnull=False, lift_asked_by__isnull=False),
                name="criteria_lift_paired",
            ),
            models.CheckConstraint(condition=~models.Q(lifted_by=models.F("lift_asked_by")), name="criteria_lift_two_people"),
        ]


class FeedbackAnswer(models.TextChoices):
    """What a member of staff found when they looked at a child a criteria set had listed."""

    RIGHT = "当たり"
    WRONG = "外れ"
    KNOWN = "既知"
    FALSE_DATA = "情報誤り"


class Feedback(models.Model):
    """One answer about one child's judgement; a later one replaces it, and undoing brings the earlier one back."""

    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    criteria = models.CharField("判定基準ID", max_length=64)
    version = models.CharField("判定基準の版", max_length=32)
    as_of = models.DateField("判定のデータ基準日")
    listed = models.BooleanField("そのとき一覧にあったか")
    answer = models.CharField("確かめた結果", max_length=8, choices=FeedbackAnswer.choices)
    entry = models.CharField("誤りのある項目", max_length=64, blank=True)
    note = models.BinaryField("書き添え（封）", null=True, blank=True, help_text="KeyRing の purpose=note で封をした本文")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField("日時", auto_now_add=True)
    undone_at = models.DateTimeField("取り消した日時", null=True, blank=True)

    class Meta:
        verbose_name = "判定を確かめた結果"
        indexes = [models.Index(fields=["criteria", "version"], name="feedback_criteria")]


class CorrectionStatus(models.TextChoices):
    """Where one request to correct a source record stands."""

    OPEN = "依頼中"
    CORRECTED = "訂正した"
    RIGHT_AS_IS = "誤りではない"
    WITHDRAWN = "取り下げ"


class CorrectionRequest(models.Model):
    """One request to the office that owns a record; says which delivery and which day, never why or that a child is listed."""

    feedback = models.OneToOneField(Feedback, on_delete=models.PROTECT, related_name="correction")
    source = models.CharField("元データ（ソースID）", max_length=64, db_index=True)
    delivery_id = models.CharField("受領番号", max_length=64, blank=True)
    observed_on = models.DateField("値の時点", null=True, blank=True)
    what = models.CharField("確かめる項目", max_length=80)
    status = models.CharField("状態", max_length=8, choices=CorrectionStatus.choices, default=CorrectionStatus.OPEN)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField("回答した日時", null=True, blank=True)

    class Meta:
        verbose_name = "元データの訂正の依頼"


class ReviewKind(models.TextChoices):
    """Who looked at a version of a criteria set."""

    EXPERT = "専門家の検証"
    RESIDENTS = "住民への説明"


class CriteriaReview(models.Model):
    """One expert review or explanation to residents, of exactly the version it covered; no child is in it."""

    criteria = models.CharField("判定基準ID", max_length=64, db_index=True)
    version = models.CharField("判定基準の版", max_length=32)
    kind = models.CharField("種別", max_length=8, choices=ReviewKind.choices)
    held_on = models.DateField("行った日")
    people = models.CharField("だれが・だれに", max_length=120)
    summary = models.CharField("わかったこと・意見と対応", max_length=1000)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField("記録した日時", auto_now_add=True)

    class Meta:
        verbose_name = "判定基準の検証と説明の記録"


class ListPreference(models.Model):
    """How one member of staff last chose to see the list: the already known shown or hidden, siblings on one row or not."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="list_preference")
    known = models.CharField("既に関わりのあるこども", max_length=8, default="all")
    merged = models.BooleanField("きょうだいを1行に", default=False)

    class Meta:
        verbose_name = "一覧の見かた"


class MiddleBandDraw(models.Model):
    """One month's 中程度の抽出 of one criteria set, drawn with recorded probabilities so that its finds can be weighed.

    `seed`, `snapshot` and the probabilities are enough to draw the same children again.
    """

    criteria = models.CharField("判定基準", max_length=64)
    version = models.CharField("版", max_length=32)
    month = models.CharField("月（2026-11）", max_length=7)
    snapshot = models.CharField("公開データ", max_length=64)
    band_size = models.PositiveIntegerField("抽出のもとの人数")
    seed = models.BigIntegerField("無作為の種")
    drawn_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField("抽出した日時", auto_now_add=True)

    class Meta:
        verbose_name = "中程度の抽出"
        constraints = [models.UniqueConstraint(fields=["criteria", "month"], name="middle_band_once_a_month")]


class MiddleBandPick(models.Model):
    """One child of one draw with the probability it had of being drawn."""

    draw = models.ForeignKey(MiddleBandDraw, on_delete=models.PROTECT, related_name="picks")
    person_id = models.CharField("個人ID", max_length=_PERSON_ID, db_index=True)
    inclusion = models.FloatField("抽出される確率")

    class Meta:
        verbose_name = "抽出されたこども"
        constraints = [
            models.UniqueConstraint(fields=["draw", "person_id"], name="middle_band_pick_once"),
            models.CheckConstraint(condition=models.Q(inclusion__gt=0, inclusion__lte=1), name="middle_band_probability"),
        ]
