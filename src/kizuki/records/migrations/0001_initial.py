# ruff: noqa: E501 (generated)
import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.BigIntegerField(default=0)),
                ("mac", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "操作ログの末尾",
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        help_text="definitions/base/governance/roles.yaml の役割ID",
                        max_length=32,
                        verbose_name="役割",
                    ),
                ),
                ("department", models.CharField(blank=True, max_length=64, verbose_name="所属")),
                ("school_code", models.CharField(blank=True, max_length=16, verbose_name="学校コード")),
                ("area", models.CharField(blank=True, max_length=64, verbose_name="担当地区")),
                (
                    "granted_until",
                    models.DateField(
                        blank=True, help_text="年度末。過ぎると何も見えない", null=True, verbose_name="権限の期限"
                    ),
                ),
                ("synthetic", models.BooleanField(default=False, verbose_name="デモ利用者")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "利用者",
                "verbose_name_plural": "利用者",
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="通番")),
                ("at", models.DateTimeField(db_index=True, verbose_name="日時")),
                ("actor", models.CharField(max_length=150, verbose_name="利用者")),
                ("role", models.CharField(max_length=32, verbose_name="役割")),
                ("action", models.CharField(max_length=64, verbose_name="操作")),
                ("outcome", models.CharField(max_length=16, verbose_name="結果")),
                ("body", models.TextField(verbose_name="内容（正規化JSON）")),
                ("prev", models.CharField(max_length=64, verbose_name="直前の連鎖値")),
                ("mac", models.CharField(max_length=64, verbose_name="連鎖値")),
            ],
            options={
                "verbose_name": "操作ログ",
                "indexes": [models.Index(fields=["actor", "at"], name="audit_actor_at")],
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(max_length=64, unique=True, verbose_name="個人ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("新着", "New"),
                            ("確認中", "Checking"),
                            ("会議待ち", "Meeting"),
                            ("支援中", "Supporting"),
                            ("見送り", "Dismissed"),
                        ],
                        default="新着",
                        max_length=8,
                        verbose_name="状態",
                    ),
                ),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="期限")),
                (
                    "note",
                    models.BinaryField(
                        blank=True, help_text="KeyRing の purpose=note で封をした本文", null=True, verbose_name="覚え書き（封）"
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(default=1, help_text="同時に直したことに気づくための番号", verbose_name="版"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="作成日時")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="更新日時")),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "支援の記録",
            },
        ),
        migrations.CreateModel(
            name="CaseChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="日時")),
                ("before", models.JSONField(verbose_name="変更前")),
                ("after", models.JSONField(verbose_name="変更後")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="理由")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="records.case"),
                ),
                (
                    "undone_by",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undoes",
                        to="records.casechange",
                    ),
                ),
            ],
            options={
                "verbose_name": "支援の記録の変更",
            },
        ),
        migrations.CreateModel(
            name="SealGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(db_index=True, max_length=64, verbose_name="個人ID")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="許可した日時")),
                ("expires_at", models.DateTimeField(verbose_name="期限")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seal_grants", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "封の閲覧許可",
            },
        ),
        migrations.CreateModel(
            name="SealOverlay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(db_index=True, max_length=64, verbose_name="個人ID")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="封をした日時")),
                ("lifted_at", models.DateTimeField(blank=True, null=True, verbose_name="解いた日時")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "職員による封",
            },
        ),
        migrations.CreateModel(
            name="Share",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(db_index=True, max_length=64, verbose_name="個人ID")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="共有した日時")),
                ("expires_at", models.DateTimeField(verbose_name="期限")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shares", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "共有",
            },
        ),
        migrations.CreateModel(
            name="AuditSubject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(db_index=True, max_length=32, verbose_name="対象（鍵付きの符号）")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="subjects", to="records.auditevent"
                    ),
                ),
            ],
            options={
                "verbose_name": "操作ログの対象",
                "constraints": [models.UniqueConstraint(fields=("event", "subject"), name="audit_subject_once")],
            },
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["assignee", "status"], name="case_assignee_status"),
        ),
        migrations.AddConstraint(
            model_name="sealgrant",
            constraint=models.UniqueConstraint(fields=("person_id", "user"), name="seal_grant_once"),
        ),
        migrations.AddConstraint(
            model_name="sealgrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("user", models.F("by")), _negated=True), name="seal_grant_not_self"
            ),
        ),
        migrations.AddConstraint(
            model_name="sealoverlay",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at__isnull", True), ("lifted_by__isnull", True)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="seal_lift_paired",
            ),
        ),
        migrations.AddConstraint(
            model_name="share",
            constraint=models.UniqueConstraint(fields=("person_id", "user"), name="share_once"),
        ),
    ]
