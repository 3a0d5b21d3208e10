"""The Django application."""

from django.apps import AppConfig


class WebsiteConfig(AppConfig):
    """Accounts, linked hubs, and the log of what was asked for; never a reading."""

    name = "meterhub_tools.website"
    label = "website"
