"""Every limit of the SDK, with its reason. Durations are seconds."""

from typing import Final

DEFAULT_RETRIES: Final = 4
"""With the pauses below, five attempts span about two to four seconds: a restart of the service."""

DEFAULT_TIMEOUT_S: Final = 30.0
"""An agent that waits longer for its memory is better off going on without it."""

CONNECT_TIMEOUT_S: Final = 5.0
"""A host that drops packets must not use up the time in which a retry could still succeed."""

MIN_ATTEMPT_S: Final = 1.0
"""The last request before a deadline gets this long, since an answer that is under way should not be thrown away."""

BACKOFF_BASE_S: Final = 0.25
BACKOFF_MAX_S: Final = 8.0
"""Longer pauses than this only the service itself may ask for, by Retry-After."""

POLL_FIRST_S: Final = 0.05
"""An episode is commonly indexed this soon."""

POLL_GROWTH: Final = 1.5
POLL_MAX_S: Final = 2.0

DEFAULT_WAIT_S: Final = 30.0
DEFAULT_ERASURE_S: Final = 60.0
"""Erasing a large namespace takes longer than reading from it."""

IMPORT_PATIENCE_S: Final = 3600.0
"""The service answers an import once all of it is stored: the largest file is 4 GiB."""

CHUNK_BYTES: Final = 256 * 1024
"""How much of an export or import is held at once: small chunks would cost a thread hop each."""

MAX_SHOWN_CHARS: Final = 200
"""How much of an answer that is no problem document is shown in an error."""
