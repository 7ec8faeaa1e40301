"""Known defects: the test says what must hold, and fails the suite on the day it does, so that the mark goes."""

import pytest


def defect(reason: str) -> pytest.MarkDecorator:
    """Marks a test, or one case of it, of something the service does not yet do right."""
    return pytest.mark.xfail(strict=True, reason=reason)
