"""The site's addresses."""

from django.urls import path

from .views import accounts, bills, data, hubs, messages, requests

handler403 = "meterhub_tools.website.views.accounts.refused"
handler404 = "meterhub_tools.website.views.accounts.not_found"
urlpatterns = [
    path("", hubs.home, name="home"),
    path("sign-up/", accounts.sign_up, name="sign-up"),
    path("log-in/", accounts.log_in, name="log-in"),
    path("log-out/", accounts.log_out, name="log-out"),
    path("log/", accounts.log, name="log"),
    path("messages/", messages.page, name="messages"),
    path("messages/<slug:hub>/<int:number>/", messages.decide, name="decide"),
    path("hubs/new/", hubs.new, name="link"),
    path("hubs/<slug:hub>/ask/", hubs.ask, name="ask"),
    path("hubs/<slug:hub>/revoke/", hubs.revoke, name="revoke"),
    path("hubs/<slug:hub>/bill/", bills.page, name="bill"),
    path("hubs/<slug:hub>/bill/on", bills.switch_on, name="bill-on"),
    path("hubs/<slug:hub>/bill/off", bills.switch_off, name="bill-off"),
    path("hubs/<slug:hub>/bill/tariff", bills.keep_tariff, name="bill-tariff"),
    path("hubs/<slug:hub>/bill/ask", bills.ask, name="bill-ask"),
    path("hubs/<slug:hub>/bill/batches", bills.all_batches, name="bill-batches"),
    path("requests/<slug:id>/batches", bills.batches_of_run, name="run-batches"),
    path("requests/<slug:id>/made", bills.note_made, name="run-made"),
    path("data/<slug:id>/bill/", bills.of_data, name="data-bill"),
    path("data/<slug:id>/bill/file", bills.file_of_data, name="data-bill-file"),
    path("data/<slug:id>/tariff", bills.tariff_of_data, name="data-tariff"),
    path("data/<slug:id>/batches", bills.batches_of_data, name="data-batches"),
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
