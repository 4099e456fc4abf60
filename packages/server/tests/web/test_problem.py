from datetime import UTC, datetime

import msgspec

from monkey_coder_protocol.errors import ErrorCode
from monkey_coder_server.domain import errors
from monkey_coder_server.domain.errors import BudgetExceeded, GatewayError, InsufficientCredit, RateLimited
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Standing, Unit
from monkey_coder_server.web import problem
from monkey_coder_server.web.problem import STATUS, NativeProblems, problem_headers


def every_error() -> list[type[GatewayError]]:
    found = [GatewayError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found


def test_every_error_has_a_status() -> None:
    declared = {kind for kind in every_error() if kind.__module__ in {errors.__name__, problem.__name__}}
    assert len(declared) > 20
    assert {kind.code for kind in declared} == set(STATUS)


def test_every_code_of_the_protocol_has_a_status() -> None:
    assert {code.value for code in ErrorCode} <= set(STATUS)


def test_the_body_says_the_sentence_twice_because_clients_print_either() -> None:
    body = NativeProblems("http://here/billing").body(errors.NotFound("Nothing there."), "req_1")
    assert msgspec.to_builtins(body) == {
        "detail": "Nothing there.",
        "message": "Nothing there.",
        "error_code": "not_found",
        "status_code": 404,
        "request_id": "req_1",
    }


def test_missing_credit_names_balance_limit_and_where_to_top_up() -> None:
    error = InsufficientCredit("Too dear.", facts={"balance_usd": "0.10", "limit_usd": "0.25"})
    body = NativeProblems("http://here/billing").body(error, "req_1")
    assert body.message == "Too dear. Balance: 0.10 USD. Limit: 0.25 USD. Top up at http://here/billing"
    assert (body.balance_usd, body.limit_usd, body.top_up_url) == ("0.10", "0.25", "http://here/billing")
    assert body.status_code == 402


def test_credit_is_no_remedy_for_a_limit_so_nobody_is_sent_to_top_up() -> None:
    day = Limit(Holder(HolderKind.KEY, "key_1"), Period.DAY, Unit.MONEY, 1_000)
    for error in (
        LimitReached(Standing(day), 1_001, datetime(2026, 11, 22, 12, tzinfo=UTC)),
        BudgetExceeded("It can cost more.", facts={"limit": "max_cost", "limit_usd": "0.25"}),
    ):
        body = NativeProblems("http://here/billing").body(error, "req_1")
        assert body.status_code == 402
        assert "http://here/billing" not in body.message
        assert body.top_up_url is msgspec.UNSET
        assert (body.limit_usd, body.error_code) == (error.facts["limit_usd"], "budget_exceeded")
    assert (
        "it resets at 2026-11-23 00:00 UTC"
        in NativeProblems("")
        .body(LimitReached(Standing(day), 1_001, datetime(2026, 11, 22, 12, tzinfo=UTC)), "req_1")
        .message
    )


def test_what_the_message_says_already_is_not_said_again() -> None:
    error = BudgetExceeded("The cap of 1.00 USD is reached.", facts={"limit_usd": "1.00"})
    body = NativeProblems("http://here/billing").body(error, "req_1")
    assert body.message.count("1.00") == 1


def test_sdks_are_told_not_to_retry_what_cannot_succeed() -> None:
    for error in (errors.InvalidApiKey("no"), InsufficientCredit("no"), BudgetExceeded("no")):
        assert (b"x-should-retry", b"false") in problem_headers(error)
    assert (b"x-should-retry", b"false") not in problem_headers(errors.Unavailable("later"))


def test_retry_after_is_whole_seconds_and_never_zero() -> None:
    assert (b"retry-after", b"3") in problem_headers(RateLimited("slow", retry_after=2.1))
    assert (b"retry-after", b"1") in problem_headers(RateLimited("slow", retry_after=0.0))
