import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import meterhub_tools.website.models

_NOW = meterhub_tools.website.models.unix_now


def _key() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _account(name: str) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=name, to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies = [("website", "0004_notices")]

    operations = [
        migrations.CreateModel(
            name="Billing",
            fields=[
                ("id", _key()),
                ("hub", models.CharField(max_length=16)),
                ("regs", models.JSONField()),
                ("since", models.BigIntegerField(default=_NOW)),
                ("until", models.BigIntegerField()),
                ("revoked_at", models.BigIntegerField(default=0)),
                ("tariff", models.TextField(blank=True)),
                ("account", _account("billings")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["account", "hub"], name="one_billing_per_hub")]},
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", _key()),
                ("hub", models.CharField(max_length=16)),
                ("chain", models.CharField(max_length=32)),
                ("day", models.IntegerField()),
                ("raw", models.BinaryField()),
                ("received_at", models.BigIntegerField(default=_NOW)),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [models.UniqueConstraint(fields=["hub", "chain", "day"], name="each_batch_once")],
            },
        ),
        migrations.CreateModel(
            name="Given",
            fields=[
                ("id", _key()),
                ("hub", models.CharField(max_length=16)),
                ("start", models.BigIntegerField()),
                ("stop", models.BigIntegerField()),
                ("tariff", models.CharField(max_length=64)),
                ("at", models.BigIntegerField(default=_NOW)),
                ("account", _account("bills")),
            ],
            options={"ordering": ["-start"]},
        ),
    ]
