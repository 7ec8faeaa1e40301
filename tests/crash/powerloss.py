"""Power cuts for tests: a SIGKILL after which a folder holds only what was synced, and disks that fail.

    env = os.environ | environment(data_dir, shadow_dir, control)
    process = subprocess.Popen(..., env=env)
    process.kill(); process.wait()
    restore(data_dir, shadow_dir)        # data_dir is now what a disk would hold

What a cut loses, and what the shim does not see, is told at the head of shim/powerloss.c.
"""

import hashlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

SOURCE = Path(__file__).parent / "shim" / "powerloss.c"
SECTOR_BYTES = 512
"""The smallest piece that a disk writes whole."""

_orders = itertools.count()


def build_shim(cache_dir: Path) -> Path:
    """The compiled shim, built at most once per source text. Raises FileNotFoundError where there is no `cc`."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = cache_dir / f"powerloss-{digest}.so"
    if not library.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        fresh = library.with_suffix(f".{os.getpid()}.tmp")
        flags = ["-shared", "-fPIC", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-pthread"]
        subprocess.run(["cc", *flags, "-o", fresh, SOURCE, "-ldl"], check=True)
        fresh.replace(library)
    return library


def environment(
    data_dir: Path, shadow_dir: Path, control: Path | None = None, *, shim: Path | None = None
) -> dict[str, str]:
    """The variables that put a process under the shim. Makes both folders; the first process to start takes stock
    of `data_dir`: what lies there then counts as durable. Without `shim` it is built into the temporary folder."""
    shim = shim or build_shim(Path(tempfile.gettempdir()) / f"powerloss-{os.getuid()}")
    data_dir.mkdir(parents=True, exist_ok=True)
    shadow_dir.mkdir(parents=True, exist_ok=True)
    root = data_dir.resolve()
    for outside in (shadow_dir, control):
        if outside is not None and outside.resolve().is_relative_to(root):
            raise ValueError(f"{outside} lies inside the folder that is watched")
    variables = {"LD_PRELOAD": str(shim), "POWERLOSS_DIR": str(root), "POWERLOSS_SHADOW": str(shadow_dir.resolve())}
    return variables | ({"POWERLOSS_CONTROL": str(control.resolve())} if control is not None else {})


def restore(data_dir: Path, shadow_dir: Path, torn: Random | None = None) -> list[str]:
    """Makes `data_dir` what a disk would hold after the cut, and clears the shadow for the next start. All processes
    under the shim must have ended. Returns the relative paths that changed or went, sorted.

    With `torn`, each sector that was written and not synced reached the disk or not by chance, as did a new length:
    a disk writes in any order. Without it nothing unsynced arrives. Names are never torn.
    """
    tree = shadow_dir / "tree"
    if not tree.is_dir():
        raise ValueError(f"{shadow_dir} holds no durable images: was a process started under the shim?")
    durable, live = set(_files(tree)), set(_files(data_dir))
    changed = [name for name in sorted(live - durable) if not name.endswith("-shm")]
    for name in live - durable:
        (data_dir / name).unlink()
    for name in sorted(durable):
        content = _content(data_dir / name, tree / name, shadow_dir / "images", torn)
        if _replace(data_dir / name, content, like=tree / name):
            changed.append(name)
    shutil.rmtree(shadow_dir)
    shadow_dir.mkdir()
    return sorted(changed)


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder))


def _content(live: Path, durable: Path, images: Path, torn: Random | None) -> bytes:
    synced = durable.read_bytes()
    if torn is None or not live.exists():
        return synced
    image = images / str(live.stat().st_ino)
    if not image.exists() or not image.samefile(durable):
        return synced  # the name belongs to another file by now; its own is gone
    return _tear(synced, live.read_bytes(), torn)


def _tear(synced: bytes, written: bytes, torn: Random) -> bytes:
    size = len(synced) if torn.random() < 0.5 else len(written)
    old, new = synced.ljust(size, b"\0"), written.ljust(size, b"\0")
    starts = range(0, size, SECTOR_BYTES)
    return b"".join((new if torn.random() < 0.5 else old)[at : at + SECTOR_BYTES] for at in starts)[:size]


def _replace(path: Path, content: bytes, like: Path) -> bool:
    if path.exists():
        if path.read_bytes() == content:
            return False
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    shutil.copymode(like, path)
    return True


def fail_next_syncs(control: Path, n: int, *, lose: bool = False) -> None:
    """The next `n` fsyncs of watched files fail with EIO and make nothing durable. With `lose` the bytes of a failed
    one count as clean, as on Linux: a second fsync succeeds and does not bring them to the disk."""
    _order(control, f"fail-sync {n}{' lose' if lose else ''}")


def kill_at_sync(control: Path, n: int, *, after: bool = False) -> None:
    """The process kills itself in its `n`th fsync from now: before anything is durable, or `after` all is."""
    _order(control, f"kill-sync {n} {'after' if after else 'before'}")


def slow_syncs(control: Path, ms: int) -> None:
    """Every fsync takes this long, as on a slow disk. (Without it one costs microseconds: no disk is touched.)"""
    _order(control, f"slow-sync {ms}")


def fill_disk(control: Path) -> None:
    """Every write to a watched file fails with ENOSPC until `clear`."""
    _order(control, "fail-write enospc")


def clear(control: Path) -> None:
    """The disk works again."""
    control.unlink(missing_ok=True)


def _order(control: Path, text: str) -> None:
    """One order at a time, put in place whole. The comment makes each text new: a text seen before does not count."""
    fresh = control.with_name(control.name + ".fresh")
    fresh.write_text(f"{text}\n# {os.getpid()} {next(_orders)}\n")
    fresh.replace(control)
