"""What is written where: answers and documents to stdout, everything else to stderr."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

_ALLOWED_CONTROLS = {"\n", "\t"}


def prepare_streams() -> None:
    """Never fail on a character that the terminal's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def line(text: str) -> None:
    """A line of the answer on stdout."""
    write(text if text.endswith("\n") else f"{text}\n")


def write(text: str) -> None:
    """A piece of the answer on stdout, at once; made harmless when a terminal reads it."""
    sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def error_line(text: str) -> None:
    """A line for people on stderr."""
    sys.stderr.write(f"{harmless(text)}\n")
    sys.stderr.flush()


def document(value: Any) -> None:
    """One JSON document on stdout, on one line when piped; money and fractions as decimal strings."""
    indent = 2 if sys.stdout.isatty() else None
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    sys.stdout.write(json.dumps(plain(value), indent=indent, ensure_ascii=ascii_only) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """JSON's own types for structs and decimals."""
    import msgspec  # noqa: PLC0415  # only documents need it

    return _spelled_out(msgspec.to_builtins(value, builtin_types=(Decimal,), str_keys=True))


def harmless(text: str) -> str:
    """Without control characters: escape codes in an answer could move the cursor or fill the clipboard."""
    if text.isprintable():
        return text
    return "".join(char for char in text if char in _ALLOWED_CONTROLS or unicodedata.category(char) not in {"Cc", "Cs"})


def columns(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A plain table, two spaces between columns; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(width_of(row[index]) for row in cells) for index in range(len(header))]
    right = [bool(rows) and all(_numeric(row[index]) for row in cells[1:]) for index in range(len(header))]
    return "\n".join(_row(row, widths, right=right) for row in cells)


def fields(pairs: Sequence[tuple[str, object]]) -> str:
    """Names and values, one pair a line; pairs without a value are left out."""
    shown = [(name, str(value)) for name, value in pairs if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in shown)


def usd(amount: Decimal | str | None) -> str:
    """Dollars for people: at least two places, and as many as the amount has."""
    if amount is None:
        return "-"
    value = Decimal(amount)
    text = f"{value.normalize():f}"
    whole, _, fraction = text.lstrip("-").partition(".")
    return f"{'-' if value < 0 else ''}${int(whole):,}.{fraction:<02}"


def _row(row: Sequence[str], widths: Sequence[int], *, right: Sequence[bool]) -> str:
    padded = [
        " " * (width - width_of(cell)) + cell if to_right else cell + " " * (width - width_of(cell))
        for cell, width, to_right in zip(row, widths, right, strict=True)
    ]
    return "  ".join(padded).rstrip()


def width_of(text: str) -> int:
    """Cells on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def _numeric(text: str) -> bool:
    return text.lstrip("-$").replace(",", "").replace(".", "", 1).isdigit() or text == "-"


def _spelled_out(value: Any) -> Any:
    """Decimals as digits: `0.0000001`, never `1E-7`."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {key: _spelled_out(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled_out(item) for item in value]
    return value
