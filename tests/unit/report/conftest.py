import pytest

from pipeline.report.charts import error_bars, lines

STAND_IN = '<svg viewBox="0 0 1 1" role="img"></svg>'


@pytest.fixture
def real_plots():
    """Asks for plots that are drawn, which takes a good part of a second each."""


@pytest.fixture(autouse=True)
def plots_stand_in(request, monkeypatch):
    if "real_plots" not in request.fixturenames:
        for module, name in (
            (error_bars, "side_by_side"),
            (error_bars, "responsiveness"),
            (lines, "training_curves"),
            (lines, "rank_curves"),
        ):
            monkeypatch.setattr(module, name, lambda *_: STAND_IN)
