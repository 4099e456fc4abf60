"""Signatures keep their origin through a foreign dialect."""

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.seals import seal, unseal

PROVIDERS = st.sampled_from(["openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot"])


@given(signature=st.text(min_size=1).filter(lambda text: not text.startswith("mk1.")), origin=PROVIDERS, home=PROVIDERS)
def test_what_was_sealed_comes_back_with_its_origin(signature: str, origin: str, home: str) -> None:
    assert unseal(seal(signature, origin=origin, home=home), home=home) == (origin, signature)


def test_a_signature_of_the_home_stays_as_it_is() -> None:
    assert seal("EqQB", origin="anthropic", home="anthropic") == "EqQB"


def test_a_broken_seal_counts_as_the_homes_own() -> None:
    assert unseal("mk1.", home="google") == ("google", "mk1.")
    assert unseal("mk1.a/b.c", home="google") == ("google", "mk1.a/b.c")
