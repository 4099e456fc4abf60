import pytest

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.problem import MethodNotAllowed
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply
from monkey_coder_server.web.routing import RouteTable


async def endpoint(_request: Request) -> Reply:
    return json_reply({})


TABLE = RouteTable(
    [
        Route("POST", "/v1/execute", endpoint),
        Route("GET", "/v1/models", endpoint),
        Route("GET", "/v1/models/{model:path}", endpoint),
        Route("POST", "/v1beta/models/{model:path}:generateContent", endpoint),
        Route("POST", "/v1/models/{model:path}:generateContent", endpoint),
        Route("GET", "/v1/keys/{key_id}", endpoint),
        Route("DELETE", "/v1/keys/{key_id}", endpoint),
        Route("GET", "/health", endpoint),
    ]
)


@pytest.mark.parametrize("path", ["/v1/execute", "/api/v1/execute"])
def test_native_routes_are_served_under_both_prefixes(path: str) -> None:
    assert TABLE.find("POST", path).route.path == "/v1/execute"


def test_other_routes_are_served_as_they_are() -> None:
    assert TABLE.find("GET", "/health").route.path == "/health"
    with pytest.raises(NotFound):
        TABLE.find("GET", "/api/health")


def test_a_greedy_placeholder_takes_slashes_and_leaves_the_verb() -> None:
    match = TABLE.find("POST", "/v1beta/models/openai/gpt-5:generateContent")
    assert match.parameters == {"model": "openai/gpt-5"}


@pytest.mark.parametrize(
    ("method", "served"),
    [
        ("POST", "/v1/models/{model:path}:generateContent"),
        ("GET", "/v1/models/{model:path}"),
        ("HEAD", "/v1/models/{model:path}"),
    ],
)
def test_of_two_patterns_that_fit_a_path_the_method_decides(method: str, served: str) -> None:
    assert TABLE.find(method, "/v1/models/openai/gpt-5:generateContent").route.path == served


def test_a_method_no_fitting_pattern_takes_is_told_all_that_are_taken() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        TABLE.find("DELETE", "/v1/models/openai/gpt-5:generateContent")
    assert refused.value.facts["allow"] == "GET, POST"


def test_a_placeholder_of_one_segment_takes_no_slash() -> None:
    with pytest.raises(NotFound):
        TABLE.find("GET", "/v1/keys/a/b")


def test_head_is_answered_where_get_is() -> None:
    assert TABLE.find("HEAD", "/health").route.method == "GET"


def test_a_wrong_method_is_told_the_right_ones() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        TABLE.find("POST", "/v1/keys/key_1")
    assert refused.value.facts["allow"] == "DELETE, GET"
    assert refused.value.message == "/v1/keys/key_1 does not take POST; it takes DELETE, GET."


def test_an_unknown_path_is_told_the_nearest_one() -> None:
    with pytest.raises(NotFound) as refused:
        TABLE.find("POST", "/v1/exectue")
    assert "did you mean /v1/execute?" in refused.value.message


def test_an_unprintable_or_endless_path_is_not_repeated() -> None:
    for path in ("/v1/" + "a" * 5000, "/v1/\x1b[31m"):
        with pytest.raises(NotFound) as refused:
            TABLE.find("GET", path)
        assert "this path" in refused.value.message


def test_two_endpoints_for_one_place_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="two endpoints"):
        RouteTable([Route("GET", "/x", endpoint), Route("GET", "/x", endpoint)])
