"""`auto` moves to what does the work, by kind of work, and others are not dragged along by one account."""

from typing import Any

from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback

ROUNDS = 60


async def leader(gateway: Gateway, task_type: str, account: str) -> str:
    info = await gateway.ask("/v1/router/debug", task_type=task_type, account=account)
    model: str = info.json["debug_info"]["metadata"]["chosen"]
    return model


async def played(gateway: Gateway, bad: str, *, accounts: int, rounds: int = ROUNDS, **fields: Any) -> list[str]:
    """The models that served, where one of them always fails its tests at this work and the others pass them."""
    served = []
    for number in range(rounds):
        account = f"acct_{number % accounts}"
        context = {"max_tokens": 100 + number // 2}
        answer = (await gateway.ask(context=context, account=account, **fields)).json
        metadata = answer["result"]["metadata"]
        served.append(f"{metadata['provider']}/{metadata['model']}")
        outcome = "tests_failed" if served[-1] == bad else "tests_passed"
        sent = feedback(request_id=answer["execution_id"], outcome=outcome)
        assert (await gateway.ask("/v1/feedback", body=sent, account=account)).status == 200
    return served


async def test_what_fails_its_tests_for_many_is_left_for_what_passes_them() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    bad = await leader(gateway, "debugging", "acct_new")
    served = await played(gateway, bad, accounts=12, task_type="debugging")
    assert served[0] == bad
    assert bad not in served[-ROUNDS // 3 :]
    assert await leader(gateway, "debugging", "acct_new") != bad


async def test_one_account_alone_leaves_what_fails_it() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    bad = await leader(gateway, "debugging", "acct_new")
    served = await played(gateway, bad, accounts=1, task_type="debugging")
    assert bad not in served[-ROUNDS // 3 :]


async def test_a_model_that_fails_at_one_kind_of_work_is_blamed_less_at_another() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    bad = await leader(gateway, "debugging", "acct_new")

    async def success(task_type: str) -> float:
        info = await gateway.ask("/v1/router/debug", task_type=task_type, account="acct_new")
        candidates = info.json["debug_info"]["metadata"]["candidates"]
        return next(float(each["success"]) for each in candidates if each["model"] == bad)

    before = {kind: await success(kind) for kind in ("debugging", "documentation")}
    await played(gateway, bad, accounts=12, model=bad, task_type="debugging")
    gateway.health.version += 1
    fallen = {kind: before[kind] - await success(kind) for kind in before}
    assert fallen["debugging"] > fallen["documentation"] > 0
