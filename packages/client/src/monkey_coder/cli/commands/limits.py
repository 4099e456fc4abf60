"""`limits`."""

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.levels_shown import policy_text
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session


@command("limits", examples=("monkey limits", "monkey limits --project shop --json | jq .rates"))
@click.option("--key-id", "key_id", metavar="ID", help="Of another key; yours must be one that manages keys.")
@click.option("--project", "project_id", metavar="NAME", help="Of a project.")
@pass_session
def limits(session: Session, *, key_id: str | None, project_id: str | None) -> None:
    """Show every rate, spending limit and rule on models that counts for your key, and who says so."""
    if key_id is not None and project_id is not None:
        message = "Name a key or a project, not both."
        raise click.UsageError(message)
    with session.client() as client:
        found = client.keys.limits(key_id=key_id, project_id=project_id)
    pairs: list[tuple[str, object]] = [
        ("key", found.key_id),
        ("team", found.team_id),
        ("project", found.project_id),
        ("plan", found.plan),
        ("models", f"{len(found.models)} allowed, {len(found.excluded)} left out"),
    ]
    session.emit(found, text=lambda: policy_text(pairs, found))
