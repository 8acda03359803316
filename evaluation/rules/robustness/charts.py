"""Charts of a robustness report as SVG: plain shapes and text, nothing loaded, nothing run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import escape

from evaluation.rules.exact import significant
from evaluation.rules.robustness.report import Robustness
from market.money import display

_WIDTH: Final = 720
_LEFT: Final = 150
_PLOT: Final = 480
_ROW: Final = 28
_TOP: Final = 56
_INK: Final = "#212b32"
_BLUE: Final = "#005eb8"
_PALE: Final = "#a8c8e8"
_AMBER: Final = "#b45309"
_HUES: Final = ("#005eb8", "#b45309", "#00703c", "#7c2855", "#425563", "#330072")


class NoSuchChart(LookupError):
    """There is no chart of this name."""


def chart(name: str, report: Robustness) -> str:
    """Draw a chart of a report; raise `NoSuchChart` for a name that is not in `CHARTS`."""
    try:
        draw = CHARTS[name]
    except KeyError:
        raise NoSuchChart(f"There is no chart {name}.") from None
    return draw(report)


def _totals(report: Robustness) -> str:
    """The ranking: bars of quality and price points or, under an index, of its figure."""
    rows = list(report.rows)
    longest = max((abs(row.total) for row in rows), default=Fraction(1)) or Fraction(1)
    additive = any(row.price_points for row in rows)

    def bars() -> Iterator[str]:
        for place, row in enumerate(rows):
            whole = abs(row.total) / longest
            price = row.price_points / longest if additive else Fraction(0)
            yield _label(place, f"{row.rank}. {row.key}")
            yield _bar(place, Fraction(0), whole - price, _BLUE)
            yield _bar(place, whole - price, price, _PALE)
            yield _value(place, whole, significant(row.total))

    what = "Points for quality (dark) and price (light)" if additive else "The figure of each bid"
    return _svg("The ranking", what, len(rows), bars())


def _frequencies(report: Robustness) -> str:
    """How often each bid won under the stated variation."""
    varied = report.variation
    what = (
        f"Share of {varied.draws} draws each bid wins, seed {varied.seed}; weights varied by"
        f" {varied.weights:g} per cent, scores by {varied.scores:g} per cent of the scale"
    )

    def bars() -> Iterator[str]:
        for place, one in enumerate(report.frequencies):
            share = Fraction(one.wins)
            yield _label(place, one.key)
            yield _bar(place, Fraction(0), share, _BLUE)
            yield _value(place, share, f"{display(100 * share, 1)} %")

    return _svg("How often each bid wins", what, len(report.frequencies), bars())


def _price_weights(report: Robustness) -> str:
    """Who wins at which weight of price, on one line from 0 to 100."""
    names = list(dict.fromkeys(" and ".join(one.winners) for one in report.ranges))

    def strips() -> Iterator[str]:
        for one in report.ranges:
            name = " and ".join(one.winners)
            place = names.index(name)
            yield _bar(
                place, one.lowest / 100, (one.highest - one.lowest) / 100, _HUES[place % len(_HUES)]
            )
            yield _value(place, one.highest / 100, f"{display(one.lowest)}-{display(one.highest)}")
        for place, name in enumerate(names):
            yield _label(place, name)

    what = "The weights of price, from 0 to 100, at which each bid is first"
    return _svg("Who wins at which weight", what, len(names), strips())


def _leniency(report: Robustness) -> str:
    """How far above or below the others each evaluator marked."""
    gaps = [gap or Fraction(0) for gap in report.leniency]
    widest = max((abs(gap) for gap in gaps), default=Fraction(1)) or Fraction(1)

    def bars() -> Iterator[str]:
        for place, (name, gap) in enumerate(zip(report.evaluators, gaps, strict=True)):
            length = abs(gap) / widest / 2
            start = Fraction(1, 2) - (length if gap < 0 else 0)
            yield _label(place, name)
            yield _bar(place, start, length, _AMBER if gap < 0 else _BLUE)
            yield _value(place, Fraction(1, 2) + (length if gap > 0 else 0), display(gap))

    what = "Values of the scale by which each marked higher (right) or lower (left) than the others"
    return _svg("Harsh and lenient markers", what, len(gaps), bars())


CHARTS: Final[Mapping[str, Callable[[Robustness], str]]] = MappingProxyType(
    {
        "totals": _totals,
        "win-frequencies": _frequencies,
        "price-weights": _price_weights,
        "leniency": _leniency,
    }
)
"""The charts of a report by their names."""


def _svg(title: str, what: str, rows: int, shapes: Iterator[str]) -> str:
    height = _TOP + _ROW * max(rows, 1) + 16
    parts: Sequence[str] = (
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
            f' width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title what"'
            f' font-family="Arial, sans-serif" font-size="12" fill="{_INK}">'
        ),
        f'<title id="title">{escape(title)}</title><desc id="what">{escape(what)}</desc>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="16" font-weight="bold">{escape(title)}</text>',
        f'<text x="12" y="40" fill="#425563">{escape(what)}</text>',
        *shapes,
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _label(place: int, text: str) -> str:
    shown = text if len(text) <= 22 else f"{text[:21]}…"  # noqa: PLR2004  # what fits on the left
    return (
        f'<text x="{_LEFT - 8}" y="{_TOP + place * _ROW + 18}" text-anchor="end">'
        f"{escape(shown)}</text>"
    )


def _bar(place: int, start: Fraction, length: Fraction, colour: str) -> str:
    return (
        f'<rect x="{display(_LEFT + start * _PLOT)}" y="{_TOP + place * _ROW + 4}"'
        f' width="{display(max(length, Fraction(0)) * _PLOT)}" height="{_ROW - 8}"'
        f' fill="{colour}"/>'
    )


def _value(place: int, end: Fraction, text: str) -> str:
    return (
        f'<text x="{display(_LEFT + end * _PLOT + 6)}" y="{_TOP + place * _ROW + 18}">'
        f"{escape(text)}</text>"
    )
