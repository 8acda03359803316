from typing import Any

from tests.makers.evaluation import notified_lot
from tests.makers.world import World


async def test_every_bidder_reads_its_own_notice_as_a_page_and_as_a_pdf(world: World) -> None:
    lot = await notified_lot(world)
    for supplier in lot.suppliers:
        (item,) = (await supplier.get(f"{lot.path}/award-notices")).json()["items"]
        page = await supplier.get(f"{lot.path}/award-notices/{item['id']}/page")
        assert page.status_code == 200, page.text
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert item["content"]["recipient"] in page.text
        first, again = [
            await supplier.get(f"{lot.path}/award-notices/{item['id']}/document") for _ in range(2)
        ]
        assert first.status_code == 200, first.text
        assert first.headers["content-type"] == "application/pdf"
        assert first.content.startswith(b"%PDF-")
        assert b"StructTreeRoot" in first.content
        assert first.content == again.content


async def test_a_bidder_does_not_find_the_notice_of_another(world: World) -> None:
    lot = await notified_lot(world)
    ids: list[Any] = []
    for supplier in lot.suppliers:
        items = (await supplier.get(f"{lot.path}/award-notices")).json()["items"]
        ids += [item["id"] for item in items]
    for form in ("page", "document"):
        strange = await lot.suppliers[0].get(f"{lot.path}/award-notices/{ids[1]}/{form}")
        assert strange.status_code == 404
        assert strange.json()["type"] == "/problems/not-found"
        by_duty = await lot.tender.manager.get(f"{lot.path}/award-notices/{ids[1]}/{form}")
        assert by_duty.status_code == 200
