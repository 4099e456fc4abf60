"""What two headers say together of the cache of answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.cache_control import MOST_SECONDS, CacheMode, CacheWish, read_wish
from monkey_coder_server.domain.errors import InvalidRequest

REFUSED = CacheWish(asked=False, look=False, store=False)


@pytest.mark.parametrize(
    ("control", "own", "wish"),
    [
        (None, None, CacheWish()),
        ("", None, CacheWish()),
        ("private, no-transform, max-stale=5", None, CacheWish()),
        ("max-age=60", None, CacheWish(asked=True, max_age=60)),
        ('Max-Age="60" , public', None, CacheWish(asked=True, max_age=60)),
        ("max-age=0", None, CacheWish(look=False, max_age=0)),
        ("max-age=-1", None, CacheWish()),
        ("max-age=soon", None, CacheWish()),
        ("max-age", None, CacheWish()),
        ("max-age=4294967296", None, CacheWish(asked=True, max_age=MOST_SECONDS)),
        ("max-age=" + "9" * 5_000, None, CacheWish(asked=True, max_age=MOST_SECONDS)),
        ("no-cache", None, CacheWish(look=False)),
        ("no-store", None, REFUSED),
        ("no-store, max-age=60", "on", REFUSED._replace(max_age=60)),
        ("only-if-cached", None, CacheWish(asked=True, only_if_cached=True)),
        ("only-if-cached", "off", REFUSED._replace(only_if_cached=True)),
        (None, "on", CacheWish(asked=True)),
        (None, " ON ", CacheWish(asked=True)),
        (None, "semantic", CacheWish(asked=True, reworded=True)),
        ("no-cache", "semantic", CacheWish(asked=True, look=False, reworded=True)),
        ("no-store", "semantic", REFUSED),
        (None, "off", REFUSED),
        (None, "refresh", CacheWish(asked=True, look=False)),
        ("max-age=60", "refresh", CacheWish(asked=True, look=False, max_age=60)),
        ("no-cache", "on", CacheWish(asked=True, look=False)),
    ],
)
def test_what_is_meant(control: str | None, own: str | None, wish: CacheWish) -> None:
    assert read_wish(control, own) == wish


@given(st.text(), st.sampled_from([None, "on", "off", "refresh", "semantic"]))
def test_any_header_says_something_and_what_forbids_goes_first(control: str, own: str | None) -> None:
    wish = read_wish(control, own)
    assert not (wish.asked and not wish.store)
    assert not (wish.look and not wish.store)
    assert not (wish.reworded and not wish.asked)
    assert read_wish(f"no-store,{control}", own)._replace(max_age=None, only_if_cached=False) == REFUSED


def test_a_word_of_our_own_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must be one of on, off, refresh, semantic; 'hit' was sent"):
        read_wish(None, "hit")


@pytest.mark.parametrize("mode", CacheMode)
@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("control", ["", "max-age=9", "no-store"])
def test_who_takes_part(mode: CacheMode, control: str, *, repeatable: bool) -> None:
    expected = {
        CacheMode.OFF: False,
        CacheMode.OPT_IN: control == "max-age=9",
        CacheMode.OPT_OUT: control == "max-age=9" or (repeatable and not control),
    }[mode]
    assert read_wish(control, None).takes_part(mode, repeatable=repeatable) is expected
