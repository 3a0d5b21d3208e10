"""What the model keeps lists of: consents, lines of their log, messages. Loaded by whoever makes one.

Runs on  both
"""

from collections import namedtuple

# recipient, what ("half-hours"), until, last_used: texts for people; key: whatever on_revoke shall get
Consent = namedtuple("Consent", ("recipient", "what", "until", "last_used", "key"))
# one line of the consent log: when ("1 Oct 14:05"), who, result ("sent: 1,488 half-hours"): texts for people
Logged = namedtuple("Logged", ("when", "who", "result"))
# word: what kind it is; sender, when, status ("you said yes"): texts for people; text: up to 160 characters;
# asks: what may be answered now, "" "accept" "override"; said: what was answered; at: Unix s, a countdown runs to it
Message = namedtuple(
    "Message", ("id", "word", "title", "sender", "when", "text", "unread", "asks", "said", "status", "at")
)
