"""The site's addresses."""

from django.urls import path

from .views import accounts, data, hubs, requests

handler403 = "meterhub_tools.website.views.accounts.refused"
handler404 = "meterhub_tools.website.views.accounts.not_found"
urlpatterns = [
    path("", hubs.home, name="home"),
    path("sign-up/", accounts.sign_up, name="sign-up"),
    path("log-in/", accounts.log_in, name="log-in"),
    path("log-out/", accounts.log_out, name="log-out"),
    path("log/", accounts.log, name="log"),
    path("hubs/new/", hubs.new, name="link"),
    path("hubs/<slug:hub>/ask/", hubs.ask, name="ask"),
    path("hubs/<slug:hub>/revoke/", hubs.revoke, name="revoke"),
    path("requests/<slug:id>/", requests.page, name="request"),
    path("requests/<slug:id>/status", requests.status, name="status"),
    path("requests/<slug:id>/pin", requests.pin, name="pin"),
    path("requests/<slug:id>/cancel", requests.cancel, name="cancel"),
    path("requests/<slug:id>/relay", requests.relay, name="relay"),
    path("data/<slug:id>/", data.page, name="data"),
    path("data/<slug:id>/readings", data.readings, name="readings"),
    path("data/<slug:id>/csv", data.table, name="csv"),
    path("data/<slug:id>/proof", data.evidence, name="proof"),
    path("data/<slug:id>/delete", data.delete, name="delete"),
]
