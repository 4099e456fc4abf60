"""Accounts take turns: no flood is ahead of anybody, nobody idles, nothing is lost."""

from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.fair_queue import FairQueue

DEAREST = 64
accounts = st.sampled_from("abcd")
costs = st.integers(1, DEAREST)


def drained(queue: FairQueue[str]) -> list[str]:
    served = []
    while (item := queue.next()) is not None:
        served.append(item)
    return served


def test_in_an_account_they_go_in_the_order_they_came() -> None:
    queue = FairQueue[str]()
    for item in ("a1", "a2", "a3"):
        queue.join("a", item)
    assert drained(queue) == ["a1", "a2", "a3"]


def test_who_comes_last_with_one_does_not_wait_for_all_of_who_came_first_with_many() -> None:
    queue = FairQueue[str]()
    for number in range(100):
        queue.join("flood", f"flood {number}")
    assert [queue.next() for _ in range(10)] == [f"flood {number}" for number in range(10)]
    queue.join("quiet", "quiet")
    assert queue.accounts == 2
    assert "quiet" in {queue.next(), queue.next()}


def test_who_sent_something_dear_is_passed_by_others_until_they_are_even() -> None:
    queue = FairQueue[str]()
    queue.join("dear", "dear 1", 10)
    queue.join("dear", "dear 2", 10)
    for number in range(15):
        queue.join("cheap", f"cheap {number}")
    served = drained(queue)
    assert served.index("dear 1") == 0
    assert 9 <= served.index("dear 2") <= 11


def test_an_account_cannot_shed_what_it_was_given_by_emptying_its_line() -> None:
    queue = FairQueue[str]()
    queue.join("dear", "dear 1", 10)
    for number in range(30):
        queue.join("cheap", f"cheap {number}")
    assert queue.next() == "dear 1"
    queue.join("dear", "dear 2", 10)
    assert drained(queue).index("dear 2") >= 9


def test_an_account_can_be_passed_over_and_is_owed_nothing_for_it() -> None:
    queue = FairQueue[str]()
    for number in range(6):
        queue.join("sated", f"sated {number}")
        queue.join("other", f"other {number}")
    assert [queue.next(passing_over="sated") for _ in range(4)] == [f"other {number}" for number in range(4)]
    assert [queue.next() for _ in range(4)] == ["sated 0", "other 4", "sated 1", "other 5"]
    assert queue.next(passing_over="sated") is None
    assert drained(queue) == [f"sated {number}" for number in range(2, 6)]


@given(st.lists(st.tuples(accounts, costs), min_size=1, max_size=200))
def test_while_two_wait_neither_is_given_more_than_one_item_more(sent: list[tuple[str, int]]) -> None:
    queue, left, given_to = FairQueue[int](), Counter[str](), Counter[str]()
    for number, (account, cost) in enumerate(sent):
        queue.join(account, number, cost)
        left[account] += 1
    since = {account: Counter[str]() for account in left}
    while (number := queue.next()) is not None:
        account, cost = sent[number]
        left[account] -= 1
        given_to[account] += cost
        for one in left:
            for other in left:
                if left[one] and left[other]:
                    both = given_to[one] - since[one][other], given_to[other] - since[other][one]
                    assert abs(both[0] - both[1]) <= 2 * DEAREST
    assert not any(left.values())


@given(st.lists(st.tuples(st.sampled_from(["join", "next", "leave", "drop"]), accounts, costs), max_size=120))
def test_whatever_happens_nobody_is_lost_served_twice_or_kept_while_the_way_is_free(
    steps: list[tuple[str, str, int]],
) -> None:
    queue, lines, number = FairQueue[int](), {account: deque[int]() for account in "abcd"}, 0
    for step, account, cost in steps:
        here = sum(map(len, lines.values()))
        if step == "join":
            number += 1
            queue.join(account, number, cost)
            lines[account].append(number)
        elif step == "leave":
            going = lines[account].popleft() if lines[account] else None
            assert queue.leave(account, number + 1 if going is None else going) is (going is not None)
        elif step == "next":
            first, item = queue.first, queue.next()
            assert (item is None) is (here == 0)
            if item is not None:
                [mine] = [line for line in lines.values() if line and line[0] == item]
                assert first is not None
                assert lines[first] is mine
                mine.popleft()
        else:
            item = queue.last_of_longest()
            assert (item is None) is (here == 0)
            if item is not None:
                longest = max(map(len, lines.values()))
                [mine] = [line for line in lines.values() if line and line[-1] == item]
                assert len(mine) == longest
                mine.pop()
        assert len(queue) == sum(map(len, lines.values()))
        assert queue.accounts == sum(1 for line in lines.values() if line)
        assert all(queue.waiting(account) == len(line) for account, line in lines.items())
