"""Who may do what: every command there is, what carries it out, how it is protected, and which roles may send it.

Source   the use-case permissions of GBCS (SUP, DNO, ADM, LC); ETSI TR 102 691 for ESP, EFF, CON, INST.
         Default is deny.
Memory   3 KB while it is loaded; loaded for a command, and let go
Errors   none: a command that is not here is known to nobody
Runs on  both

Roles  SUP supplier, DNO distribution network operator, ADM administrator of the hub, LC load controller, ESP energy
       services provider, EFF efficiency adviser, CON the household, INST installer, TCOS changes suppliers, ROOT the
       hub's owner. A role is bound to a key (roles.py), never to a connection.

A row is: command, module of services/ that carries it out ("-": none yet, UNSUPPORTED), class letters, roles.
  class  C critical: needs a clock that is set. P: protected against replay in GBCS (here all commands are).
         F: may carry a future date. "-": none of them. c: concerns consumption: a consent covers it.
  roles  NAME allowed; NAME? only with a consent of the household; NAME! at the display only, never by a message
"""

ROLES = ("SUP", "DNO", "ADM", "LC", "ESP", "EFF", "CON", "INST", "TCOS", "ROOT")

_TABLE = """
read.import_registers readings - SUP DNO ESP? EFF? CON!
read.tou_registers tariffs - SUP DNO ESP? EFF? CON!
read.export_registers readings - DNO ADM ESP? EFF? CON!
read.power_now readings - SUP DNO ADM ESP? EFF? CON! INST
read.max_demand readings - SUP DNO ADM ESP? EFF? CON!
read.profile_import readings - SUP DNO ADM ESP? EFF? CON!
read.profile_export readings - DNO ADM ESP? EFF? CON!
read.profile_reactive readings - SUP DNO ADM CON!
read.daily_consumption readings - SUP DNO ADM ESP? EFF? CON!
read.daily_log readings - SUP ADM ESP? CON!
read.billing_log readings - SUP ADM ESP? CON!
read.prepay_registers - - SUP CON!
read.balance - - SUP CON!
read.prepay_config - - SUP CON!
read.tariff tariffs - SUP ADM ESP? EFF? CON!
read.supply_state supply - SUP DNO ADM CON! INST
read.clock clock - SUP ROOT
read.load_limit supply - SUP DNO ADM CON! INST
read.voltage_log power_quality - SUP DNO ADM CON!
read.voltage_config power_quality - SUP DNO ADM CON!
read.power_quality power_quality - DNO ADM CON!
read.outage_log outage - SUP DNO
read.event_log security - SUP DNO ADM INST
read.security_log security - SUP DNO ADM INST
read.power_event_log security - SUP DNO ADM INST
read.hub_event_log security - ADM INST
read.hub_security_log security - ADM INST
read.tamper_log security - ADM INST
read.device_log - - ADM CON! INST
read.firmware_version maintenance - SUP DNO ADM INST
read.device_identity maintenance - SUP DNO ADM INST
read.capabilities maintenance - SUP DNO ADM INST
read.settings maintenance - ADM
read.health maintenance - ADM INST
read.charging maintenance - SUP DNO ADM LC ESP EFF
set.settings maintenance CP ADM
set.clock clock CP SUP ROOT
set.change_of_tenancy clock - SUP ROOT
set.tariff_price tariffs CPF SUP
set.billing_calendar tariffs CP SUP
set.payment_mode - CPF SUP
set.prepay_config - CPF SUP
set.debt - CP SUP
adjust.balance - CP SUP
reset.balance - CP SUP
prepay.topup - P SUP CON!
prepay.activate_emergency - CP SUP CON!
supply.arm supply CP SUP
supply.enable supply CP SUP CON!
supply.disable supply CP SUP
set.load_limit supply CPF SUP
reset.load_limit_counter supply P SUP
set.tamper_state supply CP SUP
set.power_thresholds supply - SUP
set.event_behaviour security - SUP DNO
set.voltage_config power_quality P DNO
reset.voltage_counters power_quality P DNO
set.max_demand_period readings P DNO
reset.max_demand readings - DNO
set.aux_controller_state demand CP SUP
set.aux_calendar load_calendar CPF SUP
set.aux_level_limit demand CP LC
message.send messages - SUP DNO ADM ESP EFF
message.withdraw messages - SUP DNO ADM ESP EFF
message.status messages - SUP DNO ADM ESP EFF
outage.planned outage_plan - DNO ROOT
dr.event demand CP SUP DNO LC ESP? EFF?
dr.report demand - SUP DNO LC ESP? EFF?
dg.event demand CP SUP DNO LC ESP? EFF?
efficiency.propose efficiency - EFF
efficiency.apply efficiency - EFF
consent.ask consent - SUP DNO ADM LC ESP EFF
disable.privacy_pin privacy P SUP
send.customer_id maintenance P ADM
clear.event_log security - SUP
device.add - P ADM INST
device.remove - P ADM INST
device_log.restore - P ADM
device.join - CP SUP ADM INST
device.unjoin - - SUP ADM INST
device.command - CP SUP ADM
device.schedule - CP SUP ADM
device.list - - ADM INST CON!
hardware.replaced maintenance P ADM INST
diag.run maintenance - ADM INST
firmware.activate - CP SUP ADM
credentials.update credentials CP SUP DNO ADM LC TCOS ROOT
schedule.set schedules - SUP DNO ADM ESP? EFF?
schedule.read schedules - SUP DNO ADM ESP? EFF?
schedule.delete schedules - SUP DNO ADM ESP? EFF?
export.applet_install - P SUP? ADM ESP? EFF?
export.request - P SUP? ESP? EFF?
han.test_run - - ADM CON! INST
"""


def row(command: str) -> "tuple[str, str, list] | None":
    """Return (service, class letters, roles as in the table) of a command; None for one that is not known."""
    at = _TABLE.find("\n" + command + " ")
    if at < 0 or not command or " " in command:
        return None
    words = _TABLE[at + 1 : _TABLE.find("\n", at + 1)].split(" ")
    return ("" if words[1] == "-" else words[1]), ("" if words[2] == "-" else words[2]), words[3:]


def permission(roles: list, role: str) -> str:
    """Return whether `role` stands among a row's: "" no, "yes", "consent", or "display": at the display only."""
    for one in roles:
        if one.rstrip("?!") == role:
            return "consent" if one[-1] == "?" else "display" if one[-1] == "!" else "yes"
    return ""


def commands() -> list:
    """Return the names of all commands, in the table's order."""
    return [line.split(" ", 1)[0] for line in _TABLE.strip().split("\n")]
