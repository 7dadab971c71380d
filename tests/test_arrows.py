"""The order of the house: who may import whom, and what no module may do."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Within the engine a module imports only from lines above its own; those on one line are strangers.
LEVELS = [
    {
        "errors",
        "settings",
        "requests",
        "schema",
        "timer",
        "heap",
        "timetable",
        "departure",
        "turns",
        "packing",
    },
    {"story", "estimate", "prompts", "metadata", "store", "hub", "planes"},
    {
        "attention",
        "winograd",
        "devices",
        "solver",
        "stopwatch",
        "status",
        "shapes",
        "compiling",
    },
    {"snapshots", "versions", "video", "captions", "transitions", "picture_texts"},
    {"choice", "weights", "memory", "enlarging"},
    {"blocks"},
    {"motion", "parameters", "makers", "families", "exchange", "programs", "sharing"},
    {"frames", "pairs"},
    {"jobs", "cpu"},
    {"records", "crew", "reel"},
    {"journal"},
    {"queue", "models", "recorder", "retention", "slots", "graphs"},
    {"worker", "preview", "recovery", "forecast", "latents", "encoding", "rows"},
    {"assembly", "archive", "denoiser", "decoding", "film"},
    {"sampler", "stock", "telling"},
    {"register", "reuse", "gallery"},
    {"production"},
    {"engine"},
    {"__init__"},
]
WEB = {"fastapi", "starlette", "uvicorn", "gradio", "gradio_client", "fastapi_offline"}
FORBIDDEN = {
    "engine": WEB | {"api", "ui", "app", "training", "benchmarks", "tests"},
    "api": {"gradio", "gradio_client", "ui", "app", "torch", "diffusers", "tests"},
    "ui": {"api", "app", "torch", "diffusers", "tests"},
}
DEVICE_LIBRARIES = {"torch", "diffusers", "transformers", "accelerate"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def service_sources() -> list[Path]:
    return [ROOT / "app.py", *sources("engine", "api", "ui")]


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, at its top or inside functions; `from a import b` is a.b too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def engine_imports(path: Path) -> set[str]:
    names = {path.stem for path in sources("engine")}
    found = {name.split(".")[1] for name in imports(path) if name.startswith("engine.")}
    return found & names


def show(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("folder", sorted(FORBIDDEN))
def test_arrows_between_the_packages_run_one_way(folder: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(folder)
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN[folder]
    }
    assert wrong == set()


def test_every_engine_module_has_its_level() -> None:
    assert {path.stem for path in sources("engine")} == set().union(*LEVELS)
    assert sum(len(level) for level in LEVELS) == len(sources("engine"))


def test_arrows_within_the_engine_run_upwards() -> None:
    level = {name: number for number, names in enumerate(LEVELS) for name in names}
    wrong = [
        f"{path.stem} imports {name}"
        for path in sources("engine")
        for name in engine_imports(path)
        if level[name] >= level[path.stem]
    ]
    assert wrong == []


def test_faces_see_the_engine_through_few_doors() -> None:
    behind = {
        "archive",
        "register",
        "recorder",
        "queue",
        "worker",
        "production",
        "sampler",
        "stock",
        "models",
        "store",
        "hub",
        "video",
        "journal",
    }
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [ROOT / "app.py", *sources("api", "ui")]
        for name in engine_imports(path) & behind
    ]
    assert wrong == []


def importers(*libraries: str) -> set[str]:
    return {
        path.stem
        for path in service_sources()
        if {name.split(".")[0] for name in imports(path)} & set(libraries)
    }


def test_only_what_works_on_the_device_imports_its_libraries() -> None:
    assert importers("diffusers") == {
        *("models", "solver", "exchange", "blocks", "pairs"),
    }
    assert importers(*DEVICE_LIBRARIES) == {
        *("models", "devices", "sampler", "stock", "memory", "preview"),
        *("solver", "rows", "latents", "encoding", "denoiser", "attention"),
        *("stopwatch", "programs", "shapes", "compiling", "graphs", "decoding", "exchange"),
        *("packing", "winograd", "enlarging", "blocks", "pairs", "sharing", "cpu"),
    }


def test_only_settings_reads_the_environment() -> None:
    wrong = [
        path
        for path in sources("engine", "api", "ui")
        if {"os.environ", "os.getenv"} & set(imports(path)) or "os.environ" in path.read_text()
    ]
    assert show(wrong) == []


def test_importing_the_engine_loads_neither_torch_nor_a_web_framework() -> None:
    heavy = sorted(DEVICE_LIBRARIES | WEB | {"huggingface_hub"})
    script = f"import sys, engine; print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr


def test_no_file_is_over_400_lines() -> None:
    files = [*service_sources(), *sources("training", "benchmarks", "tests")]
    assert show([path for path in files if len(path.read_text("utf-8").splitlines()) > 400]) == []


def test_nothing_prints() -> None:
    wrong = [
        path
        for path in service_sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert show(wrong) == []


def does_work(statement: ast.stmt) -> bool:
    """Whether a statement at a module's top does more than define and name things."""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) not in {"__name__ == '__main__'", "TYPE_CHECKING"}
    return not isinstance(
        statement,
        ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.FunctionDef
        | ast.AsyncFunctionDef | ast.ClassDef,
    )  # fmt: skip


def test_nothing_is_done_at_import() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{statement.lineno}"
        for path in service_sources()
        for statement in ast.parse(path.read_text("utf-8")).body
        if does_work(statement)
    ]
    assert wrong == []


def test_no_module_changes_globals() -> None:
    wrong = [
        path
        for path in service_sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Global)
    ]
    assert show(wrong) == []


def test_the_error_tree_is_drawn_as_it_is() -> None:
    from engine import errors

    drawn = [line.split("─ ")[-1].split()[0] for line in errors.__doc__.splitlines() if "─" in line]
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    assert sorted(drawn) == sorted(c.__name__ for c in classes if c is not errors.EngineError)
    assert len({c.code for c in classes}) == len(classes)
