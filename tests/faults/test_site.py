"""One run at a time plays on a site."""

import pytest
from testkit.faults.site import Site, SiteTakenError


def test_two_runs_do_not_play_on_one_site(tmp_path, monkeypatch):
    monkeypatch.setattr("testkit.faults.site.STATE", tmp_path)
    with Site().alone(), pytest.raises(SiteTakenError), Site().alone():
        pass
    with Site().alone():
        assert list(tmp_path.iterdir()) != []
