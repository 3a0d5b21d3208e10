"""Messages of IEC 62056-21 meters that are made up, for the tests of meters/iec62056*.py."""

IDENT = b"/MTH5\\2SAMPLE-1\r\n"
LINES = (
    "F.F(00000000)",
    "C.1.0(00123456)",
    "0.9.1(143005)",
    "0.9.2(240115)",
    "1.8.0(0012345.678*kWh)",
    "1.8.0*01(0012000.000*kWh)",
    "1.8.1(0010000.5*kWh)",
    "2.8.0(0000001,234*kWh)",
    "1-0:16.7.0*255(-001.250*kW)",
    "32.7.0(230.1*V)",
    "1.6.1(012.34*kW)(2401101215)",
    "0.2.0(V1.2)",
)


def block(lines=LINES, tail="!\r\n"):
    """Return a data message with its BCC."""
    body = ("".join([line + "\r\n" for line in lines]) + tail).encode() + b"\x03"
    bcc = 0
    for code in body:
        bcc ^= code
    return b"\x02" + body + bytes((bcc,))


def answer(text):
    """Return the answer to a register read: `text` with its BCC."""
    bcc = 3
    for letter in text:
        bcc ^= ord(letter)
    return b"\x02" + text.encode() + bytes((3, bcc))


def bare(lines=LINES, ident=IDENT):
    """Return a message of mode A or D: no BCC."""
    return ident + b"\r\n" + ("".join([line + "\r\n" for line in lines]) + "!\r\n").encode()


def with_parity(data):
    """Return `data` as a line of 7E1 looks when it is read as 8 bits."""
    out = bytearray()
    for byte in data:
        ones = sum([byte >> i & 1 for i in range(7)])
        out.append(byte & 0x7F | (ones & 1) << 7)
    return bytes(out)
