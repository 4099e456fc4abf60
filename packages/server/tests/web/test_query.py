"""Queries are read as structs, and described as they are read."""

import pytest

from monkey_coder_protocol.queries import UsageQuery
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.query import described, read_query


def test_lists_come_with_commas_by_repetition_or_both() -> None:
    asked = read_query(UsageQuery, [("provider", "openai, xai"), ("provider", "groq"), ("model", ","), ("limit", "7")])
    assert (asked.provider, asked.model, asked.limit) == (["openai", "xai", "groq"], [], 7)


def test_names_in_camel_case_are_read_and_strange_ones_passed_over() -> None:
    asked = read_query(UsageQuery, [("startDate", "2026-11-01"), ("includeDetails", "True"), ("utm_source", "x")])
    assert (asked.start_date, asked.include_details) == ("2026-11-01", True)


def test_the_last_of_a_repeated_name_counts_and_an_empty_value_is_none() -> None:
    asked = read_query(UsageQuery, [("granularity", "weekly"), ("granularity", "monthly"), ("granularity", "")])
    assert asked.granularity == "monthly"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("limit", "0", "`limit` must be a whole number >= 1"),
        ("limit", "many", "`limit` must be a whole number, but text was sent"),
        ("granularity", "yearly", "it must be one of hourly, daily, weekly, monthly"),
        ("group_by", "day", "it must be one of provider, model, key, project, persona"),
        ("group_by", "key,model,persona", "`group_by` must be a list of length <= 2"),
        ("include_details", "maybe", "`include_details` must be true or false"),
    ],
)
def test_what_is_wrong_is_said_of_the_parameter(name: str, value: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_query(UsageQuery, [(name, value)])
    assert refused.value.message.startswith("The query parameter")
    assert says in refused.value.message


def test_each_field_is_described_once_and_never_required() -> None:
    parameters = {each["name"]: each for each in described(UsageQuery)}
    assert list(parameters) == list(UsageQuery.__struct_fields__)
    assert {(each["in"], each["required"]) for each in parameters.values()} == {("query", False)}
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}
    assert "UTC" in parameters["start_date"]["description"]
