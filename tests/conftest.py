"""What all tests share: the real parts, and no network for tests that do not say they need one."""

from pathlib import Path

import pytest

pytest_plugins = ["testkit.parts", "testkit.network", "testkit.stack"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by need: who asks for a real part is an integration test, and everything in tests/e2e goes through the gateway."""
    for item in items:
        if "e2e" in Path(item.path).parts:
            item.add_marker(pytest.mark.e2e)
        elif {"kafka", "mongo_url", "mongo_database"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
