"""The digest on a small tree of packages, edited file by file."""

import pytest

from components import source_digest

FILES = {
    "components/__init__.py": "",
    "components/step/__init__.py": "",
    "components/step/executor.py": (
        "import os\n"
        "from components.step import work\n"
        "from schema.names import NAME\n"
        "def later():\n"
        "    import components.step.lazy\n"
    ),
    "components/step/work.py": "from . import inner\n",
    "components/step/inner.py": "x = 1\n",
    "components/step/lazy.py": "import numpy\n",
    "components/step/unrelated.py": "from components.step import executor\n",
    "schema/__init__.py": "",
    "schema/names.py": "NAME = 1\n",
}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(
        source_digest, "__file__", str(tmp_path / "components" / "source_digest.py")
    )
    source_digest.source_digest.cache_clear()
    yield tmp_path
    source_digest.source_digest.cache_clear()


def digest(*modules):
    source_digest.source_digest.cache_clear()
    return source_digest.source_digest(*modules)


def edit(tree, name):
    path = tree / name
    path.write_text(path.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "components/step/executor.py",
        "components/step/work.py",
        "components/step/inner.py",  # a relative import of an import
        "components/step/lazy.py",  # imported inside a function
        "components/step/__init__.py",
        "schema/names.py",  # `from module import name`
    ],
)
def test_edit_of_anything_that_is_imported_changes_the_digest(tree, name):
    before = digest("components.step.executor")

    edit(tree, name)

    assert digest("components.step.executor") != before


def test_edit_of_what_is_not_imported_changes_nothing(tree):
    before = digest("components.step.executor")

    edit(tree, "components/step/unrelated.py")

    assert digest("components.step.executor") == before


def test_digest_is_that_of_the_set_of_modules(tree):
    one = digest("components.step.work", "components.step.lazy")

    assert digest("components.step.lazy", "components.step.work") == one
    assert digest("components.step.lazy") != one


def test_moving_a_line_from_one_file_to_another_changes_the_digest(tree):
    before = digest("components.step.executor")
    # One after the other, the two files hold what they held.
    (tree / "components/step/inner.py").write_text(
        "x = 1\nimport numpy\n", encoding="utf-8"
    )
    (tree / "components/step/lazy.py").write_text("", encoding="utf-8")

    assert digest("components.step.executor") != before


def test_unknown_module_is_refused(tree):
    with pytest.raises(ModuleNotFoundError, match=r"components\.stop"):
        digest("components.stop")


def test_real_steps_have_digests_of_their_own():
    names = [
        "components.trainer.run_fn",
        "components.evaluation.executor",
        "components.promotion_gate.executor",
        "components.responsiveness.executor",
    ]

    assert len({digest(name) for name in names}) == len(names)
    assert all(len(digest(name)) == 16 for name in names)
