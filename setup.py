"""The distribution `heed`: four import packages and one command."""

import pathlib

import setuptools

ROOT = pathlib.Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Returns the requirement lines of a .in file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


setuptools.setup(
    name="heed",
    version="0.1.0",
    description="Retrieval recommendations that heed 'not interested', on TFX",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.10,<3.11",
    packages=setuptools.find_packages(
        include=[
            f"{package}{suffix}"
            for package in ("pipeline", "components", "schema", "serving")
            for suffix in ("", ".*")
        ]
    ),
    package_data={
        "schema": ["*.pbtxt"],
        "pipeline.configs": ["*.toml"],
        "pipeline.report": ["*.html", "*.css"],
        "pipeline.report.sections": ["*.html"],
        "serving.explorer": ["*.html"],
    },
    install_requires=requirements("requirements.in"),
    entry_points={"console_scripts": ["heed = pipeline.cli:main"]},
)
