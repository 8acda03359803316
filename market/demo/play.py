"""The competition, played chapter by chapter through the API alone: from bids to contracts."""

from datetime import datetime, timedelta
from typing import Any

from market.demo.bidders import BIDDERS, Bidder, reason
from market.demo.cast import MEMBERS_APPROVERS
from market.demo.methods import side_by_side
from market.demo.preparation import Chapter, Preparation
from market.demo.requirement import REQUIREMENT, SCALE

HOLDING = "Sandhills Holdings Limited (demonstration)"


class Play(Preparation):
    """One whole performance."""

    def chapters(self) -> list[Chapter]:
        """The whole story in order."""
        return [*self.until_published(), *self.after_publication()]

    async def _verify_winner(self, number: int) -> None:
        """What the winner declared is checked before the contract."""
        manager = self.desks["lead"]
        checks = (await manager.get(f"{self._lot(number)}/award-checks"))["checks"]
        for check in checks:
            await manager.post(
                f"{self._lot(number)}/award-checks",
                {
                    "check": check["check"],
                    "participant": check["participant"],
                    "outcome": "verified",
                    "reason": "The documents that the supplier sent show what it declared.",
                    "evidence": f"Procurement file, lot {number}",
                },
            )

    def after_publication(self) -> list[Chapter]:
        """What happens once suppliers can bid."""
        return [
            ("Five suppliers bid, sealed", self.bid),
            ("The deadline passes; openers declare and confirm", self.open),
            ("Evaluators score alone and blind", self.score),
            ("The moderator records agreed scores; quality is locked", self.moderate),
            ("Prices of the bids that passed are opened and ranked", self.rank),
            ("An interest nobody mentioned comes out", self.recuse),
            ("Recommendation and approval", self.award),
            ("Every bidder gets a notice; standstill", self.notify),
            ("Contracts", self.contract),
        ]

    # -- bids -------------------------------------------------------------------------------------

    async def bid(self) -> None:
        """Each supplier bids for its lots; one replaces its bid, the lead tries to peek."""
        for bidder in BIDDERS:
            for lot, answers in bidder.answers.items():
                given = await self.desks[bidder.key].post(
                    f"/tenders/{self.tender}/lots/{lot}/bids",
                    {
                        "quality": {
                            "answers": [
                                {"criterion": code, "text": text} for code, text in answers.items()
                            ]
                        },
                        "price": {
                            "prices": [
                                {"item": code, "unit_price": price}
                                for code, price in bidder.prices[lot].items()
                            ]
                        },
                    },
                )
                self.receipts[f"{bidder.key}-lot-{lot}"] = given
        why = await self.desks["opener_one"].refused(
            "POST", f"/tenders/{self.tender}/opening-confirmations"
        )
        self.kept["refused_opening"] = why
        count = len(self.receipts)
        self.tell(f"{count} sealed bids with signed receipts. An opener before the deadline: {why}")

    async def _declare(self, key: str) -> None:
        desk = self.desks[key]
        bidders = await desk.get(f"/tenders/{self.tender}/bidders")
        names = bidders["items"] if isinstance(bidders, dict) else bidders
        await desk.post(
            f"/tenders/{self.tender}/declarations",
            {
                "declarations": [
                    {"bidder": bidder["organisation"], "interest": "none", "details": ""}
                    for bidder in names
                ]
            },
        )

    async def open(self) -> None:
        """Time passes; names go to the openers alone; two of them open."""
        deadline = datetime.fromisoformat(self.kept["tender"]["timetable"]["deadline"])
        await self._advance_to(deadline + timedelta(minutes=1))
        for key in ("opener_one", "opener_two"):
            await self._declare(key)
            await self.desks[key].post(f"/tenders/{self.tender}/opening-confirmations")
        self.kept["minutes"] = await self.desks["opener_one"].get(f"/tenders/{self.tender}/opening")
        self.tell("Two openers without an interest confirmed; the quality envelopes are open.")

    # -- evaluation -------------------------------------------------------------------------------

    def _lot(self, number: int) -> str:
        return f"/tenders/{self.tender}/lots/{number}"

    def _lots(self) -> list[int]:
        return [lot["number"] for lot in REQUIREMENT["lots"]]

    async def _evaluation(self, number: int, key: str) -> dict[str, Any]:
        view: dict[str, Any] = await self.desks[key].get(f"{self._lot(number)}/evaluation")
        return view

    def _whose(self, number: int, opened: dict[str, Any]) -> Bidder:
        """Recognise a pseudonymous bid by its answers, as only the story's author can."""
        texts = {answer["text"] for answer in opened["answers"]}
        return next(
            bidder
            for bidder in BIDDERS
            if number in bidder.answers and set(bidder.answers[number].values()) == texts
        )

    async def score(self) -> None:
        """Three evaluators declare, score every criterion of every bid with a reason, and lock."""
        count = 0
        panel = ("evaluator_one", "evaluator_two", "evaluator_three")
        for seat, key in enumerate(panel):
            await self._declare(key)
            for number in self._lots():
                count += await self._score_lot(key, seat, number)
                await self.desks[key].post(f"{self._lot(number)}/evaluation/locks")
        self.tell(f"{count} scores, each with its reason; nobody saw another's before locking.")

    async def _score_lot(self, key: str, seat: int, number: int) -> int:
        count = 0
        opened = await self.desks[key].get(f"{self._lot(number)}/evaluation/bids")
        for bid in opened["items"] if isinstance(opened, dict) else opened:
            bidder = self._whose(number, bid)
            for code, given in bidder.scores[number].items():
                await self.desks[key].post(
                    f"{self._lot(number)}/evaluation/bids/{bid['pseudonym']}/scores",
                    {
                        "criterion": code,
                        "value": str(given[seat]),
                        "reason": reason(code, given[seat], bidder.answers[number][code]),
                    },
                )
                count += 1
        return count

    async def moderate(self) -> None:
        """The moderator records what the panel agreed, and why; then quality is locked."""
        await self._declare("moderator")
        moderator = self.desks["moderator"]
        for number in self._lots():
            opened = await moderator.get(f"{self._lot(number)}/evaluation/bids")
            for bid in opened["items"] if isinstance(opened, dict) else opened:
                bidder = self._whose(number, bid)
                for code, given in bidder.scores[number].items():
                    await moderator.post(
                        f"{self._lot(number)}/evaluation/bids/{bid['pseudonym']}/agreed-scores",
                        {
                            "criterion": code,
                            "value": str(given[3]),
                            "reason": reason(code, given[3], bidder.answers[number][code]),
                        },
                    )
            version = (await self._evaluation(number, "moderator"))["version"]
            await moderator.post(f"{self._lot(number)}/evaluation/quality-lock", version=version)
        self.tell("Quality is locked in both lots; no price has been read by anybody.")

    async def rank(self) -> None:
        """Prices of the bids that met the minimum are opened; the others stay sealed for ever."""
        await self._declare("price_evaluator")
        evaluator = self.desks["price_evaluator"]
        for number in self._lots():
            for act in ("price-opening", "ranking"):
                version = (await self._evaluation(number, "price_evaluator"))["version"]
                await evaluator.post(f"{self._lot(number)}/evaluation/{act}", version=version)
            ranking = await evaluator.get(f"{self._lot(number)}/evaluation/ranking")
            self.kept[f"ranking-lot-{number}"] = ranking
            await self._beside(number, ranking)
        self.tell("Ranked in exact fractions; what failed the minimum was never priced.")
        self.tell(
            "Beside it, for comparison: every other method, and how firmly each ranking stands."
        )

    async def _beside(self, number: int, ranking: dict[str, Any]) -> None:
        """The same bids through every method, and the robustness report: both alter nothing."""
        moderator = self.desks["moderator"]
        scores = await moderator.get(f"{self._lot(number)}/evaluation/scores?limit=200")
        agreed: dict[str, dict[str, str]] = {}
        for score in scores["items"]:
            if score["agreed"] and score["current"]:
                agreed.setdefault(score["pseudonym"], {})[score["criterion"]] = score["value"]
        self.kept[f"methods-lot-{number}"] = await side_by_side(
            moderator,
            next(lot for lot in REQUIREMENT["lots"] if lot["number"] == number),
            SCALE[-1]["value"],
            [
                {
                    "key": bid["supplier"][:60],
                    "values": [
                        {"criterion": code, "value": value}
                        for code, value in agreed[bid["pseudonym"]].items()
                    ],
                    "price": bid["price"]["amount"],
                }
                for bid in ranking["bids"]
                if bid["place"] is not None
            ],
        )
        report = await moderator.get(f"{self._lot(number)}/robustness")
        self.kept[f"robustness-lot-{number}"] = report
        for path in report["charts"]:
            drawn = await self.office.send(
                "GET", path.removeprefix("/api/v1"), token=moderator.token
            )
            name = path.rpartition("/")[2].removesuffix(".svg")
            self.charts[f"lot-{number}-{name}"] = drawn.text

    async def recuse(self) -> None:
        """An approver declares none; the market finds a path, and the guardian decides."""
        holding = {"scheme": "GB-COH", "identifier": "09999002", "name": HOLDING}
        winner = self.desks["greensand"].organisation
        registrar, approver = self.desks["registrar"], self.desks["shareholder"]
        await self.office.send(
            "POST",
            "/ownership/links",
            token=registrar.token,
            body={
                "holder": {"registered": holding},
                "subject": {"organisation": winner},
                "kind": "shareholding",
                "share": {"minimum": "40", "maximum": "40"},
                "source": "Invented for the demonstration.",
            },
            expected=(201, 409),  # 409: an earlier performance in this market stated it
        )
        if not (await approver.get("/me/interests"))["items"]:
            today = (await self._now()).date().isoformat()
            await approver.post(
                f"/organisations/{approver.organisation}/interests",
                {
                    "kind": "financial",
                    "relationship": "shareholder",
                    "counterparty": HOLDING,
                    "identifier": {"scheme": "GB-COH", "value": "09999002"},
                    "nature": "Shares bought on the market.",
                    "share": "12",
                    "aware_on": today,
                    "consents": True,
                    "accurate": True,
                },
            )
        await self._declare("shareholder")
        why = await approver.refused("GET", f"{self._lot(self._lots()[0])}/evaluation/ranking")
        await self._declare("guardian")
        guardian = self.desks["guardian"]
        self.kept["conflicts"] = await guardian.get(f"/tenders/{self.tender}/conflicts")
        found = next(item for item in self.kept["conflicts"] if item["person"] == approver.person)
        await guardian.post(
            f"/tenders/{self.tender}/conflict-decisions",
            {
                "person": approver.person,
                "bidder": winner,
                "outcome": "must_leave",
                "reason": "The panel is complete without him.",
            },
        )
        self.kept["refused_interest"] = why
        self.tell(f"{found['paths'][0]['sentence']} He had declared none: {why}")

    async def award(self) -> None:
        """The moderator recommends; an officer and a lay member approve."""
        for key in ("approver", "lay_member"):
            await self._declare(key)
        for number in self._lots():
            ranking = self.kept[f"ranking-lot-{number}"]
            first = next(bid for bid in ranking["bids"] if bid.get("place") == 1)
            await self.desks["moderator"].post(
                f"{self._lot(number)}/recommendations",
                {
                    "pseudonym": first["pseudonym"],
                    "reason": "It has the most points of quality and price together.",
                },
            )
            await self._keep_report(number)
            for key in ("approver", "lay_member"):
                await self.desks[key].post(
                    f"{self._lot(number)}/approvals",
                    {
                        "outcome": "approved",
                        "reason": "The record shows how each score was reached.",
                    },
                )
        for key in MEMBERS_APPROVERS:
            await self._declare(key)
            for number in self._lots():
                await self.desks[key].post(
                    f"{self._lot(number)}/buyer-decisions",
                    {
                        "takes_part": True,
                        "reason": "The governing body agrees to our share of the awarded price.",
                    },
                )
        self.tell(
            "Approved by a quorum of two, a lay member among them; both other groups decided for"
            " themselves to take part."
        )

    async def _keep_report(self, number: int) -> None:
        """What the approvers decide on, as data and as a PDF."""
        path = f"{self._lot(number)}/recommendation-report"
        approver = self.desks["approver"]
        self.kept[f"recommendation-report-lot-{number}"] = await approver.get(path)
        self.letters[f"recommendation-report-lot-{number}"] = await approver.download(
            f"{path}/document"
        )

    async def notify(self) -> None:
        """The lead sends a notice to every bidder, which begins the standstill."""
        await self._declare("lead")
        for number in self._lots():
            version = (await self._evaluation(number, "lead"))["version"]
            await self.desks["lead"].post(f"{self._lot(number)}/award-notices", version=version)
            for bidder in BIDDERS:
                if number in bidder.answers:
                    notices = await self.desks[bidder.key].get(f"{self._lot(number)}/award-notices")
                    self.kept[f"notice-{bidder.key}-lot-{number}"] = notices
                    for notice in notices["items"]:
                        path = f"{self._lot(number)}/award-notices/{notice['id']}/document"
                        name = f"{bidder.key}-lot-{number}-variant-{notice['content']['variant']}"
                        self.letters[name] = await self.desks[bidder.key].download(path)
            for name in ("award", "contract-award-notice"):
                self.kept[f"{name}-lot-{number}"] = (
                    await self.office.send("GET", f"{self._lot(number)}/{name}")
                ).json()
        ends = self.kept["award-lot-1"]["standstill_ends_at"]
        self.tell(f"Standstill until {ends}.")

    async def contract(self) -> None:
        """Too early is refused; after the standstill each group's contracts are made."""
        await self._declare("contract_manager")
        manager = self.desks["contract_manager"]
        starts = self.kept["tender"]["timetable"]["contract_starts"]
        ends = f"{int(starts[:4]) + 3}{starts[4:]}"
        for number in self._lots():
            bodies = [
                {
                    "buyer": buyer["organisation"],
                    "reference": f"DEMO-LOT-{number}-{place}",
                    "starts": starts,
                    "ends": ends,
                }
                for place, buyer in enumerate(self.kept["tender"]["buyers"], 1)
            ]
            version = (await self._evaluation(number, "contract_manager"))["version"]
            await self._verify_winner(number)
            if number == 1:
                answer = await self.office.send(
                    "POST",
                    f"{self._lot(number)}/contract",
                    token=manager.token,
                    version=version,
                    body=bodies[0],
                    expected=(409,),
                )
                self.kept["refused_contract"] = answer.json()["detail"]
                over = datetime.fromisoformat(self.kept["award-lot-1"]["standstill_ends_at"])
                await self._advance_to(over + timedelta(minutes=1))
            for body in bodies:
                await manager.post(f"{self._lot(number)}/contract", body, version=version)
        self.kept["assurance-report"] = await self.desks["guardian"].get(
            f"/tenders/{self.tender}/assurance-report"
        )
        self.kept["record"] = await self.desks["guardian"].get(f"/tenders/{self.tender}/record")
        self.tell(
            f"In the standstill: {self.kept['refused_contract']} Then each group made its own."
        )
