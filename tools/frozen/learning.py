"""What the router keeps of a small business, said by `tools.frozen.speaking`."""

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.bandit.checkpoint import Delta, Sum
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.ports.routing_store import RoutingDecision, RoutingOutcome, Weighed
from packages.server.tests.contract.booking import ACCOUNT, NOON


async def learn(store: Storage) -> None:
    """What the router keeps."""
    seen = Sum(("fix", "python", ACCOUNT), "openai/gpt-5", Tally(1.0, 0.5, 0.25))
    await store.evidence.add("learner_1", Delta(1, (seen,)))
    passed = Sum(("fix", "python", ACCOUNT), "together right", Tally(1.0, 1.0))
    await store.verdicts.add("learner_1 verdicts", Delta(1, (passed,)))
    told = Sum(("mark", "17"), "openai/gpt-5", Tally(1.0, -0.25))
    await store.texts.add("learner_1 texts", Delta(1, (told,)))
    weighed = Weighed("openai/gpt-5", 0.75, 0.125, 900, 700, 1.0)
    decided = RoutingDecision(
        request_id="req_1",
        at=NOON,
        account_id=ACCOUNT,
        kind="fix",
        language="",
        size="small",
        mode="balanced",
        arm=weighed.arm,
        propensity=1.0,
        explored=False,
        served=weighed.arm,
        cost=800,
        latency_ms=650,
        candidates=(weighed,),
    )
    await store.decisions.write([decided], [RoutingOutcome("req_1", NOON, 1.0, 1.0, "tests_passed")])
