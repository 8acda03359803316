"""Publication: for good, under the law of the day, with keys to seal bids to."""

from tests.makers.tenders import published_tender
from tests.makers.world import World


async def test_a_tender_goes_from_draft_to_publication(world: World) -> None:
    tender = await published_tender(world)
    answer = await world.public(tender.path)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert view["status"] == "published"
    assert view["my_duties"] == []
    assert [lot["number"] for lot in view["lots"]] == [1, 2]
    assert answer.headers["etag"] == f'"{tender.version}"'
    published = await world.public(f"{tender.path}/requirement")
    assert published.status_code == 200, published.text
    assert published.json()["content"]["lots"][0]["title"] == "Decision support"
