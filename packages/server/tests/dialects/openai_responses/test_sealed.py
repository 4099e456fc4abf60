"""Proofs of thought say whose they are and what they prove; OpenAI's own are as OpenAI gave them."""

import pytest

from monkey_coder_server.dialects.openai_responses.sealed import Proof, seal_call, seal_thought, unseal


@pytest.mark.parametrize(
    ("signature", "redacted", "proof"),
    [
        ("c2ln", None, Proof("anthropic", "c2ln")),
        (None, "cmVk", Proof("anthropic", redacted="cmVk")),
        (None, None, Proof("anthropic")),
    ],
)
def test_a_proof_comes_back_as_it_went_out(signature: str | None, redacted: str | None, proof: Proof) -> None:
    sealed = seal_thought(signature=signature, redacted=redacted, origin="anthropic")
    assert sealed is not None
    assert unseal(sealed) == proof


def test_a_calls_signature_is_told_apart() -> None:
    assert unseal(seal_call("c2ln", "google")) == Proof("google", "c2ln", of_call=True)


def test_openais_own_are_bare() -> None:
    assert seal_thought(signature="gAAA", redacted=None, origin="openai") == "gAAA"
    assert seal_thought(signature=None, redacted=None, origin="openai") is None
    assert unseal("gAAA") == Proof("openai", "gAAA")
