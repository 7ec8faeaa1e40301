"""Settings: environment variables with the prefix MEMORY_ (documented in docs/settings.md, which a test holds complete)."""

import ipaddress
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from memory_service import limits
from memory_service.errors import ConfigurationError


def _default_model_dir() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agent-memory-service"


class Settings(BaseSettings):
    """What an operator may set. Every field's description is its documentation."""

    # An empty variable is one that was not set: compose files and shells leave those, and "" would be a folder here.
    model_config = SettingsConfigDict(env_prefix="MEMORY_", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(Path("data"), description="Folder of the database and the index snapshots.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8090, ge=0, le=65535, description="Port to listen on; 0 takes a free one and prints it.")
    auth: Literal["keys", "off"] = Field(
        "keys", description="`keys`, or `off`: no key needed, loopback only, by its names only."
    )
    database_url: str | None = Field(None, description="SQLAlchemy URL; default: SQLite in the data folder.")
    embedding_model: str = Field(
        "minilm",
        description="`minilm` (the installed wheel), a local folder, a hub name, or `test` (hashed words, no model).",
    )
    model_dir: Path = Field(
        default_factory=_default_model_dir, description="Folder of exported models, shared by all stores of a machine."
    )
    embedding_threads: int = Field(0, ge=0, le=256, description="Threads of one embedding; 0: one per core, at most 4.")
    embedding_cache_dir: Path | None = Field(
        None,
        description="Folder that keeps vectors by their text's hash, for repeated evaluation runs on public data. "
        "Erasure does not reach it, so it is refused unless MEMORY_AUTH=off.",
    )
    reranker_model: str | None = Field(
        None,
        description="Cross-encoder that reads the first results again with the query: a local folder, a hub name, or `test` "
        "(shared words, no model). Its first search loads torch.",
    )
    rerank_depth: int = Field(
        50, ge=1, le=limits.MAX_SEARCH_RESULTS, description="How many of the first results the reranker orders."
    )
    graph_url: SecretStr | None = Field(
        None,
        description="Graph store that follows the log's and answers questions about the graph: `bolt://` or `neo4j://` with user "
        "and password in it, or `postgresql://`. Default: the database itself.",
    )
    graph_mapping: Path | None = Field(
        None, description="JSON file that says how business records become entities and facts (docs/extraction.md)."
    )
    graph_types: str | None = Field(
        None, description="Python module that registers entity and fact types of your own (docs/graph.md)."
    )
    graph_channel: Literal["off", "on"] = Field(
        "off",
        description="`on`: searches for episodes ask the graph too, which costs time and was measured to give little.",
    )
    llm: Literal["none"] = Field("none", description="`none`: everything is deterministic.")
    worker: Literal["inline", "off"] = Field(
        "inline", description="`inline`: in the server; `off`: `memory-service worker`."
    )
    max_queue_episodes: int = Field(
        limits.MAX_QUEUE_EPISODES, ge=1, description="Queue length beyond which writers get 429."
    )
    max_body_bytes: int = Field(limits.MAX_BODY_BYTES, ge=1024, description="Largest request body.")
    rate_limit: str = Field("", description="Requests a key may send, as `100/second`; empty: no limit.")
    index_cache_bytes: int = Field(limits.MAX_INDEX_CACHE_BYTES, ge=1, description="Memory for namespaces' indexes.")
    log_format: Literal["json", "console"] = Field("json", description="Form of the log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line that is logged."
    )
    otel_endpoint: str | None = Field(None, description="OTLP/HTTP endpoint for traces; needs the `otel` extra.")
    api_key: SecretStr | None = Field(None, description="Key that the command line sends to a running service.")

    @property
    def database_path(self) -> Path:
        """The embedded database's file."""
        return self.data_dir / "memory.db"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def check(self) -> "Settings":
        """Raises ConfigurationError for combinations that are unsafe or not supported."""
        if self.auth == "off" and not self.is_loopback:
            raise ConfigurationError(
                f"MEMORY_AUTH=off is refused on {self.host}: anyone who reaches it could read every namespace. "
                "Listen on 127.0.0.1, or set MEMORY_AUTH=keys and create a key with `memory-service keys create`."
            )
        if self.embedding_cache_dir is not None and self.auth != "off":
            raise ConfigurationError(
                "MEMORY_EMBEDDING_CACHE_DIR is refused with MEMORY_AUTH=keys: vectors of erased texts would stay in it. "
                "It is for evaluation runs, with MEMORY_AUTH=off."
            )
        if self.database_url is not None and not self.database_url.startswith("sqlite"):
            raise ConfigurationError("MEMORY_DATABASE_URL must be a sqlite URL in this version.")
        return self


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment. Raises ConfigurationError that names the variable."""
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None}).check()  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "MEMORY_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name}: {first['msg']} (given: {first.get('input')!r})") from None
