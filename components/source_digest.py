"""Digest of the code behind a step, so that an edited file reruns it.

TFX's cache key holds a component's settings and inputs, but not its source.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import pathlib

_PACKAGES = ("schema", "components", "pipeline", "serving")


def _source_file(module: str) -> pathlib.Path | None:
    root = pathlib.Path(__file__).resolve().parent.parent
    path = root.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _imported_modules(source: str, module: str) -> set[str]:
    """Returns the names under our packages that the source imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                relative = "." * node.level + (node.module or "")
                base = importlib.util.resolve_name(relative, module.rpartition(".")[0])
            else:
                base = node.module or ""
            names.add(base)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in _PACKAGES}


def function_digest(function: str) -> str:
    """Returns the digest of the module that holds a function, by its dotted name."""
    return source_digest(function.rpartition(".")[0])


def file_digest(path: str) -> str:
    """Returns the digest of one file's content."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:16]


@functools.cache
def source_digest(*modules: str) -> str:
    """Returns the digest of the modules and of all of ours that they import.

    Args:
      modules: dotted names, such as `components.trainer.run_fn`.

    Raises:
      ModuleNotFoundError: a name is no module of ours.
    """
    waiting, sources = list(modules), dict[str, bytes]()
    for module in modules:
        if _source_file(module) is None:
            raise ModuleNotFoundError(f"no module of this package: {module}")
    while waiting:
        module = waiting.pop()
        path = _source_file(module)
        # `from package import name` may name a function instead of a module.
        if path is None or module in sources:
            continue
        sources[module] = path.read_bytes()
        waiting += _imported_modules(sources[module].decode(), module)
    digest = hashlib.sha256()
    for module in sorted(sources):
        digest.update(module.encode() + b"\0" + sources[module] + b"\0")
    return digest.hexdigest()[:16]
