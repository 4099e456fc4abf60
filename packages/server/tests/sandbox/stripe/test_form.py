from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from monkey_coder_server.sandbox.stripe.form import BrokenForm, decode

NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.text(max_size=8),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(TREES)
def test_what_the_sdk_encodes_is_decoded_to_the_same_tree(tree: dict[str, object]) -> None:
    assert decode(urlencode(list(_api_encode(tree)))) == tree


def test_an_empty_pair_of_brackets_appends() -> None:
    assert decode("expand[]=a&expand[]=b") == {"expand": ["a", "b"]}


def test_metadata_whose_names_are_numbers_stay_a_hash() -> None:
    assert decode("metadata[0]=a&payment_intent_data[metadata][0]=b") == {
        "metadata": {"0": "a"},
        "payment_intent_data": {"metadata": {"0": "b"}},
    }


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a=1&a=2", "[b]=1", "a[b=1"])
def test_contradicting_or_broken_names_are_refused(text: str) -> None:
    with pytest.raises(BrokenForm):
        decode(text)
