"""What tests of the store share."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def no_waiting():
    """Nobody cuts the power here: the disk need not be waited for, except by processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda *_: None)
        yield
