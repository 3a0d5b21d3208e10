from django.db import migrations, models

import meterhub_tools.website.models


class Migration(migrations.Migration):
    dependencies = [("website", "0003_losses")]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hub", models.CharField(max_length=16)),
                ("number", models.BigIntegerField()),
                ("letter", models.BigIntegerField()),
                ("state", models.CharField(max_length=12)),
                ("said", models.CharField(blank=True, max_length=12)),
                ("asks", models.CharField(blank=True, max_length=12)),
                ("changed_at", models.BigIntegerField()),
                ("start", models.BigIntegerField()),
                ("expiry", models.BigIntegerField()),
                ("at", models.BigIntegerField(default=0)),
                ("category", models.CharField(blank=True, max_length=16)),
                ("name", models.CharField(blank=True, max_length=64)),
                ("title", models.CharField(blank=True, max_length=16)),
                ("text", models.CharField(blank=True, max_length=160)),
                ("decided", models.CharField(blank=True, max_length=8)),
                ("received_at", models.BigIntegerField(default=meterhub_tools.website.models.unix_now)),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [models.UniqueConstraint(fields=("hub", "number"), name="each_notice_once")],
            },
        ),
    ]
