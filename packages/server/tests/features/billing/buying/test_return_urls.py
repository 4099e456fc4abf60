"""Where a browser may go after paying: nowhere that a stranger chose."""

import pytest

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.billing.buying.return_urls import ReturnUrls

URLS = ReturnUrls("https://gateway.example", frozenset({"https://app.example", "https://beta.example:8443"}))
GOOD = (
    "https://gateway.example/x?y=1#z",
    "https://gateway.example:443/",
    "https://GATEWAY.example/",
    "https://app.example/",
    "https://beta.example:8443/a",
    "http://localhost:3000/done",
    "http://127.0.0.1:7777/callback",
    "http://[::1]:7777/",
    "https://localhost/",
)
BAD = (
    "",
    "/billing",
    "//gateway.example/",
    "http://gateway.example/",
    "https://gateway.example.evil.example/",
    "https://gateway.example@evil.example/",
    "https://user@gateway.example/",
    "https://evil.example/?https://gateway.example",
    "https://evil.example\\@gateway.example/",
    "https://gateway.example\\.evil.example/",
    "https://beta.example/",
    "https://app.example:444/",
    "http://127.0.0.1.evil.example/",
    "http://localhost.evil.example/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "javascript:alert(1)",
    "data:text/html,x",
    "monkey://done",
    "https://gateway.example/ x",
    "https://gateway.example/\r\nx: y",
    "https://gateway.example:99999/",
    "https://[::1",
    "https://gateway.example/" + "x" * 2_000,
    "https://gаteway.example/",  # noqa: RUF001 - a Cyrillic letter is the attack
)


@pytest.mark.parametrize("url", GOOD)
def test_own_listed_and_loopback_places_are_kept(url: str) -> None:
    assert URLS.checked("success_url", url, "/billing") == url
    assert URLS.kept(url, "/billing") == url


@pytest.mark.parametrize("url", BAD)
def test_any_other_place_is_refused_or_replaced(url: str) -> None:
    with pytest.raises(InvalidRequest, match="success_url"):
        URLS.checked("success_url", url, "/billing")
    assert URLS.kept(url, "/billing") == "https://gateway.example/billing"


def test_nothing_given_is_a_page_of_ours() -> None:
    assert URLS.checked("success_url", None, "/billing/success") == "https://gateway.example/billing/success"
    assert URLS.kept(None, "/billing") == "https://gateway.example/billing"
