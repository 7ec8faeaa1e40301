"""rebuild, backup, restore, keys, doctor: commands on the store itself, on the machine that holds it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from memory_service.cli.console import err, out, progress
from memory_service.errors import MemoryServiceError, NotFound
from memory_service.settings import Settings, load_settings

DataDir = Annotated[Path | None, typer.Option(help="Folder of the store (default: MEMORY_DATA_DIR).")]


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(rebuild)
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)
    keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
    keys.command("create")(create)
    keys.command("list")(list_)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="keys")


def rebuild(
    embed_again: Annotated[bool, typer.Option(help="Compute all vectors anew, with the embedder now set.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Wipe every derived table and index, and replay the log."""
    from memory_service.app import build_embedder, build_store, build_types
    from memory_service.log.digest import logical_digest
    from memory_service.pipeline.rebuild import embed_again as embed_all
    from memory_service.pipeline.rebuild import replay_log

    settings = load_settings(data_dir=data_dir)
    build_types(settings)  # timelines are computed by the predicates of their owner too
    store = build_store(settings)
    try:
        with progress() as bar:
            task = bar.add_task("replaying", total=None)
            replay_log(
                store, settings.data_dir / "index", lambda done, total: bar.update(task, completed=done, total=total)
            )
            if embed_again:
                task = bar.add_task("embedding", total=None)
                embedder = build_embedder(settings)
                embed_all(store, embedder, lambda done, total: bar.update(task, completed=done, total=total))
        with store.database.read() as connection:
            out.print(f"Rebuilt. Logical digest {logical_digest(connection)}", highlight=False, soft_wrap=True)
    finally:
        store.close()


def backup(target: Annotated[Path, typer.Argument(help="File to write.")], data_dir: DataDir = None) -> None:
    """Copy the store, consistently, while it is in use."""
    from memory_service.app import build_store
    from memory_service.log.store import back_up

    store = build_store(_existing(load_settings(data_dir=data_dir)))
    try:
        back_up(store, target)
    finally:
        store.close()
    out.print(f"{target} holds the store, checked.", highlight=False, soft_wrap=True)


def restore(source: Annotated[Path, typer.Argument(help="A backup.")], data_dir: DataDir = None) -> None:
    """Put a backup in the place of an absent store."""
    from memory_service.log import store

    settings = load_settings(data_dir=data_dir)
    store.restore(source, settings.database_path)
    out.print(
        f"{settings.database_path} is restored; `memory-service doctor` checks it.", highlight=False, soft_wrap=True
    )


def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help="read, write or admin; may be repeated.")] = ["read", "write"],  # noqa: B006
    namespace: Annotated[list[str], typer.Option(help="A namespace, or a prefix with *; may be repeated.")] = ["*"],  # noqa: B006
    data_dir: DataDir = None,
) -> None:
    """Make a key and show its secret, once."""
    from pydantic import ValidationError

    from memory_service.app import build_store
    from memory_service.log.keys import create_key
    from memory_service.wire import KeyRequest

    try:
        wanted = KeyRequest.model_validate({"name": name, "scopes": scope, "namespaces": namespace})
    except ValidationError as error:
        first = error.errors()[0]
        raise MemoryServiceError(f"{first['loc'][0]}: {first['msg']}.") from None
    store = build_store(load_settings(data_dir=data_dir))
    try:
        made = store.writer.write(lambda tx: create_key(tx, wanted.name, wanted.scopes, wanted.namespaces))
    finally:
        store.close()
    err.print(f"Key {made.id}. Its secret is shown this once:", highlight=False)
    print(made.secret)


def list_(data_dir: DataDir = None) -> None:
    """List all keys; secrets are not kept."""
    from memory_service.app import build_store
    from memory_service.log.keys import list_keys

    store = build_store(_existing(load_settings(data_dir=data_dir)))
    table, after = Table(Column("id", no_wrap=True), "name", "scopes", "namespaces", "made", "revoked"), ""
    try:
        with store.database.read() as connection:
            while found := list_keys(connection, after, 200):
                after = found[-1].id
                for key in found:
                    revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
                    made = f"{key.created_at:%Y-%m-%d %H:%M}"
                    table.add_row(key.id, key.name, " ".join(key.scopes), " ".join(key.namespaces), made, revoked)
    finally:
        store.close()
    out.print(table)


def revoke(key_id: Annotated[str, typer.Argument(help="The key's id.")], data_dir: DataDir = None) -> None:
    """Revoke a key; running services refuse it within five seconds."""
    from memory_service.app import build_store
    from memory_service.log.keys import revoke_key

    store = build_store(_existing(load_settings(data_dir=data_dir)))
    try:
        if not store.writer.write(lambda tx: revoke_key(tx, key_id)):
            raise NotFound(f"No key {key_id!r}.")
    finally:
        store.close()
    out.print(f"Key {key_id} is revoked.", highlight=False)


def doctor(data_dir: DataDir = None) -> None:
    """Check everything the service needs, and say what to do."""
    from memory_service.doctor import examine

    findings: list[Any] = examine(load_settings(data_dir=data_dir))
    for finding in findings:
        mark = "[green]ok[/]" if finding.good else "[bold red]no[/]"
        out.print(f"{mark}  {finding.subject}: ", end="")
        out.print(finding.text, markup=False, highlight=False, soft_wrap=True)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _existing(settings: Settings) -> Settings:
    """Commands that only make sense on a store must not make an empty one in a mistyped folder."""
    if settings.database_url is None and not settings.database_path.exists():
        raise MemoryServiceError(f"There is no store at {settings.database_path}. Set --data-dir or MEMORY_DATA_DIR.")
    return settings
