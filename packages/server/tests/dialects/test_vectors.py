"""An embedding's numbers survive each way of writing them."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects import vectors

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats))
def test_what_was_packed_is_read_back_to_the_last_bit(numbers: list[float]) -> None:
    assert list(vectors.from_base64(vectors.to_base64(numbers))) == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e3, max_value=1e3), min_size=1))
def test_a_number_is_packed_as_the_nearest_float_of_32_bits(numbers: list[float]) -> None:
    once = vectors.from_base64(vectors.to_base64(vectors.checked(numbers)))
    assert vectors.from_base64(vectors.to_base64(once)) == once
    assert once == pytest.approx(numbers, rel=1e-6, abs=1e-37)


@given(st.lists(st.integers(min_value=-128, max_value=127)))
def test_signed_bytes_are_read_as_the_numbers_they_are(numbers: list[int]) -> None:
    packed = b64encode(bytes(number % 256 for number in numbers)).decode()
    assert list(vectors.from_int8(packed)) == numbers


def test_openais_own_vector_reads_as_its_client_reads_it() -> None:
    assert vectors.from_base64("AACAPwAAAL8=") == (1.0, -0.5)


@pytest.mark.parametrize("text", ["AAAA", "AACAP", "not base64", "ÄÖ=="])
def test_what_is_no_vector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        vectors.from_base64(text)


@pytest.mark.parametrize("numbers", [[], [1e39], [0.0, -1e300]])
def test_numbers_nobody_could_send_on_are_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        vectors.checked(numbers)
