"""`feedback`."""

from typing import Any

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

_OUTCOMES = ["accepted", "rejected", "tests_passed", "tests_failed"]


@command("feedback", examples=("monkey feedback req_123 tests_passed", "monkey feedback req_123 rejected --score 0.2"))
@click.argument("request_id")
@click.argument("outcome", type=click.Choice(_OUTCOMES))
@click.option("--score", type=click.FloatRange(0, 1), metavar="S", help="How good it was, 0 to 1.")
@pass_session
def feedback(session: Session, request_id: str, outcome: Any, score: float | None) -> None:
    """Tell how the answer to REQUEST_ID turned out; routing learns from it."""
    with session.client() as client:
        answer = client.feedback(request_id, outcome, score=score)
    session.emit(answer, text=lambda: f"Thank you: {request_id} {outcome.replace('_', ' ')}.")
