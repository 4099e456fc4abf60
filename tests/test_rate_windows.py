"""How grants within a minute are counted, compared with counting them one window after the other."""

from hypothesis import given
from hypothesis import strategies as st

from tests.rates.windows import Grant, most_at_once, most_within

MOMENTS = st.integers(0, 30)
GRANTS = st.lists(
    st.builds(lambda begun, lasts, amount: Grant(begun, begun + lasts, amount), MOMENTS, st.integers(0, 5), MOMENTS),
    max_size=12,
)


@given(GRANTS)
def test_the_most_is_what_one_window_surely_holds(grants: list[Grant]) -> None:
    windows = [
        sum(grant.amount for grant in grants if start <= grant.earliest and grant.latest <= start + 10)
        for start in range(-10, 40)
    ]
    assert most_within(grants, 10) == max(windows)


def test_who_ends_as_another_begins_made_room_for_it() -> None:
    assert most_at_once([(0, 1), (1, 2), (1, 3), (5, 6)]) == 2
    assert most_at_once([]) == 0
