"""What reaches stdout and stderr."""

import sys
from decimal import Decimal

import pytest

from monkey_coder.cli import output


@pytest.mark.parametrize(("terminal", "shown"), [(True, "a[31mb\n\tc"), (False, "a\x1b[31mb\r\n\tc")])
def test_a_terminal_gets_no_control_characters_and_a_pipe_gets_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool, shown: str
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    output.write("a\x1b[31mb\r\n\tc")
    assert capsys.readouterr().out == shown


def test_errors_never_carry_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.error_line("from the gateway: \x1b]0;title\x07")
    assert capsys.readouterr().err == "from the gateway: ]0;title\n"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("5", "$5.00"),
        ("0.1", "$0.10"),
        ("0.00123", "$0.00123"),
        ("1234.50", "$1,234.50"),
        ("-0.5", "-$0.50"),
        ("1E+3", "$1,000.00"),
        (Decimal("0E-9"), "$0.00"),
        (None, "-"),
    ],
)
def test_dollars_for_people(amount: Decimal | str | None, shown: str) -> None:
    assert output.usd(amount) == shown


def test_columns_align_words_left_and_numbers_right_by_cells() -> None:
    table = output.columns(("name", "n"), [("日本", "1"), ("é", "1,000"), ("e\u0301x", "-")])
    assert table.splitlines() == ["name      n", "日本      1", "é     1,000", "e\u0301x        -"]


def test_fields_leave_out_what_has_no_value() -> None:
    assert output.fields([("a", 1), ("long name", None), ("b", ""), ("cc", 0)]) == "a   1\ncc  0"
    assert output.fields([]) == ""


def test_documents_spell_decimals_out() -> None:
    assert output.plain({"a": Decimal("1.10"), "b": [Decimal("1E-7")]}) == {"a": "1.10", "b": ["0.0000001"]}
