"""What this project uses of pysqlite3, which ships no types."""

from sqlite3 import Connection as Connection

sqlite_version: str
sqlite_version_info: tuple[int, int, int]

class Error(Exception): ...

def connect(database: str, *, uri: bool = False) -> Connection: ...
