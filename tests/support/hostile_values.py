"""What a careless or hostile hand writes where a value belongs: the corpus that pushes and files are made of."""

from datetime import datetime, timedelta
from random import Random

TEXTS = (
    "", " ", "\t", "=1+1", "=HYPERLINK(\"http://x\")", "@SUM(A1)", "+1", "-", "=cmd|' /C calc'!A0",
    "../../etc/passwd", "..\\..\\boot.ini", "/dev/zero", "file:///etc/passwd", "C:\\CON", "a\0b", "\0",
    "<script>alert(1)</script>", "' OR 1=1 --", "%s%n", "{0.__class__}", "${jndi:ldap://x}", "$(id)", "\u202egnp",
    "\ufeff440100", "４４０１００", "440100 ", " 440100", "440100\n", "４４", "Ⅷ", "z̈́͗", "😀", "null", "NaN", "nan",
    "inf", "-inf", "1e309", "None", "true", "0x1f", "1_000", "1,000", "１２", "A" * 300, "A" * 20_000, "p:" + "0" * 64,
)  # fmt: skip
NUMBERS = (
    "-1", "-0", "-0.0", "0.5", "1e-400", "1e309", "-1e309", "1E400", "NaN", "Infinity", "-Infinity",
    "9" * 30, "9" * 400, "9" * 5000, "-" + "9" * 400, "9007199254740993", "1000000001", "1000000000000", "1e15",
    "0." + "3" * 5000, "true", "null",
)  # fmt: skip
BROKEN_JSON = ("01", "+1", "0x10", "1.", ".5", "nan", "'a'", "{", "[", '"', '"\\x"', "undefined", "1 2", "\x00", ",")
NESTED = ("[]", "{}", "[1]", '{"a":1}', "[" * 60 + "]" * 60, "[" * 70 + "]" * 70, "[" * 5000 + "]" * 5000)
ESCAPED = ('"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\u202e"', '"\\n"')
REGIONS = ("440000", "100000", "710000", "440101", "C-0001", "999999", "000000", "-1", "440100;440300")


def times(now: datetime) -> tuple[str, ...]:
    """Times that are none, have no zone, lie in the future or long ago, or beside every interval."""
    return (
        "2026-11-21T08:00:00", "2026-11-21", "20261121T0800", "2026-11-21T08:00:60Z", "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T08:00:00+99:99", "2026-11-21T08:00:00+08:00:30", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:00Z", "10000-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z", "1990-01-01T00:00:00Z", "1991-06-01T00:00:00Z", "now", "yesterday", "1795219200", "-1",
        "1e18", "2026-W47-6T08:00:00+08:00", "21.11.2026 08:00", "11/21/2026", "２０２６-11-21T08:00:00Z",
        (now + timedelta(minutes=2)).isoformat(), (now + timedelta(days=400)).isoformat(),
        (now - timedelta(days=3)).isoformat(), (now - timedelta(seconds=7)).isoformat(),
    )  # fmt: skip


def spoil(data: bytes, chance: Random) -> bytes:
    """The same bytes cut off, with some of them changed, doubled, or in an encoding that nobody agreed on."""
    at = chance.randrange(len(data) + 1)
    text = data.decode("utf-8", "replace")
    return chance.choice(
        (
            lambda: data[:at],
            lambda: data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
            lambda: data[:at] + chance.randbytes(8) + data[at:],
            lambda: data + data,
            lambda: data[at:] + data[:at],
            lambda: text.encode("utf-16"),
            lambda: text.encode("utf-8-sig"),
            lambda: text.encode("gb18030") + b"\xff",
            lambda: b"\x00" * 100 + data,
            lambda: chance.randbytes(200),
            lambda: b"",
            lambda: b"PK\x03\x04" + data,
            lambda: data.replace(b"\n", b"\r"),
            lambda: data.replace(b'"', b"\xe2\x80\x9c"),
        )
    )()
