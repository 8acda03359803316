"""What the demonstration leaves behind: every document it produced, and a report to read."""

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from market.demo.methods import HEAD, rows_of
from market.demo.play import Play


def write_artefacts(play: Play, folder: Path) -> list[Path]:
    """Write one JSON file for each document of the last performance, and `report.md`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    written = [_write(folder / f"{name}.json", content) for name, content in play.kept.items()]
    receipts = folder / "receipts"
    receipts.mkdir()
    written += [_write(receipts / f"{name}.json", given) for name, given in play.receipts.items()]
    charts = folder / "charts"
    charts.mkdir()
    for name, drawn in play.charts.items():
        (charts / f"{name}.svg").write_text(drawn, encoding="utf-8")
        written.append(charts / f"{name}.svg")
    letters = folder / "letters"
    letters.mkdir()
    for name, letter in play.letters.items():
        (letters / f"{name}.pdf").write_bytes(letter)
        written.append(letters / f"{name}.pdf")
    report = folder / "report.md"
    report.write_text(_report(play), encoding="utf-8")
    return [*written, report]


def _write(path: Path, content: Any) -> Path:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    return path


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def ranking_rows(ranking: dict[str, Any]) -> list[list[str]]:
    """The ranking as rows of text, best first; bids below the minimum last and without a price."""
    return [
        [
            str(bid.get("place") or "-"),
            bid["supplier"],
            bid["quality_points"]["display"],
            f"{Decimal(bid['price']['amount']):,.2f}" if bid.get("price") else "sealed",
            bid["price_points"]["display"] if bid.get("price_points") else "-",
            bid["total"]["display"] if bid.get("total") else "failed",
        ]
        for bid in ranking["bids"]
    ]


RANKING_HEAD = ["place", "supplier", "quality", "price, £", "price points", "total"]


def _yearly(play: Play) -> Decimal:
    lots = play.kept["requirement"]["content"]["lots"]
    return sum((Decimal(lot["estimated_annual_value"]["amount"]) for lot in lots), Decimal())


def _firmness(report: dict[str, Any], number: int) -> list[str]:
    """How firmly the ranking stands, in a few lines and its charts."""
    margin = report["margin"]
    marks = [
        f"{mark['pseudonym']} {mark['criterion']} at {mark['instead']['display']}"
        for mark in report["marks_that_flip"]
    ]
    decided = [one["without"] for one in report["without_one"] if one["changed"]]
    return [
        f"- Margin of the first place: {margin['display'] if margin else 'no other bid'}.",
        f"- Single marks that would have changed the winner: {'; '.join(marks) or 'none'}.",
        f"- Losing bids without which another would have won: {', '.join(decided) or 'none'}.",
        "",
        *(
            f"![{name}](charts/lot-{number}-{name}.svg)"
            for name in (path.rpartition("/")[2].removesuffix(".svg") for path in report["charts"])
        ),
        "",
    ]


def _report(play: Play) -> str:
    tender = play.kept["tender"]
    lines = [
        f"# {tender['title']}",
        "",
        f"Tender {tender['reference']}, a demonstration: people, bids, prices and all suppliers",
        "that are not commissioning support units are invented.",
        "",
        "## Who pays",
        "",
        f"An estimated £{_yearly(play):,.0f} a year, shared by population.",
        "",
        *_table(
            ["group", "population", "share"],
            [
                [buyer["name"], f"{buyer['population']:,}", f"{buyer['share']} %"]
                for buyer in tender["buyers"]
            ],
        ),
    ]
    for lot in tender["lots"]:
        number = lot["number"]
        award = play.kept[f"award-lot-{number}"]
        lines += [
            f"## Lot {number}: {lot['title']}",
            "",
            *_table(RANKING_HEAD, ranking_rows(play.kept[f"ranking-lot-{number}"])),
            f"Awarded to {award['supplier']}. Standstill until {award['standstill_ends_at']}.",
            "",
            *_firmness(play.kept[f"robustness-lot-{number}"], number),
            "The same bids through every award method, for comparison:",
            "",
            *_table(HEAD, rows_of(play.kept[f"methods-lot-{number}"])),
        ]
    lines += [
        "## What was refused on the way",
        "",
        f"- The author as award approver: {play.kept['refused_duty']}",
        f"- The opening before the deadline: {play.kept['refused_opening']}",
        f"- An approver with an interest: {play.kept['refused_interest']}",
        f"- The contract in the standstill: {play.kept['refused_contract']}",
        "",
    ]
    return "\n".join(lines)
