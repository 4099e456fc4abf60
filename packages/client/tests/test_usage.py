"""`client.usage`, sync and async: filters, pages, files and the forecast."""

from collections.abc import Callable
from typing import Any

from packages.client.tests.fake_gateway import Answer, FakeGateway, reply
from packages.client.tests.usage_answers import FORECAST

PATH = "/v1/billing/usage"


def test_filters_are_sent_as_the_gateway_reads_them(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    connect().usage(
        end="2026-11-30",
        model=["gpt-5", "xai/grok-4"],
        key_id="key_1",
        status=[],
        group_by=("key", "model"),
        limit=5,
        include_details=False,
        after="x",
    )
    assert gateway.seen[0].query == {
        "end_date": "2026-11-30",
        "model": "gpt-5,xai/grok-4",
        "key_id": "key_1",
        "group_by": "key,model",
        "limit": "5",
        "include_details": "false",
        "after": "x",
    }


def test_pages_follow_each_other_to_the_last(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on(PATH, *[reply({"groups": [number], "next": after}) for number, after in ((1, "a"), (2, "b"), (3, None))])
    assert [page["groups"] for page in connect().usage.pages(group_by="model")] == [[1], [2], [3]]
    assert [seen.query.get("after") for seen in gateway.seen] == [None, "a", "b"]
    assert {seen.query["group_by"] for seen in gateway.seen} == {"model"}


def test_a_file_is_what_was_sent(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on(f"{PATH}/export", Answer(200, {"content-type": "text/csv"}, (b"a,", b"b\n")))
    assert connect().usage.export("focus", start="2026-11-01", provider="groq") == b"a,b\n"
    assert gateway.seen[0].query == {"format": "focus", "start_date": "2026-11-01", "provider": "groq"}


def test_the_forecast_says_when_too_little_is_known(connect: Callable[..., Any]) -> None:
    found = connect().usage.forecast()
    assert (found.enough_history, found.days, found.runs_out) == (FORECAST["enough_history"], 3, None)
