"""Who imports whom, read from the sources: imports point backwards along the flow."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("schema", "serving", "components", "pipeline")
"""Each may import itself and those before it."""
STEPS = [
    {"ingestion"},
    {"event_example_gen", "item_catalog_gen"},
    {"statistics_gen"},
    {"anomaly_check", "transform"},
    {"trainer"},
    {"tuner", "tower_refresher"},
    {"index_builder"},
    {"evaluation", "responsiveness", "serving_check", "bulk_recommendations"},
    {"promotion_gate"},
    {"pusher"},
]
"""Each may import itself and those of the lines before it, in the order of the flow."""
WITH_TFX = {
    "artifacts",
    "component",
    "driver",
    "executor",
    "run_fn",
    "specs",
    "tuner_fn",
}
"""The modules of `components` that know TFX: what a step is, not what it does.

`run_fn` and `tuner_fn` hold the functions that TFX's Trainer and Tuner call.
"""
FILES = "tfx.dsl.io"
"""Opens files of any store, and knows nothing of steps: all may use it."""


def sources(root):
    """Returns dotted name to file of every module of the four packages."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
    }


def imported(path, module, modules):
    """Returns what a file imports anywhere, also inside of functions."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            names = {f"{base}.{alias.name}" for alias in node.names}
            # `from package import name` names a module or something in the package.
            found |= {name if name in modules else base for name in names}
    return found


def import_graph(root):
    """Returns each module to the modules that it imports, ours and others'."""
    modules = sources(root)
    return {module: imported(path, module, modules) for module, path in modules.items()}


def circles(graph):
    """Returns the modules that reach themselves, grouped by circle and sorted."""
    reached = {module: set(found & graph.keys()) for module, found in graph.items()}
    grown = True
    while grown:
        grown = False
        for found in reached.values():
            further = set().union(*(reached[other] for other in found)) - found
            found |= further
            grown = grown or bool(further)
    return sorted(
        {
            tuple(sorted(o for o in reached if o in found and module in reached[o]))
            for module, found in reached.items()
            if module in found
        }
    )


def step_of(module):
    """Returns the step's place in the flow; None: a module that several share."""
    parts = set(module.split(".")[1:2])
    return next((place for place, steps in enumerate(STEPS) if parts & steps), None)


@pytest.fixture(scope="module")
def graph():
    return import_graph(ROOT)


def edges(graph):
    return [(module, other) for module in sorted(graph) for other in graph[module]]


def test_no_circles(graph):
    assert set(circles(graph)) == set()


def test_packages_import_only_what_comes_before(graph):
    order = {package: place for place, package in enumerate(PACKAGES)}

    wrong = [
        (module, other)
        for module, other in edges(graph)
        if order.get(other.split(".")[0], -1) > order[module.split(".")[0]]
    ]

    assert wrong == []


def test_steps_import_only_backwards_along_the_flow(graph):
    def is_forward(module, other):
        here, there = step_of(module), step_of(other)
        same = module.split(".")[:2] == other.split(".")[:2]
        return there is not None and not same and (here is None or there >= here)

    wrong = [
        (module, other)
        for module, other in edges(graph)
        if module.startswith("components.")
        and other.startswith("components.")
        and is_forward(module, other)
    ]

    assert wrong == []


def test_no_step_reaches_into_the_index_builder(graph):
    ours = ("components.index_builder", "pipeline.")
    wrong = [
        (module, other)
        for module, other in edges(graph)
        if other.startswith("components.index_builder") and not module.startswith(ours)
    ]

    assert wrong == []


def test_of_serving_a_step_knows_the_bundle_which_knows_the_schema(graph):
    wrong = [
        (module, other)
        for module, other in edges(graph)
        if module.startswith(("components.", "serving.bundle"))
        and other.startswith("serving")
        and other not in ("serving", "serving.bundle")
        and not other.startswith("serving.bundle.")
    ]

    assert wrong == []


def test_every_step_has_its_place():
    folders = {
        path.name
        for path in (ROOT / "components").iterdir()
        if (path / "component.py").is_file()
    }

    assert folders - set().union(*STEPS) == set()


def test_only_what_wires_a_step_knows_tfx(graph):
    wrong = [
        (module, other)
        for module, other in edges(graph)
        if other.split(".")[0] == "tfx"
        and other != FILES
        and not module.startswith("pipeline.")
        and module.split(".")[-1] not in WITH_TFX
    ]

    assert wrong == []


def test_planted_circle_is_found(tmp_path):
    files = {
        "schema/__init__.py": "",
        "components/one.py": "from components import two\n",
        "components/two.py": "def later():\n    from . import three\n",
        "components/three/__init__.py": "import components.one\n",
        "components/four.py": "from components.one import name\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")

    found = import_graph(tmp_path)

    assert found["components.four"] == {"components.one"}
    assert circles(found) == [
        ("components.one", "components.three", "components.two"),
    ]
