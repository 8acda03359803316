"""The performance as it is seen: live progress, then the ranking and the award."""

from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from market.demo.artefacts import RANKING_HEAD, ranking_rows, write_artefacts
from market.demo.desk import Office
from market.demo.play import Play


async def perform(
    client: httpx.AsyncClient,
    *,
    password: str,
    invitation: str | None,
    folder: Path,
    console: Console,
) -> Play:
    """Play the whole competition against a running API and write its artefacts.

    Raises:
        DemonstrationFailed: the API answered otherwise than the story has it.
    """
    office = Office(client, password)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        play = Play(office, invitation, lambda sentence: console.print(f"    {sentence}"))
        chapters = play.chapters()
        task = progress.add_task("", total=len(chapters))
        for title, chapter in chapters:
            progress.update(task, description=title)
            console.print(f"[bold]{title}[/bold]")
            await chapter()
            progress.advance(task)
    for lot in play.kept["tender"]["lots"]:
        number = lot["number"]
        console.print(_ranking(f"Lot {number}: {lot['title']}", play.kept[f"ranking-lot-{number}"]))
        award = play.kept[f"award-lot-{number}"]
        console.print(f"[bold green]Awarded to {award['supplier']}[/bold green]\n")
    written = write_artefacts(play, folder)
    console.print(
        f"{office.requests.total()} requests over HTTP; {len(written)} files in {folder}:"
        " begin with report.md.",
        soft_wrap=True,
    )
    return play


async def populate(client: httpx.AsyncClient, *, password: str, invitation: str | None) -> Play:
    """Play one competition without a word, and publish a second one that is open for bids."""
    office = Office(client, password)
    first = Play(office, invitation, lambda _: None)
    for _, chapter in first.chapters():
        await chapter()
    second = Play(office, None, lambda _: None)
    for _, chapter in second.until_published():
        await chapter()
    return second


def _ranking(title: str, ranking: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    for head in RANKING_HEAD:
        numeric = head not in {"supplier", "place"}
        table.add_column(
            head, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric
        )
    for row in ranking_rows(ranking):
        table.add_row(*row)
    return table
