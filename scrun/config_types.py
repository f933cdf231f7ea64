"""The types of config.json's properties: each function returns the value, or says what is wrong with it."""

from typing import Any

from proto.errors import BundleError


def given(value: Any, default: Any) -> Any:
    """The value; null counts as absent, other empty values are what they are."""
    return default if value is None else value


def demanded(values: dict[str, Any], name: str, prefix: str) -> Any:
    value = values.get(name)
    if value is None:
        raise BundleError(f"{prefix}{name} is missing in config.json")
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def as_object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BundleError(f"{name} must be an object" + ("" if name == "config.json" else " in config.json"))
    return value


def as_list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise BundleError(f"{name} of config.json must be a list")
    return value


def as_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"{name} of config.json must be a text")
    return value


def as_texts(value: Any, name: str) -> list[str]:
    return [as_text(word, name) for word in as_list(value, name)]


def as_flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool | None):
        raise BundleError(f"{name} of config.json must be true or false")
    return bool(value)


def as_bytes(text: str, name: str) -> bytes:
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BundleError(f"{name} of config.json has a character that no byte stands for") from None
    if b"\0" in data:
        raise BundleError(f"{name} of config.json has a character 0")
    return data
