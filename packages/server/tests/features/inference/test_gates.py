"""Every provider has its own places and its own budget."""

from monkey_coder_server.features.inference.bulkhead import Bulkhead
from monkey_coder_server.features.inference.call_budget import RETRIES
from monkey_coder_server.features.inference.gates import Gate, Gates, Place
from monkey_coder_server.features.inference.keyring import KeyRing

NOW = 1_000.0


def test_one_provider_takes_no_place_of_another() -> None:
    gates = Gates(1, 1)
    assert gates.of("openai").bulkhead.take("acc_one")
    assert not gates.of("openai").bulkhead.free_for("acc_one")
    assert gates.of("google").bulkhead.free_for("acc_one")


def test_a_retry_is_paid_for_and_a_first_call_adds_its_share() -> None:
    gate = Gate(Bulkhead(1, 1))
    for _ in range(int(RETRIES.most)):
        gate.called(NOW, again=True, elsewhere=False)
    assert not gate.budget.allows(NOW)
    for _ in range(11):
        gate.called(NOW, again=False, elsewhere=False)
    assert gate.budget.allows(NOW)


def test_calls_that_come_from_a_failed_provider_spend_what_there_is() -> None:
    gate = Gate(Bulkhead(1, 1))
    for _ in range(int(RETRIES.most) + 2):
        gate.called(NOW, again=False, elsewhere=True)
    assert not gate.budget.allows(NOW)


def test_a_place_is_given_back_once() -> None:
    ring, bulkhead = KeyRing(["a"]), Bulkhead(1, 1)
    taken = ring.take("m", 0.0)
    assert taken is not None
    assert bulkhead.take("acc_one")
    place = Place(bulkhead, "acc_one", ring, taken[0])
    place.leave()
    place.leave()
    assert bulkhead.take("acc_one")
    assert not bulkhead.free_for("acc_one")
