"""Made-up arms for tests of sequences and races."""

from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.difficulty import chances
from monkey_coder_server.domain.bandit.runner import Given, Runner, verdict_sights
from monkey_coder_server.domain.bandit.verifier import Rates

GOOD = Rates(0.9, 0.1, 0.01)
USELESS = Rates(0.5, 0.5, 0.01)


def runner(
    name: str,
    quality: float,
    cost: float,
    *,
    rates: Rates = GOOD,
    slope: float = 3.0,
    bound: int | None = None,
    times: tuple[tuple[float, ...], tuple[float, ...]] = ((10.0,), (10.0,)),
) -> Runner:
    """An arm of a quality and cost, whether right or wrong, whose worst case is three times that cost."""
    worst = round(cost * 3e9) if bound is None else bound
    return Runner(name, chances(quality, slope), Given(cost, cost), worst, verdict_sights(rates), times)


RUNNERS = st.lists(
    st.builds(
        runner,
        st.just("arm"),
        st.floats(0.05, 0.95),
        st.floats(0.0, 2.0),
        rates=st.sampled_from([GOOD, USELESS, Rates(1.0, 0.0, 0.0)]),
        bound=st.integers(1, 10),
    ),
    min_size=1,
    max_size=4,
)
