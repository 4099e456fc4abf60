"""What the simulated models answer: small working programs for coding prompts, short prose for the rest."""

from monkey_coder_server.sandbox.answers.composing import compose
from monkey_coder_server.sandbox.answers.prose import thoughts

__all__ = ["compose", "thoughts"]
