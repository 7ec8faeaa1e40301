"""What the house promises about itself: which way imports point, how long functions are, what is documented."""

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import memory_service
from memory_service import errors, failpoints
from memory_service.settings import Settings
from tests.support import docs
from tests.support.network import NetworkForbidden

ROOT = Path(__file__).parents[2]
OURS = {"memory_service", "graph", "retrieval", "inference", "eval", "bench", "migrations", "tests"}
LIBRARIES = [name for name in ("graph", "retrieval", "inference") if (ROOT / name).is_dir()]
LIGHT = ("client", "integrations", "__init__.py", "errors.py", "wire.py", "wire_graph.py", "instants.py", "limits.py")
"""What runs inside a user's process."""

LIGHT_ROOTS = {"httpx2", "pydantic"}
LAYERS: dict[str, set[str]] = {
    "log": {"api", "app", "cli", "client", "controller", "pipeline", "recall", "service", "settings", "doctor"},
    "recall": {"api", "app", "cli", "client", "controller", "pipeline", "service", "settings", "doctor"},
    "pipeline": {"api", "app", "cli", "client", "controller", "recall", "service", "settings", "doctor"},
    "controller": {"api", "app", "cli", "client", "pipeline", "service", "settings", "doctor"},
    "service.py": {"api", "app", "cli", "client", "settings", "doctor"},
    "api": {"app", "cli", "client", "controller", "pipeline", "recall", "settings", "doctor"},
    "observability": {"api", "app", "cli", "client", "controller", "log", "pipeline", "recall", "service", "settings"},
    "settings.py": {"api", "app", "cli", "client", "controller", "log", "pipeline", "recall", "service"},
    "client": {"api", "app", "cli", "controller", "log", "pipeline", "recall", "service", "settings", "observability"},
}
"""Parts of the service, and the parts that each knows nothing of."""


def sources(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def modules(path: Path) -> set[str]:
    """Every module that a file imports, at its head or inside a function, but not only for type checkers."""
    found: set[str] = set()
    for node in walk_running_code(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def walk_running_code(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from walk_running_code(node)


# --- the arrows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_knows_neither_the_service_nor_its_siblings(library: str) -> None:
    for path in sources(ROOT / library):
        foreign = {module for module in modules(path) if module.split(".")[0] in OURS - {library}}
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def test_the_service_knows_nothing_of_those_who_use_it() -> None:
    for path in sources(ROOT / "memory_service"):
        users = {m for m in modules(path) if m.split(".")[0] in {"tests", "bench"}}
        assert not users, f"{path.relative_to(ROOT)} imports {sorted(users)}"


def test_only_the_command_line_runs_the_evaluation() -> None:
    users = [p for p in sources(ROOT / "memory_service") if any(m.split(".")[0] == "eval" for m in modules(p))]
    assert all(path.parent.name == "cli" for path in users)


@pytest.mark.parametrize("part", LAYERS)
def test_a_part_of_the_service_knows_only_the_parts_below_it(part: str) -> None:
    for path in sources(ROOT / "memory_service" / part):
        known = {m.split(".")[1] for m in modules(path) if m.startswith("memory_service.")}
        above = known & LAYERS[part]
        assert not above, f"{path.relative_to(ROOT)} imports {sorted(above)}"


@pytest.mark.parametrize("part", [name for name in LIGHT if (ROOT / "memory_service" / name).exists()])
def test_what_runs_in_a_users_process_imports_nothing_heavy(part: str) -> None:
    import sys

    own = {f"memory_service.{name.removesuffix('.py')}" for name in LIGHT} | {"memory_service"}
    for path in sources(ROOT / "memory_service" / part):
        for module in modules(path):
            is_own = any(module == name or module.startswith(f"{name}.") for name in own - {"memory_service"})
            is_light = module.split(".")[0] in sys.stdlib_module_names | LIGHT_ROOTS
            names_in_the_package = module.startswith("memory_service") and module.count(".") <= 1
            assert is_own or is_light or names_in_the_package, f"{path.relative_to(ROOT)} imports {module}"


def test_the_evaluation_uses_the_service_as_a_user_does() -> None:
    if not (ROOT / "eval").is_dir():
        pytest.skip("there is no evaluation yet")
    inner = {"api", "app", "controller", "log", "pipeline", "recall", "service"}
    for path in sources(ROOT / "eval"):
        known = {m.split(".")[1] for m in modules(path) if m.startswith("memory_service.")} & inner
        assert not known, f"{path.relative_to(ROOT)} imports {sorted(known)}"


# --- sizes ----------------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_70_lines() -> None:
    long: list[str] = []
    for name in sorted(OURS - {"tests", "migrations"}):
        for path in sources(ROOT / name) if (ROOT / name).is_dir() else []:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    long += [f"{path.relative_to(ROOT)} {node.name}: {lines}"] if lines > 70 else []
    assert not long, long


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for name in OURS - {"tests"}
        if (ROOT / name).is_dir()
        for path in sources(ROOT / name)
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, silent


# --- the public face ------------------------------------------------------------------------------------------------


def test_the_public_names_are_pinned() -> None:
    assert memory_service.__all__ == [
        "AsyncMemoryClient", "MemoryClient", "MemoryServiceError", "ProblemError", "__version__",
    ]  # fmt: skip
    assert all(getattr(memory_service, name) for name in memory_service.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = memory_service.nothing


def test_the_version_is_the_packages() -> None:
    assert f'version = "{memory_service.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)|├── (\w+)", errors.__doc__ or ""))
    names = {name for pair in drawn for name in pair if name}
    kinds = {kind.__name__ for kind in all_kinds(errors.MemoryServiceError)}
    assert names == kinds - {"MemoryServiceError"}


def all_kinds(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(all_kinds(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__))


# --- the documents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("document", "name"), docs.TABLES, ids=lambda value: value)
def test_a_documents_table_is_what_the_code_says(document: str, name: str) -> None:
    assert docs.written(document, name) == docs.TABLES[document, name](), "run `python -m tests.support.docs`"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_every_error_says_what_it_means() -> None:
    kinds = all_kinds(errors.MemoryServiceError)
    assert all(kind.__doc__ or issubclass(kind, errors.ProblemError) for kind in kinds)
    slugs = [kind.slug for kind in kinds if issubclass(kind, errors.ProblemError) and kind is not errors.ProblemError]
    assert len(slugs) == len(set(slugs))


def test_every_link_between_documents_leads_somewhere() -> None:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


# --- the tests themselves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80), ("example.com", 80)])
def test_no_test_can_reach_another_machine(address: tuple[str, int]) -> None:
    with pytest.raises(NetworkForbidden):
        socket.create_connection(address, timeout=1)


def test_a_test_can_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=10).close()


# --- failpoints -----------------------------------------------------------------------------------------------------


def reached() -> Iterator[re.Pattern[str]]:
    """What the code passes to `failpoints.reach`, with anything in place of what is put into an f-string."""
    for path in sources(ROOT / "memory_service"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "failpoints.reach":
                yield pattern_of(node.args[0])


def pattern_of(argument: ast.expr) -> re.Pattern[str]:
    if isinstance(argument, ast.Constant):
        return re.compile(re.escape(str(argument.value)))
    assert isinstance(argument, ast.JoinedStr)
    parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else "[a-z]+" for v in argument.values]
    return re.compile("".join(parts))


def test_every_failpoint_is_reached_somewhere_and_every_place_has_a_name() -> None:
    patterns = list(reached())
    for point in failpoints.POINTS:
        assert any(pattern.fullmatch(point) for pattern in patterns), f"{point} is reached nowhere"
    for pattern in patterns:
        assert any(pattern.fullmatch(point) for point in failpoints.POINTS), f"{pattern.pattern} has no name in POINTS"
