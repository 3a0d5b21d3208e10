from django.db import migrations, models

import meterhub_tools.website.models


class Migration(migrations.Migration):
    dependencies = [("website", "0001_accounts")]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hub", models.CharField(max_length=16)),
                ("box", models.CharField(max_length=8)),
                ("number", models.BigIntegerField()),
                ("at", models.BigIntegerField()),
                ("name", models.CharField(max_length=32)),
                ("detail", models.CharField(blank=True, max_length=160)),
                ("received_at", models.BigIntegerField(default=meterhub_tools.website.models.unix_now)),
            ],
            options={
                "ordering": ["box", "number"],
                "constraints": [models.UniqueConstraint(fields=("hub", "box", "number"), name="each_event_once")],
            },
        ),
    ]
