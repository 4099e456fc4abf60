import zlib

import pytest

from monkey_coder_server.features.inference.squeezing import squeezed, squeezer

PROSE = b"".join(b"line %d of an answer\n" % number for number in range(20_000))


@pytest.mark.parametrize("size", [0, 1, 500, 32_767, 32_768, len(PROSE)])
def test_whatever_is_squeezed_is_read_back_by_zlib(size: int) -> None:
    assert zlib.decompress(squeezed(PROSE[:size])) == PROSE[:size]


@pytest.mark.parametrize(("size", "window"), [(0, 12), (500, 12), (32_767, 12), (32_768, 15)])
def test_a_short_text_takes_little_memory(size: int, window: int) -> None:
    """By RFC 1950 the first byte says how far back a text is looked at: two to that power plus eight."""
    first, *_ = squeezed(PROSE[:size])
    assert (first >> 4) + 8 == window


def test_a_stream_is_squeezed_piece_by_piece() -> None:
    squeeze = squeezer()
    pieces = [squeeze.compress(PROSE[start : start + 1_000]) for start in range(0, len(PROSE), 1_000)]
    assert zlib.decompress(b"".join([*pieces, squeeze.flush()])) == PROSE
