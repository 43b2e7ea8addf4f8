"""Drafts of programmes beside those of criteria sets: one column says of which a draft is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0009_consent"),
    ]

    operations = [
        migrations.AddField(
            model_name="criteriadraft",
            name="kind",
            field=models.CharField(
                choices=[("判定基準", "Criteria"), ("制度", "Programme")], default="判定基準", max_length=8, verbose_name="種類"
            ),
        ),
        migrations.AlterField(
            model_name="criteriadraft",
            name="criteria",
            field=models.CharField(blank=True, db_index=True, max_length=64, verbose_name="判定基準か制度のID"),
        ),
        migrations.AlterModelOptions(
            name="criteriadraft",
            options={"verbose_name": "判定基準・制度の案"},
        ),
    ]
