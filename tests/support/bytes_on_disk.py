"""What a store's files hold, read as bytes: nothing can hide in a free page, in the write-ahead log or in a snapshot."""

from pathlib import Path


def files_holding(folder: Path, *needles: str) -> dict[str, list[str]]:
    """Files below the folder that hold a needle in their bytes or in their name, with the needles found."""
    found: dict[str, list[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        held = name.encode() + b"\0" + path.read_bytes()
        # UTF-16 too, which is how some libraries keep strings.
        hits = [n for n in needles if n.encode() in held or n.encode("utf-16-le") in held]
        if hits:
            found[name] = hits
    return found
