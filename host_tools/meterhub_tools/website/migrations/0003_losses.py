from django.db import migrations, models

import meterhub_tools.website.models


class Migration(migrations.Migration):
    dependencies = [("website", "0002_events")]

    operations = [
        migrations.CreateModel(
            name="Loss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hub", models.CharField(max_length=16)),
                ("box", models.CharField(max_length=8)),
                ("dropped", models.BigIntegerField()),
                ("received_at", models.BigIntegerField(default=meterhub_tools.website.models.unix_now)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("hub", "box", "dropped"), name="each_loss_once")],
            },
        ),
    ]
