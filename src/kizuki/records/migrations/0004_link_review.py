import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0003_handover"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.CharField(help_text="2026-11", max_length=7, unique=True, verbose_name="年月")),
                ("seed", models.CharField(max_length=64, verbose_name="くじの種")),
                ("eligible", models.PositiveIntegerField(verbose_name="母数（機械が結び付けた記録の数）")),
                ("drawn", models.PositiveIntegerField(verbose_name="選んだ数")),
                ("probability", models.FloatField(verbose_name="選ばれる確率")),
                ("left_out", models.CharField(blank=True, max_length=200, verbose_name="除いた規則")),
                ("snapshot", models.CharField(max_length=64, verbose_name="くじを引いた公開データ")),
                ("drawn_at", models.DateTimeField(auto_now_add=True, verbose_name="引いた日時")),
            ],
            options={
                "verbose_name": "名寄せの点検の標本",
            },
        ),
        migrations.CreateModel(
            name="LinkDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pair_id", models.CharField(db_index=True, max_length=64, verbose_name="組の符号")),
                (
                    "answer",
                    models.CharField(
                        choices=[("same", "同じ人"), ("different", "別の人"), ("hold", "保留")],
                        max_length=16,
                        verbose_name="答え",
                    ),
                ),
                ("people", models.PositiveSmallIntegerField(verbose_name="決めた人数")),
                ("two_people", models.BooleanField(verbose_name="二人で決める組だったか")),
                ("checked", models.BooleanField(default=False, verbose_name="機械の結び付けの点検から出たものか")),
                ("settled_at", models.DateTimeField(auto_now_add=True, verbose_name="決まった日時")),
                ("event_seq", models.BigIntegerField(blank=True, null=True, verbose_name="統合キーマスタの通番")),
                (
                    "refusal",
                    models.CharField(blank=True, max_length=8, verbose_name="統合キーマスタが受け入れなかった理由の番号"),
                ),
                (
                    "sealed_keys",
                    models.BinaryField(
                        help_text="KeyRing の purpose=review-keys で封をしたもの", verbose_name="組の両側の鍵（封）"
                    ),
                ),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="取り消した日時")),
                ("withdraw_reason", models.CharField(blank=True, max_length=200, verbose_name="取消しの理由")),
                ("withdraw_seq", models.BigIntegerField(blank=True, null=True, verbose_name="取消しの通番")),
                (
                    "withdrawn_by",
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
                "verbose_name": "名寄せの決定",
            },
        ),
        migrations.CreateModel(
            name="LinkOpinion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pair_id", models.CharField(db_index=True, max_length=64, verbose_name="組の符号")),
                (
                    "answer",
                    models.CharField(
                        choices=[("same", "同じ人"), ("different", "別の人"), ("hold", "保留")],
                        max_length=16,
                        verbose_name="答え",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="日時")),
                ("checking", models.BooleanField(default=False, verbose_name="点検の一覧で答えたか")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="取り消した日時")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="link_opinions", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opinions",
                        to="records.linkdecision",
                    ),
                ),
            ],
            options={
                "verbose_name": "名寄せの答え",
            },
        ),
        migrations.CreateModel(
            name="LinkSampleMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pair_id", models.CharField(db_index=True, max_length=64, verbose_name="組の符号")),
                ("rule", models.CharField(max_length=64, verbose_name="結び付けた規則")),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="members", to="records.linksample"
                    ),
                ),
            ],
            options={
                "verbose_name": "名寄せの点検の一件",
            },
        ),
        migrations.AddConstraint(
            model_name="linkdecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)), fields=("pair_id",), name="link_decision_stands_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="linkdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                    models.Q(("withdrawn_at__isnull", False), ("withdrawn_by__isnull", False)),
                    _connector="OR",
                ),
                name="link_withdrawal_paired",
            ),
        ),
        migrations.AddConstraint(
            model_name="linkopinion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at__isnull", True)), fields=("pair_id", "by"), name="link_opinion_stands_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="linksamplemember",
            constraint=models.UniqueConstraint(fields=("sample", "pair_id"), name="link_sample_once"),
        ),
    ]
