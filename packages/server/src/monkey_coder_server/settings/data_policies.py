"""What the operator has agreed with providers on the data they are sent: `PROVIDER_DATA_POLICIES`."""

from collections.abc import Collection, Mapping

from monkey_coder_server.settings.faults import wrong

POLICIES = ("no_training", "retention_30_days", "zero_retention")
DATA_POLICY_VARIABLE = "PROVIDER_DATA_POLICIES"
DATA_POLICY_VARIABLES = (
    (
        DATA_POLICY_VARIABLE,
        "what providers say publicly",
        (
            "What you have agreed with providers, in place of what they say publicly: openai=no_training+zero_retention"
            f", comma-separated, each of {', '.join(POLICIES)}; google= for none. Rules on models may ask for them."
        ),
    ),
)
"""Names, defaults and meanings."""


def read_data_policies(text: str, providers: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The policies of each provider that is named. Raises `SettingsError`."""
    agreed: dict[str, frozenset[str]] = {}
    for each in filter(None, map(str.strip, text.split(","))):
        provider, equals, words = each.partition("=")
        policies = frozenset(filter(None, words.split("+")))
        if not equals or provider not in providers or not policies.issubset(POLICIES):
            allowed = f"PROVIDER=POLICY+POLICY of {', '.join(providers)} and {', '.join(POLICIES)}, comma-separated"
            raise wrong(DATA_POLICY_VARIABLE, each, allowed)
        agreed[provider] = policies
    return agreed
