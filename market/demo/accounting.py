"""How the demonstration's competition answers for itself: records, the report, a disclosure."""

from market.demo.desk import Desk
from market.demo.preparation import Preparation


async def account(play: Preparation, lead: Desk, lots: list[int], bidder: str) -> None:
    """Keep what the record says, and disclose the first lot's to a bidder."""
    tender = f"/tenders/{play.tender}"
    for number in lots:
        lot = f"{tender}/lots/{number}"
        play.kept[f"evaluation-record-lot-{number}"] = await lead.get(f"{lot}/evaluation-record")
        shown = await play.office.send("GET", f"{lot}/performance")
        play.kept[f"performance-lot-{number}"] = shown.json()
    play.kept["procurement-report"] = await lead.get(f"{tender}/procurement-report")
    text = await lead.download(f"{tender}/procurement-report/text")
    play.files["procurement-report.md"] = text
    bundles = f"{tender}/lots/{lots[0]}/disclosure-bundles"
    why = "The bidder asked how its bid was evaluated."
    given = {"recipient": "bidder", "organisation": bidder, "reason": why}
    made = await lead.post(bundles, given)
    play.files[f"disclosure-lot-{lots[0]}.zip"] = await lead.download(f"{bundles}/{made['number']}")
