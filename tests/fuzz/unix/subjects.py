"""The decoders under the fuzzer: how each is made, on what, and what protects its telegrams.

Runs on  both
"""

from mutate import Dice

TAG, CRC, SUM = "tag", "CRC", "sum"  # SUM: eight bits or fewer, or nothing


class Subject:
    """make() -> decoder; samples: good frames, the first of them plain; tokens: what a frame may begin with."""

    def __init__(self, make, samples: list, tokens: tuple, protection: str) -> None:
        self.make = make
        self.samples = samples
        self.tokens = tokens
        self.protection = protection

    def fresh(self, decoder) -> None:
        """Make the decoder forget that it has heard a good frame: a counter must not come twice."""
        if hasattr(decoder, "envelope"):
            decoder.envelope.counters.clear()


def p1():
    from meters_samples import LINES, body, change, telegram

    from meterhub.codec.crc import crc16_x25
    from meterhub.meters.p1 import P1Decoder

    plain = telegram(LINES[:7])
    other = body(change(LINES, "1-0:", "1-1:"), "/XYZ5/B-2")
    x25 = other + b"%04X" % crc16_x25(other, len(other)) + b"\r\n"
    bad = telegram(LINES).replace(b"(2)", b"(9)")
    samples = [plain, telegram(), telegram(LINES[9:], "/NWA-WARMTE"), x25, bad, plain + telegram(LINES[:3])]
    return Subject(P1Decoder, samples, (b"/", b"!", b"\r\n", b"(", b")", b"/MTH5", b"1-0:1.8.0(", b"!0000\r\n"), CRC)


def p1_bare():
    from meters_samples import LINES_V2, bare

    from meterhub.meters.p1 import P1Decoder

    samples = [bare(), bare(LINES_V2[:2]), bare(eol="\n")]
    return Subject(P1Decoder, samples, (b"/", b"!", b"\r\n", b"(", b")", b"/MTH5", b"(1)(", b"(0-1:24.2.1)(m3)"), SUM)


def p1_encrypted():
    from meters_samples import LINES, telegram
    from p1_encrypted_samples import AUTH, KEY, envelope

    from meterhub.meters.p1_encrypted import EncryptedP1Decoder

    short = telegram(LINES[:4])
    samples = [envelope(short), envelope(short, 5), short, envelope(short, 9, 0x20), envelope(short, 4, key=AUTH)]
    return Subject(lambda: EncryptedP1Decoder(KEY, AUTH), samples, (b"\xdb\x08", b"\xdb", b"\x82\x10\x00", b"/"), TAG)


def iec62056():
    from iec62056_samples import IDENT, LINES, answer, bare, block, with_parity

    from meterhub.meters.iec62056 import IEC62056Decoder

    plain = IDENT + block(LINES[:5])
    samples = [plain, IDENT + block(), bare(LINES[:6]), with_parity(plain), answer("1.8.0(0012345.678*kWh)")]
    return Subject(IEC62056Decoder, samples, (b"/", b"\x01", b"\x02", b"\x03", b"\x04", b"\x06", b"(", b"!\r\n"), SUM)


def sml():
    from sml_samples import ESCAPE, PLAIN, entry, obis, octets, sml, unsigned

    from meterhub.meters.sml import SMLDecoder

    escaped = PLAIN + (entry(obis(96, 9), octets(b"ab" + ESCAPE + b"cd" + ESCAPE)),)
    wide = PLAIN + (entry(obis(32, 7), unsigned(2305, 3), 35, -1), entry(obis(14, 7), unsigned(500, 2), 44, -1))
    samples = [sml(*PLAIN), sml(*escaped), sml(*wide), sml(*PLAIN, kermit=True), sml(*PLAIN)[:-9] + sml(*wide)]
    tokens = (
        ESCAPE,
        ESCAPE + b"\x01" * 4,
        ESCAPE + b"\x1a\x00",
        b"\x76",
        b"\xff\xff\xff\x7f",
        b"\x8f\x8f\x8f",
        b"\x77",
    )
    return Subject(SMLDecoder, samples, tokens, CRC)


def dlms():
    from dlms_samples import GOOD, LLC, blocks, hdlc, segments

    from meterhub.meters.dlms import DLMSDecoder

    parts = b"".join([hdlc(LLC + block) for block in blocks(GOOD, 60)])
    samples = [hdlc(LLC + GOOD), segments(LLC + GOOD, 50), parts, hdlc(GOOD), hdlc(LLC + GOOD)[:-1] + hdlc(LLC + GOOD)]
    tokens = (
        b"\x7e",
        b"\x7e\xa0",
        b"\x7e\xa7\xff",
        LLC,
        b"\x0f",
        b"\xe0",
        b"\xdb",
        b"\x09\x82\xff\xff",
        b"\x01\x84\xff",
    )
    return Subject(DLMSDecoder, samples, tokens, CRC)


def dlms_mbus():
    from dlms_samples import GOOD, mbus

    from meterhub.meters.dlms import DLMSDecoder

    one, two = b"".join(mbus(GOOD)), b"".join(mbus(GOOD, 60))
    samples = [one, two, two[:-8] + one]
    return Subject(DLMSDecoder, samples, (b"\x68", b"\x68\xff\xff\x68", b"\x68\x01\x01\x68", b"\x16", b"\x7e"), SUM)


def dlms_ciphered():
    from dlms_samples import AUTH_KEY, GOOD, KEY, LLC, blocks, ciphered, hdlc, mbus

    from meterhub.meters.dlms import DLMSDecoder

    parts = b"".join([hdlc(LLC + block) for block in blocks(ciphered(GOOD), 70)])
    samples = [
        hdlc(LLC + ciphered(GOOD)),
        b"".join(mbus(ciphered(GOOD, 9))),
        parts,
        hdlc(LLC + ciphered(GOOD, 2, 0x20)),
    ]
    samples.append(hdlc(LLC + ciphered(GOOD, 3, 0x10)))
    return Subject(lambda: DLMSDecoder(KEY, AUTH_KEY), samples, (b"\x7e", b"\xdb\x08", b"\x82\xff\xff", b"\x30"), TAG)


def dlms_raw():
    from dlms_samples import GOOD, LLC, blocks

    from meterhub.meters.dlms_raw import RawDLMSDecoder

    samples = [GOOD, LLC + GOOD, b"".join(blocks(GOOD, 60))]
    return Subject(
        RawDLMSDecoder, samples, (b"\x0f", b"\xdb\x08", b"\xe0", LLC, b"\x01\x84\xff\xff\xff\xff", b"\x02"), SUM
    )


def mbus():
    from mbus_samples import EXAMPLE, answer

    from meterhub.meters.mbus import MBusDecoder

    more = answer("04 6D 0B 0B CD 13 0C 78 78 03 49 11 42 6C 00 00 05 5B 00 00 A0 41 0D FD 0B 04 41 42 43 44 1F 01 02")
    lvar = answer("0D FD 11 E3 01 02 03 8C D0 80 80 10 13 00 00 10 00 02 FD 48 FC 08 09 FD 0E 02")
    samples = [EXAMPLE, more, lvar, b"\xe5" + EXAMPLE + b"\x10\x5b\x05\x60\x16" + more]
    return Subject(MBusDecoder, samples, (b"\x68", b"\x68\xff\xff\x68", b"\x10", b"\xe5", b"\x16", b"\x8f" * 12), SUM)


def modbus():
    from mbus_samples import raw

    from meterhub.codec.crc import crc16_arc
    from meterhub.meters.modbus import ModbusDecoder

    def frame(text):
        body = raw(text)
        return body + crc16_arc(body, len(body), 0xFFFF).to_bytes(2, "little")

    plain = frame("01 04 00 00 00 02") + frame("01 04 04 43 66 33 34")
    long = frame("02 03 00 10 00 14") + frame("02 03 28" + "41 42" * 20)
    samples = [plain, long, frame("01 04 00 00 00 02") + frame("01 84 02"), frame("01 10 00 01 00 02 04 00 01 00 02")]
    return Subject(
        ModbusDecoder, samples, (b"\x01\x04", b"\x01\x03\xfa", b"\x01\x10\x00\x00\x00\x7f\xfe", b"\xff"), CRC
    )


SUBJECTS = {
    "p1": p1,
    "p1-bare": p1_bare,
    "p1-encrypted": p1_encrypted,
    "iec62056": iec62056,
    "sml": sml,
    "dlms": dlms,
    "dlms-mbus": dlms_mbus,
    "dlms-ciphered": dlms_ciphered,
    "dlms-raw": dlms_raw,
    "mbus": mbus,
    "modbus": modbus,
}


def streams(subject: Subject) -> dict:
    """Return {name: a piece that is sent again and again}: what could cost a decoder more the longer it goes on."""
    good = subject.samples[0]
    wrong = bytearray(good)
    wrong[len(wrong) // 2] ^= 0x20
    found = {
        "random": bytes(Dice(1).bytes(4096)),
        "zeros": bytes(64),
        "good": bytes(good),
        "one bit wrong": bytes(wrong),
    }
    for i in range(len(subject.tokens)):
        found["token %d" % i] = bytes(subject.tokens[i] * 16)
    found["cut"] = bytes(good[: len(good) * 3 // 4])
    found["begun"] = b"".join([bytes(good[:12]), bytes(good[:5]), bytes(good[:30])])
    return found
