"""A user's program, never run: `mypy --strict` must accept it (see test_typing.py)."""

# ruff: noqa: T201  # a sample program prints

from decimal import Decimal

from monkey_coder import (
    AsyncClient,
    BudgetExceededError,
    Client,
    Execution,
    FileData,
    InsufficientCreditError,
    RateLimitError,
    RoutingWeights,
    TaskOptions,
)


def sync_program() -> Decimal | None:
    options: TaskOptions = {"persona": "tester", "max_cost": Decimal("0.1"), "collapse": "vote", "branches": 3}
    options["weights"] = RoutingWeights(quality=1, cost=0.3)
    with Client() as client:
        try:
            answer: Execution = client.execute("write tests", files=[FileData("a.py", "x = 1")], model="auto:cheap")
        except InsufficientCreditError as error:
            return error.balance_usd
        except (BudgetExceededError, RateLimitError) as error:
            print(error.error_code, error.retry_after, error.request_id)
            return None
        with client.with_options(timeout=60).stream("explain", **options) as stream:
            for event in stream:
                if event.type == "delta":
                    print(event.data)
            print(stream.final().model, stream.text)
        names: list[str] = [artifact.filename for artifact in answer.artifacts]
        print(names, client.balance().available_usd, client.keys.list().count)
        return answer.cost_usd


async def async_program() -> str:
    async with AsyncClient(api_key="mk-…", base_url="http://localhost:8000") as client:
        async with await client.stream("hello", task_type="chat") as stream:
            async for event in stream:
                print(event.type)
        status = await client.auth.status()
        return (await client.execute("x")).text + str(status.authenticated)
