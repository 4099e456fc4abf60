"""`models` and `providers`."""

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session
from monkey_coder_protocol.catalog import ModelList, ProviderList


@command("models", examples=("monkey models", "monkey models --provider anthropic --json"))
@click.option("--provider", metavar="NAME", help="Only this provider's.")
@pass_session
def models(session: Session, provider: str | None) -> None:
    """List the models you can ask, with their prices in USD per million tokens."""
    with session.client() as client:
        listing = client.models(provider=provider)
    session.emit(listing, text=lambda: _model_table(listing))


@command("providers", examples=("monkey providers",))
@pass_session
def providers(session: Session) -> None:
    """List the providers behind the gateway."""
    with session.client() as client:
        listing = client.providers()
    session.emit(listing, text=lambda: _provider_table(listing))


def _model_table(listing: ModelList) -> str:
    if not listing.data:
        return "No models."
    rows = [
        (
            model.provider,
            model.id,
            f"{model.context_window:,}",
            output.usd(model.input_price_usd_per_mtok),
            output.usd(model.output_price_usd_per_mtok),
        )
        for model in listing.data
    ]
    return output.columns(("provider", "model", "context", "input/M", "output/M"), rows)


def _provider_table(listing: ProviderList) -> str:
    if not listing.providers:
        return "No providers."
    rows = [
        (name, provider.status, "yes" if provider.healthy else "no", provider.models)
        for name, provider in listing.providers.items()
    ]
    return output.columns(("provider", "status", "healthy", "models"), rows)
