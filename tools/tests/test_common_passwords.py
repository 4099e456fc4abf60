from itertools import islice

from monkey_coder_server.adapters.passwords import password_filter
from tools.common_passwords import filter_of


def test_a_filter_holds_what_was_put_in_and_little_else() -> None:
    words = [f"word {number}" for number in range(1_000)]
    bits = filter_of(words, 3_000)
    assert filter_of(reversed(words), 3_000) == bits

    def held(word: str) -> bool:
        return all(bits[place >> 3] >> (place & 7) & 1 for place in password_filter.places(word, len(bits) * 8))

    assert all(map(held, words))
    others = (f"other {number}" for number in range(10**6))
    assert sum(map(held, islice(others, 10_000))) < 5
