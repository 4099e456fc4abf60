from datetime import date

import pytest

from monkey_coder_server.adapters.invoices.csv_file import parse
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.invoices import Invoice

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def read(text: str) -> Invoice:
    return parse(text, FIRST, LAST)


def test_a_line_a_request_is_read_with_its_id_and_exact_amount() -> None:
    invoice = read(
        "Request ID,Timestamp,Model,Input Tokens,Cached Input Tokens,Output Tokens,Cost (USD),Currency\n"
        "req_1,2026-11-02T23:59:59+00:00,grok-4,1000,10,20,0.000000123,usd\n"
        '"req_2",1793664000,grok-4,"2,000",,20,1e-6,USD\n'
    )
    assert (invoice.by_request, invoice.resolution) == (True, 1)
    one, two = invoice.lines
    assert (one.provider_request_id, one.day, one.model, one.amount, one.currency) == (
        "req_1",
        "2026-11-02",
        "grok-4",
        123,
        "USD",
    )
    assert dict(one.tokens) == {"input": 1000, "cache_read": 10, "output": 20}
    assert (two.day, two.amount, dict(two.tokens)) == ("2026-11-03", 1_000, {"input": 2000, "output": 20})


@pytest.mark.parametrize(
    ("column", "value", "nano"), [("amount_cents", "1.5", 15_000_000), ("cost_in_usd_ticks", "25", 2)]
)
def test_other_units_are_turned_into_nano_dollars(column: str, value: str, nano: int) -> None:
    [line] = read(f"day,model,{column}\n2026-11-02,m,{value}\n").lines
    assert line.amount == nano


def test_amounts_in_whole_cents_are_known_to_be_no_finer() -> None:
    assert read("day,model,amount\n2026-11-02,m,1.50\n2026-11-02,n,0.07\n").resolution == 10_000_000


def test_googles_cost_table_is_read_as_it_is_downloaded() -> None:
    invoice = read(
        "Service description,SKU description,Usage start date,Usage amount,Usage unit,Cost ($)\n"
        "Gemini API,Gemini 2.5 Flash GA Text Input - Predictions,2026-11-02,1000,count,0.0003\n"
        "Gemini API,Gemini 2.5 Flash-Lite Text Input Cached Content,2026-11-02,50,count,0.000001\n"
        "Gemini API,Generate content output token count Gemini 2.5 Pro,2026-11-02,70,count,0.0007\n"
        "Gemini API,Gemini 2.5 Pro Text Output - Predictions,2026-12-01,70,count,0.0007\n"
    )
    assert [(line.model, dict(line.tokens)) for line in invoice.lines] == [
        ("gemini-2.5-flash", {"uncached_input": 1000}),
        ("gemini-2.5-flash-lite", {"cache_read": 50}),
        ("gemini-2.5-pro", {"output": 70}),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must name the columns"),
        ("a,b\n1,2\n", "must name the columns"),
        ("day,model\n2026-11-02,m\n", "neither an amount nor a count"),
        ("day,model,amount\n2026-11-02,m\n", "Line 2 has 2 fields"),
        ("day,model,amount\n2026-11-02,m,NaN\n", "Line 2: 'NaN' is not an amount"),
        ("day,model,amount\n2026-11-02,m,=1+1\n", "is not an amount"),
        ("day,model,amount\nyesterday,m,1\n", "'yesterday' is not a date"),
        ("day,model,output_tokens\n2026-11-02,m,-3\n", "'-3' is not a count"),
        ("day,model,amount\n2026-11-02,m,99999999999999\n", "is not an amount"),
        ("day,model,amount\n2026-11-02,m," + "9" * 20_000, "not CSV"),
    ],
)
def test_what_is_no_invoice_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read(text)
