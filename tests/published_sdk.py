"""Drives the gateway with the published Python SDK 1.1.0, as its users do; run by the environment that has it.

Usage: python published_sdk.py BASE_URL API_KEY. Prints one JSON document of what each call returned.
"""

import dataclasses
import json
import sys

from monkey_coder_sdk import (
    ExecuteRequest,
    MonkeyCoderClient,
    MonkeyCoderClientConfig,
    UsageRequest,
    create_code_generation_request,
)


def plain(request: ExecuteRequest) -> ExecuteRequest:
    """Nested dataclasses as dicts: the SDK puts `request.__dict__` into JSON."""
    return ExecuteRequest(**dataclasses.asdict(request))


def main() -> None:
    base_url, api_key = sys.argv[1:]
    client = MonkeyCoderClient(MonkeyCoderClientConfig(base_url=base_url, api_key=api_key, retries=0, timeout=60.0))
    request = plain(create_code_generation_request("Create a REST API for notes in Python", "sdk-user"))
    answer = client.execute(request)
    events = []
    streamed = plain(create_code_generation_request("Create a command line calculator", "sdk-user"))
    client.execute_stream(streamed, events.append)
    debugged = plain(create_code_generation_request("Create a parser", "sdk-user"))
    result = {
        "health": dataclasses.asdict(client.health()),
        "execute": dataclasses.asdict(answer),
        "events": [event.type for event in events],
        "complete": events[-1].data,
        "models": client.list_models(),
        "groq_models": client.list_models("groq"),
        "providers": client.list_providers(),
        "usage": client.get_usage(UsageRequest()),
        "debug": client.debug_routing(debugged),
    }
    json.dump(result, sys.stdout, default=str)


if __name__ == "__main__":
    main()
