"""The charts of the report, each for a light and a dark page: NAME-light.svg, NAME-dark.svg.

A chart is drawn if its figures are there. The same figures make the same files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from tests.bench.scenarios.peers import OURS, TITLES

_INK = {"light": "#1f2328", "dark": "#e6edf3"}
_FAINT = {"light": "#d0d7de", "dark": "#3d444d"}
# The palette of Okabe and Ito: distinguishable with every type of color vision, on both backgrounds.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00")
_LIGHTER = {"#0072b2": "#56b4e9"}
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))

Details = Mapping[str, Any]
"""The details of all figures together."""


def draw(details: Details, place: Path) -> list[str]:
    """Draw the charts and return their names."""
    place.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (needs, picture) in _PICTURES.items():
        if all(key in details for key in needs):
            for theme in _INK:
                with _canvas(theme, place / f"{name}-{theme}.svg") as figure:
                    picture(figure, details, theme)
            drawn.append(name)
    return drawn


@contextmanager
def _canvas(theme: str, path: Path) -> Iterator[Any]:
    ink = _INK[theme]
    style = {
        "svg.hashsalt": "boardcast",
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.edgecolor": _FAINT[theme],
        "xtick.color": ink,
        "ytick.color": ink,
        "grid.color": _FAINT[theme],
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        yield figure
        figure.savefig(path, format="svg", metadata={"Date": None}, transparent=True)


def _efficiency(figure: Any, details: Details, theme: str) -> None:
    peers = details["peers"]
    titles = [TITLES[name] for name in reversed(peers)]
    for axes, clients in zip(figure.subplots(1, 2, sharey=True), (100, 1000), strict=True):
        values = [row[f"deliveries_per_cpu_s_{clients}"] for row in reversed(peers.values())]
        colours = [_colour(0 if name == OURS else 1, theme) for name in reversed(peers)]
        bars = axes.barh(titles, values, color=colours)
        axes.bar_label(bars, [f"{value / 1000:,.0f}" for value in values], padding=3)
        axes.set_xlim(0, max(values) * 1.2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:,.0f}")
        axes.locator_params(axis="x", nbins=4)
        axes.set_title(f"{clients:,} clients", fontsize="medium")
        axes.tick_params(axis="y", length=0)
    figure.supxlabel("thousand deliveries per CPU-second of the server process", fontsize="medium")


def _latency(figure: Any, details: Details, theme: str) -> None:
    rows = details["peers"]
    _curves(figure, {TITLES[name]: row["steady_curve_ms"] for name, row in rows.items()}, theme)


def _low_rate(figure: Any, details: Details, theme: str) -> None:
    curves = {"boardcast, at each of 100 clients": "ours_curve_ms", "bare LISTEN, one": "bare_curve_ms"}
    _curves(figure, {title: details[key] for title, key in curves.items()}, theme)


def _curves(figure: Any, curves: Mapping[str, Sequence[float]], theme: str) -> None:
    axes = figure.subplots()
    for place, (title, curve) in enumerate(curves.items()):
        axes.plot(curve, range(len(curve)), label=title, color=_colour(place, theme), linestyle=_STYLES[place], lw=1.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("ms from commit to client")
    axes.set_ylabel("% of deliveries")
    axes.grid(visible=True)
    figure.legend(loc="outside upper center", ncols=3)


def _writers(figure: Any, details: Details, theme: str) -> None:
    rates = {"NOTIFY off": "off", "adaptive": "adaptive", "always": "always"}
    medians = [median(details["updates_per_s"][mode]) for mode in reversed(rates.values())]
    axes = figure.subplots()
    bars = axes.barh(list(reversed(rates)), medians, color=_colour(0, theme))
    axes.bar_label(bars, [f"{value:,.0f}" for value in medians], padding=3)
    axes.set_xlim(0, max(medians) * 1.15)
    axes.set_xlabel("committed single-row updates per second, 32 writers")
    axes.tick_params(axis="y", length=0)


def _growth(figure: Any, details: Details, theme: str) -> None:
    parts = (
        ("us_per_delivery", "clients", "µs of CPU per delivery"),
        ("rows_us", "rows in the log", "µs of CPU per read pass"),
    )
    for place, (axes, (key, across, up)) in enumerate(zip(figure.subplots(1, 2), parts, strict=True)):
        found = details[key]
        axes.plot([int(x) for x in found], list(found.values()), marker="o", color=_colour(place, theme))
        axes.set_xscale("log")
        axes.set_ylim(0, max(found.values()) * 1.3)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.grid(visible=True)


def _colour(place: int, theme: str) -> str:
    colour = _COLOURS[place]
    return _LIGHTER.get(colour, colour) if theme == "dark" else colour


_PICTURES: Mapping[str, tuple[Sequence[str], Callable[[Any, Details, str], None]]] = {
    "efficiency": (["peers"], _efficiency),
    "latency": (["peers"], _latency),
    "low_rate": (["ours_curve_ms", "bare_curve_ms"], _low_rate),
    "writers": (["updates_per_s"], _writers),
    "growth": (["us_per_delivery", "rows_us"], _growth),
}
