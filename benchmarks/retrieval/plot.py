"""Recall against throughput, one panel for each size and number of threads."""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt


def frontier(points: list[dict], speed: str) -> list[dict]:
    """Returns the points that no other one beats in both recall and speed."""
    best: list[dict] = []
    for point in sorted(points, key=lambda p: (-p["recall"], -p[speed])):
        if not best or point[speed] > best[-1][speed]:
            best.append(point)
    return best[::-1]


def draw(report: dict, path: pathlib.Path, speed: str) -> None:
    """Writes the plot as PNG."""
    panels = [
        (size, threads)
        for size in report["sizes"]
        for threads in report["sizes"][size]["threads"]
    ]
    figure, grid = plt.subplots(
        1, len(panels), figsize=(5.2 * len(panels), 4.4), squeeze=False
    )
    for axes, (size, threads) in zip(grid[0], panels, strict=True):
        results = report["sizes"][size]["threads"][threads]
        for name, result in results.items():
            points = frontier(result["points"], speed)
            if not points:
                continue
            ours = name == "heed"
            axes.plot(
                [p["recall"] for p in points],
                [p[speed] for p in points],
                marker="*" if "exact" in name else "o",
                markersize=9 if "exact" in name else 4,
                linewidth=2.4 if ours else 1.2,
                color="black" if ours else None,
                label=name,
            )
        axes.axvline(0.99, color="grey", linewidth=0.8, linestyle=":")
        axes.set_yscale("log")
        axes.set_xlim(0.8, 1.002)
        axes.set_xlabel("recall@100")
        axes.set_title(f"{int(size):,} candidates, {threads} thread(s)")
        axes.grid(alpha=0.3)
    grid[0][0].set_ylabel(speed.replace("_", " "))
    grid[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
