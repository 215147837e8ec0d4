"""What every test may use."""
import pathlib

import pytest


@pytest.fixture(scope="session")
def course():
    """The folder of the course, a Path: the repository's root."""
    return pathlib.Path(__file__).resolve().parent.parent
