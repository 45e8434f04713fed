import pytest

from pipeline.report.charts import error_bars

STAND_IN = '<svg viewBox="0 0 1 1" role="img"></svg>'


@pytest.fixture
def real_plots():
    """Asks for plots that are drawn, which takes a good part of a second each."""


@pytest.fixture(autouse=True)
def plots_stand_in(request, monkeypatch):
    if "real_plots" not in request.fixturenames:
        for name in ("training_curves", "error_bars", "rank_curves", "responsiveness"):
            monkeypatch.setattr(error_bars, name, lambda *_: STAND_IN)
