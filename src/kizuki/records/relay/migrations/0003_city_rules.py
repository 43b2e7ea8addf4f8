from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("relay", "0002_scopes"),
    ]

    operations = [
        migrations.CreateModel(
            name="CityRules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(unique=True, verbose_name="版の番号")),
                ("since", models.DateTimeField(verbose_name="本体が決めた日時")),
                ("applied_at", models.DateTimeField(verbose_name="中継が受け取った日時")),
                ("line", models.TextField(verbose_name="行（JSON）")),
            ],
            options={"verbose_name": "送るきまり"},
        ),
        migrations.AddField(
            model_name="outgoing",
            name="about",
            field=models.CharField(
                blank=True,
                default="",
                help_text="空なら、本体が言っていない",
                max_length=32,
                verbose_name="何についてか（照合値）",
            ),
            preserve_default=False,
        ),
    ]
