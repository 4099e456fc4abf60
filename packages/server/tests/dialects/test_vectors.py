"""An embedding's numbers survive each way of writing them."""

from array import array
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects import vectors

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(floats, min_size=1))
def test_what_was_packed_is_read_back_to_the_last_bit(numbers: list[float]) -> None:
    assert vectors.from_base64(vectors.to_base64(array("d", numbers))).tolist() == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e3, max_value=1e3), min_size=1))
def test_a_number_is_packed_as_the_nearest_float_of_32_bits(numbers: list[float]) -> None:
    plain = vectors.from_floats(numbers)
    assert plain.tolist() == numbers
    once = vectors.from_base64(vectors.to_base64(plain))
    assert vectors.from_base64(vectors.to_base64(once)) == once
    assert once.tolist() == pytest.approx(numbers, rel=1e-6, abs=1e-37)


@given(st.lists(st.integers(min_value=-128, max_value=127), min_size=1))
def test_signed_bytes_are_read_as_the_numbers_they_are(numbers: list[int]) -> None:
    packed = b64encode(bytes(number % 256 for number in numbers)).decode()
    assert vectors.from_int8(packed).tolist() == numbers


@pytest.mark.parametrize("order", ["little", "big"])
def test_openais_own_vector_reads_as_its_client_reads_it(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "AACAPwAAAL8="
    if order == "big":  # what a machine of that kind would find in the same bytes
        monkeypatch.setattr(vectors.sys, "byteorder", order)
        text = "P4AAAL8AAAA="
    assert vectors.from_base64(text).tolist() == [1.0, -0.5]


@pytest.mark.parametrize("text", ["", "AAA=", "AACAP", "not base64", "ÄÖ=="])
def test_what_is_no_vector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        vectors.from_base64(text)


@pytest.mark.parametrize("numbers", [[], [1e39], [0.0, -1e300]])
def test_numbers_nobody_could_send_on_are_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        vectors.from_floats(numbers)


def test_no_bytes_are_no_vector() -> None:
    with pytest.raises(ValueError, match="no numbers"):
        vectors.from_int8("")
