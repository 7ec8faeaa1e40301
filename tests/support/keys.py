"""API keys for tests: made in the store, sent as a header."""

from collections.abc import Sequence

from memory_service import wire
from memory_service.log.keys import create_key
from tests.support.running import Running


def make_key(service: Running, *scopes: wire.Scope, namespaces: Sequence[str] = ("*",)) -> dict[str, str]:
    """A new key as the header that sends it."""
    made = service.service.store.writer.write(lambda tx: create_key(tx, "a test's", scopes, list(namespaces)))
    return bearer(made.secret)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
