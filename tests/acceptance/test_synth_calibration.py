"""The synthetic city against its calibration table: every row printed, every row within its tolerance."""

import time

import pytest

from kizuki.synth import build_city
from kizuki.synth.calibration import measure, table


@pytest.mark.slow
def test_the_city_meets_its_calibration_table(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    readings = measure(build_city())
    with capsys.disabled():
        print("\n" + table(readings))
    assert [r.target.name for r in readings if not r.holds] == []
    assert len(readings) >= 40
    assert time.perf_counter() - began < 40
