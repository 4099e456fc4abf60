"""The files of `deploy/` say what the gateway understands: variables, commands, paths, and times that fit together."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monkey_coder_server.__main__ import _parser
from monkey_coder_server.adapters.listener import ListenerOptions
from monkey_coder_server.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
KNOWN = {variable.name for variable in VARIABLES}
TO_SETTLE_SECONDS = 40
"""What a gateway may need after its last answer: requests whose callers left, what is to be booked, its stores."""


def lines_of(name: str) -> list[str]:
    """A file without its comments."""
    return [line for line in (DEPLOY / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]


def manifests() -> list[dict[str, Any]]:
    return [each for file in sorted(DEPLOY.glob("kubernetes/*.yaml")) for each in yaml.safe_load_all(file.read_text())]


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def containers() -> Iterator[tuple[str, dict[str, str], list[str], int | None]]:
    """Each place a gateway's program runs: its name, variables, arguments and the seconds it is given to stop."""
    for name, service in compose()["services"].items():
        if service["image"] == "monkey-coder":
            grace = service.get("stop_grace_period")
            yield (
                name,
                service["environment"],
                service.get("command", ["serve"]),
                grace and int(grace.removesuffix("s")),
            )
    for manifest in manifests():
        pod = manifest["spec"].get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            variables = {each["name"]: each["value"] for each in container.get("env", [])}
            yield manifest["kind"], variables, container["args"], pod.get("terminationGracePeriodSeconds")
    unit = dict(line.split("=", 1) for line in lines_of("systemd/monkey-coder.service") if "=" in line)
    variables = dict(each.split("=", 1) for each in unit["Environment"].split())
    yield "systemd", variables, unit["ExecStart"].split()[1:], int(unit["TimeoutStopSec"])


@pytest.mark.parametrize(("name", "variables", "arguments", "grace"), list(containers()))
def test_a_gateway_is_told_what_it_knows_and_has_the_time_it_needs_to_stop(
    name: str, variables: dict[str, str], arguments: list[str], grace: int | None
) -> None:
    assert variables.keys() <= KNOWN, name
    _parser().parse_args(arguments)
    if arguments == ["serve"]:
        assert grace is not None
        waits = int(variables.get("DRAIN_NOTICE_SECONDS", "0")) + int(variables["DRAIN_SECONDS"])
        assert grace >= waits + TO_SETTLE_SECONDS


def test_the_example_of_variables_and_the_image_name_known_ones() -> None:
    example = {line.split("=", 1)[0] for line in lines_of("gateway.env.example")}
    [image] = [line for line in lines_of("Dockerfile") if line.startswith("ENV ")]
    assert example <= KNOWN
    assert {each.split("=", 1)[0] for each in image.split()[1:]} - {"PATH"} <= KNOWN


def test_the_image_is_made_of_files_that_are_there() -> None:
    copied = [line.split()[1] for line in lines_of("Dockerfile") if line.startswith("COPY ") and "--from" not in line]
    assert copied
    assert all((ROOT / each).exists() for each in copied)


def test_the_parts_of_the_compose_file_are_there() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert set(service.get("depends_on", {})) <= document["services"].keys(), name
        assert set(service["networks"]) <= document["networks"].keys(), name
        assert set(service.get("secrets", [])) <= document["secrets"].keys(), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in document["volumes"] or source == "./gateway.env", name
    for config in document["configs"].values():
        assert (DEPLOY / config["file"]).is_file()


def test_the_database_is_healthy_once_it_listens_to_gateways_and_redis_makes_room_for_limits() -> None:
    services = compose()["services"]
    assert "--host" in services["postgres"]["healthcheck"]["test"]
    command = services["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1].startswith("volatile-")


def test_the_balancer_looks_at_readiness_and_lets_go_of_connections_before_the_gateway_does() -> None:
    text = "\n".join(lines_of("haproxy.cfg"))
    assert "uri /health/ready " in text
    [idle] = re.findall(r"timeout http-keep-alive (\d+)s", text)
    assert int(idle) < ListenerOptions("", 0).keep_alive
    [interval] = re.findall(r"check inter (\d+)s fall 1 ", text)
    assert 2 * int(interval) < int(compose()["services"]["gateway"]["environment"]["DRAIN_NOTICE_SECONDS"])
    assert re.findall(r"retry-on (.+)", text) == ["conn-failure"]


def test_the_manifests_belong_together() -> None:
    kinds = {each["kind"]: each for each in manifests()}
    pods = kinds["StatefulSet"]["spec"]["template"]
    labels = pods["metadata"]["labels"]
    [container] = pods["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for kind in ("StatefulSet", "PodDisruptionBudget"):
        assert kinds[kind]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert kinds["Service"]["spec"]["selector"].items() <= labels.items()
    assert kinds["Service"]["spec"]["ports"][0]["targetPort"] in ports
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")}
    assert probes == {"startup": "/health", "readiness": "/health/ready", "liveness": "/health"}
    assert {each["metadata"]["namespace"] for each in manifests()} == {"monkey-coder"}
