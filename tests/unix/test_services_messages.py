"""What roles may show to the household: messages."""

import sys
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] if "/" in __file__ else ".")

from notices_bench import NOW, Hub, ServiceCase, message

OF_THEIRS = ("supply", "advance", "general")
MAY = {
    "SUP": OF_THEIRS + ("outage", "appointment", "tariff"),
    "DNO": ("outage",),
    "ADM": ("appointment",),
    "ESP": OF_THEIRS,
    "EFF": OF_THEIRS,
}
CATEGORIES = MAY["SUP"] + ("marketing",)


class MessagesTest(ServiceCase):
    def test_each_role_sends_its_categories_and_no_other(self):
        for role in ("SUP", "DNO", "ADM", "ESP", "EFF", "LC", "RDR"):
            for category in CATEGORIES:
                arg = message(category=category)
                if category in MAY.get(role, ()):
                    self.assertEqual(self.do(role, "message.send", **arg).outcome, "pending")
                else:
                    asked = category == "marketing" and role in ("SUP", "ESP", "EFF")
                    name = "NOT_CONSENTED" if asked else "NOT_AUTHORISED"
                    self.assertEqual(self.refused(role, "message.send", **arg), (name, "arg.category"))

    def test_marketing_comes_with_consent_and_only_for_who_has_it(self):
        self.hub.role_consents().grant("ESP0000000000000", "Esp", "marketing", NOW + 100, NOW)
        arg = message(category="marketing")
        self.assertEqual(self.do("ESP", "message.send", **arg).outcome, "pending")
        self.assertEqual(self.refused("EFF", "message.send", **arg), ("NOT_CONSENTED", "arg.category"))
        self.hub.clock.at = NOW + 101
        self.assertEqual(self.refused("ESP", "message.send", **arg), ("NOT_CONSENTED", "arg.category"))

    def test_every_field_is_bounded(self):
        wrong = {
            "INVALID_VALUE": (
                ("title", ""), ("title", "x" * 17), ("title", "  "), ("title", "a\nb"), ("title", "\ue000"),
                ("text", "x" * 161), ("text", "a\u202eb"), ("text", "\x7f"), ("priority", 4), ("priority", -1),
                ("answer", "override"), ("category", "consent"), ("category", "demand"), ("id", "x" * 33),
                ("id", 'a"b'), ("id", ""), ("start", -1), ("expiry", NOW + 400 * 86400), ("expiry", 1 << 40),
            ),
            "MALFORMED": (
                ("title", None), ("text", 7), ("priority", True), ("priority", "1"), ("answer", None), ("id", 5),
                ("category", []), ("start", 1.5), ("expiry", "soon"), ("colour", "red"),
            ),
            "EXPIRED": (("expiry", NOW), ("expiry", 0)),
        }  # fmt: skip
        for name, cases in wrong.items():
            for field, value in cases:
                found = self.refused("SUP", "message.send", **message(**{field: value}))
                self.assertEqual(found, (name, "arg." + field), (field, value))
        self.assertEqual(self.refused("SUP", "message.send", title="a"), ("MALFORMED", "arg.category"))
        late = message(start=NOW + 100, expiry=NOW + 50)
        self.assertEqual(self.refused("SUP", "message.send", **late), ("INVALID_VALUE", "arg.expiry"))
        self.hub.clock.at = 0
        self.assertEqual(self.refused("SUP", "message.send", **message()), ("CLOCK_INVALID", "unset"))

    def test_the_longest_message_fits_sixteen_times(self):
        for i in range(16):
            arg = message(id="%032d" % i, title="€" * 16, text="ß" * 160, answer="accept")
            self.do("SUP", "message.send", **arg)
        self.hub = Hub(self.hub.board.data_dir)
        self.hub.second()
        self.assertEqual(len(self.hub.model.messages), 16)
        self.assertEqual(self.hub.notices.message(16).text, "ß" * 160)

    def test_status_and_withdrawal_are_for_its_own_sender(self):
        number = self.do("SUP", "message.send", **message(answer="accept")).data["notice"]
        self.hub.notices.decide(number, "decline")
        told = self.do("SUP", "message.status", id="m1").data["messages"]
        self.assertEqual([(one["ref"], one["state"], one["said"]) for one in told], [("m1", "declined", "decline")])
        self.assertEqual(self.do("SUP", "message.status").data["messages"], told)
        self.assertEqual(self.do("ESP", "message.status").data["messages"], [])
        self.assertEqual(self.refused("ESP", "message.status", id="m1"), ("NOT_AVAILABLE", "notice"))
        self.assertEqual(self.refused("ESP", "message.withdraw", id="m1"), ("NOT_AVAILABLE", "notice"))
        self.assertEqual(self.do("SUP", "message.withdraw", id="m1"), ("done", {}))
        self.assertEqual(self.refused("SUP", "message.withdraw", id="m1"), ("WRONG_STATE", "state"))

    def test_the_answer_says_what_was_done_where_and_when(self):
        number = self.do("SUP", "message.send", **message(answer="accept")).data["notice"]
        answer = self.decide(number, "accept", "website")
        self.assertEqual(answer, ["done", {"action": "accept", "id": "m1", "by": "website", "at": NOW + 1}])


if __name__ == "__main__":
    unittest.main()
