"""What OpenAI and xAI refuse among the input items of a Responses request, in their own words."""

from typing import Any

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.wire_errors import refuse

LONGEST_ID = 64
_ROLES = ("assistant", "system", "developer", "user")
_SAID = {"assistant": ("output_text", "refusal")}
_GIVEN = ("input_text", "input_image", "input_file")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}
_WORDS = {"function_call": "function call", "custom_tool_call": "custom tool call"}
_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}
_OTHERS = frozenset(
    {
        *("additional_tools", "compaction", "web_search_call", "file_search_call", "code_interpreter_call"),
        *("mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response", "tool_search_call"),
        *("tool_search_output", "image_generation_call", "local_shell_call", "local_shell_call_output", "shell_call"),
        *("shell_call_output", "apply_patch_call", "apply_patch_call_output", "computer_call", "computer_call_output"),
    }
)
_XAI = frozenset({"message", "reasoning", *_CALLS, "function_call_output", "web_search_call"}) - {"custom_tool_call"}


def secret(provider: str) -> str:
    """What the encrypted content of this provider's reasoning is a signature of."""
    return f"reasoning of {provider}"


def items(provider: str, card: Card, given: Any, identifiers: Identifiers) -> list[dict[str, Any]]:
    """The input as items, a plain text as one. Raises Refused."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    if not given:
        refuse("invalid", "Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    if not isinstance(given, list):
        refuse("invalid", "Invalid type for 'input': expected a string or an array of items.", param="input")
    entries = [_item(provider, card, f"input[{index}]", entry) for index, entry in enumerate(given)]
    _call_order(entries)
    _reasoning(provider, card, entries, identifiers)
    return entries


def _item(provider: str, card: Card, place: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        refuse("invalid", f"Invalid type for '{place}': expected an object.", param=place, code="invalid_type")
    kind = entry.get("type", "message")
    if kind == "item_reference":
        message = f"Item with id '{entry.get('id')}' not found. Items are not persisted when `store` is set to false."
        refuse("not_found", message, param="input")
    known = kind in _PREFIXES or kind in _OUTPUTS or kind in _OTHERS
    if not known or (provider == "xai" and kind not in _XAI):
        refuse("invalid", f"Invalid value: '{kind}'.", param=f"{place}.type", code="invalid_value")
    identity = entry.get("id")
    if identity and kind in _PREFIXES and provider == "openai" and not str(identity).startswith(_PREFIXES[kind]):
        message = f"Invalid '{place}.id': '{identity}'. Expected an ID that begins with '{_PREFIXES[kind]}'."
        refuse("invalid", message, param=f"{place}.id", code="invalid_value")
    if kind == "message":
        _message(place, entry)
    elif kind in _CALLS:
        _needed(place, entry, ("call_id", "name", _CALLS[kind]))
    elif kind in _OUTPUTS:
        _needed(place, entry, ("call_id", "output"))
        _content(f"{place}.output", entry["output"], _GIVEN)
    elif kind == "reasoning" and provider == "openai" and not isinstance(entry.get("summary"), list):
        _missing(f"{place}.summary")
    elif kind == "additional_tools" and not card.id.startswith(("gpt-5.6", "gpt-6")):
        refuse("invalid", f"Invalid value: '{kind}'.", param=f"{place}.type", code="invalid_value")
    return entry if "type" in entry else {"type": "message", **entry}


def _message(place: str, entry: dict[str, Any]) -> None:
    role = entry.get("role")
    if role not in _ROLES:
        listed = ", ".join(f"'{name}'" for name in _ROLES[:-1])
        message = f"Invalid value: '{role}'. Supported values are: {listed}, and '{_ROLES[-1]}'."
        refuse("invalid", message, param=f"{place}.role", code="invalid_value")
    if entry.get("content") is None:
        _missing(f"{place}.content")
    _content(f"{place}.content", entry["content"], _SAID.get(role, _GIVEN))


def _content(place: str, content: Any, allowed: tuple[str, ...]) -> None:
    for index, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in allowed:
            listed = ", ".join(f"'{name}'" for name in allowed[:-1])
            message = f"Invalid value: '{kind}'. Supported values are: {listed}, and '{allowed[-1]}'."
            refuse("invalid", message, param=f"{place}[{index}].type", code="invalid_value")


def _needed(place: str, entry: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if entry.get(name) is None:
            _missing(f"{place}.{name}")
    if len(str(entry["call_id"])) > LONGEST_ID:
        message = (
            f"Invalid '{place}.call_id': string too long. Expected a string with maximum length {LONGEST_ID}, but got "
            f"a string with length {len(entry['call_id'])} instead."
        )
        refuse("invalid", message, param=f"{place}.call_id", code="string_above_max_length")


def _missing(param: str) -> None:
    refuse("invalid", f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def _call_order(entries: list[dict[str, Any]]) -> None:
    """Every output answers a call before it, and every call is answered."""
    open_calls: dict[str, str] = {}
    for entry in entries:
        kind = entry["type"]
        if kind in _CALLS:
            open_calls[entry["call_id"]] = kind
        elif kind in _OUTPUTS and open_calls.pop(entry["call_id"], None) != _OUTPUTS[kind]:
            words = _WORDS[_OUTPUTS[kind]]
            refuse("invalid", f"No tool call found for {words} output with call_id {entry['call_id']}.", param="input")
    for identity, kind in open_calls.items():
        refuse("invalid", f"No tool output found for {_WORDS[kind]} {identity}.", param="input")


def _reasoning(provider: str, card: Card, entries: list[dict[str, Any]], identifiers: Identifiers) -> None:
    for index, entry in enumerate(entries):
        if entry["type"] != "reasoning":
            continue
        if not card.reasons:
            message = (
                "Reasoning input items can only be provided to a reasoning or computer use model. Remove reasoning "
                "items from your input and try again."
            )
            refuse("invalid", message, param="input")
        proof = entry.get("encrypted_content")
        if proof is not None and not identifiers.issued(str(proof), secret(provider)):
            _unverified(provider, str(proof))
        following = entries[index + 1] if index + 1 < len(entries) else {"type": "", "role": ""}
        if following["type"] in _OUTPUTS or following.get("role", "assistant") != "assistant":
            message = (
                f"Item '{entry.get('id') or 'rs'}' of type 'reasoning' was provided without its required following "
                "item."
            )
            refuse("invalid", message, param="input")


def _unverified(provider: str, proof: str) -> None:
    if provider == "xai":
        refuse("invalid", "Could not decrypt the provided encrypted_content.")
    message = (
        f"The encrypted content {proof[:4]}...{proof[-4:]} could not be verified. Reason: Encrypted content could not "
        "be decrypted or parsed."
    )
    refuse("invalid", message, code="invalid_encrypted_content")
