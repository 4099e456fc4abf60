"""Each own rule sees its breach and leaves good code alone."""

import ast

import pytest

from tools.lint import rules
from tools.lint.hosts import registry_hosts


def source(path: str, text: str) -> rules.Source:
    return rules.Source(path, text, ast.parse(text))


MONEY = "packages/server/src/monkey_coder_server/domain/money.py"
DOMAIN = "packages/server/src/monkey_coder_server/domain/routing.py"
ADAPTER = "packages/server/src/monkey_coder_server/adapters/system/clock.py"
CLI = "packages/client/src/monkey_coder/cli/commands/health.py"
LONG_FUNCTION = '"""D."""\ndef f():\n' + "    pass\n" * 60

BREACHES = [
    (rules.file_length, DOMAIN, '"""D."""\n' * 401),
    (rules.function_length, DOMAIN, LONG_FUNCTION),
    (rules.no_float_in_money, MONEY, '"""D."""\nrate = 0.5\n'),
    (rules.no_float_in_money, MONEY, '"""D."""\nx = float(3)\n'),
    (rules.no_float_in_money, MONEY, '"""D."""\nx = a / b\n'),
    (rules.no_float_in_money, MONEY, '"""D."""\nx /= b\n'),
    (rules.no_wall_clock, DOMAIN, '"""D."""\nimport time\nt = time.time()\n'),
    (rules.no_wall_clock, DOMAIN, '"""D."""\nfrom datetime import datetime\nt = datetime.now(tz)\n'),
    (rules.no_print, DOMAIN, '"""D."""\nprint(1)\n'),
    (rules.module_name, "packages/server/src/x/utils.py", '"""D."""\n'),
    (rules.module_name, "packages/server/src/x/common/a.py", '"""D."""\n'),
    (rules.module_docstring, DOMAIN, "x = 1\n"),
    (rules.no_later_notes, DOMAIN, '"""D."""\nx = 1  # TODO: more\n'),
    (rules.no_later_notes, DOMAIN, '"""D."""\n# good enough for now\n'),
    (rules.reasoned_waivers, DOMAIN, '"""D."""\nx = 1  # noqa: S101\n'),
    (rules.reasoned_waivers, DOMAIN, '"""D."""\nx = 1  # type: ignore[misc]\n'),
    (rules.no_unverified_events, ADAPTER, '"""D."""\ne = client.construct_event_without_verification(body)\n'),
    (rules.no_unverified_events, ADAPTER, '"""D."""\nread = StripeEventNotificationHandlerWithoutVerification\n'),
]

GOOD = [
    (rules.file_length, DOMAIN, '"""D."""\n' * 399),
    (rules.function_length, DOMAIN, '"""D."""\ndef f():\n' + "    pass\n" * 59),
    (rules.no_float_in_money, MONEY, '"""D."""\nx = a // b\n'),
    (rules.no_float_in_money, DOMAIN, '"""D."""\nx = 0.5\n'),
    (rules.no_wall_clock, ADAPTER, '"""D."""\nimport time\nt = time.time()\n'),
    (rules.no_wall_clock, DOMAIN, '"""D."""\nt = clock.now()\n'),
    (rules.no_print, CLI, '"""D."""\nprint(1)\n'),
    (rules.module_name, DOMAIN, '"""D."""\n'),
    (rules.module_docstring, DOMAIN, '"""Says what it is."""\n'),
    (rules.no_later_notes, DOMAIN, '"""D."""\n# the provider waits for nobody\n'),
    (rules.reasoned_waivers, DOMAIN, '"""D."""\nx = 1  # noqa: S101 - pytest asserts\n'),
    (rules.no_unverified_events, ADAPTER, '"""D."""\nWebhookSignature.verify_header(body, header, secret)\n'),
]


@pytest.mark.parametrize(("rule", "path", "text"), BREACHES)
def test_a_breach_is_found(rule: rules.Rule, path: str, text: str) -> None:
    assert list(rule(source(path, text)))


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_good_code_is_left_alone(rule: rules.Rule, path: str, text: str) -> None:
    assert not list(rule(source(path, text)))


def test_every_rule_has_a_breach_and_a_good_case() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(rules.ALL_RULES)
    assert {rule for rule, _, _ in GOOD} == set(rules.ALL_RULES)


def test_a_registry_host_is_found() -> None:
    assert list(registry_hosts("requirements/dev.lock", "--index-url https://" + "py" + "pi.org/simple\n"))
    assert not list(registry_hosts("requirements/dev.lock", "httpx2==2.16.2\n"))
