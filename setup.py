"""What the distribution `heed` holds is said in pyproject.toml."""

import setuptools

setuptools.setup()
