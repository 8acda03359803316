"""Who bids, what they answer and ask, and how the panel scores it.

The commissioning support units are real organisations of the reference data; every other supplier,
every name of a person, every answer, price and score is invented.
"""

import re

from msgspec import Struct


class Bidder(Struct, frozen=True, kw_only=True):
    """A supplier of the story: who applies, and what is bid for which lot."""

    key: str
    kind: str
    name: str
    scheme: str
    identifier: str
    manager: str
    service_lines: tuple[str, ...]
    answers: dict[int, dict[str, str]]
    prices: dict[int, dict[str, str]]
    scores: dict[int, dict[str, tuple[int, int, int, int]]]
    """For each lot and criterion: the three evaluators' scores, then the agreed one."""

    @property
    def email(self) -> str:
        """An address that can never be anybody's (RFC 2606)."""
        return f"bids@{self.key}.example"

    @property
    def invented(self) -> bool:
        """Whether the organisation exists only in the demonstration."""
        return self.scheme != "GB-NHS"


BUSINESS_INTELLIGENCE = (
    "bi-decision-support",
    "bi-risk-stratification",
    "bi-data-management",
    "bi-benchmarking",
)
MEDICINES = ("medicines-optimisation",)

BIDDERS = (
    Bidder(
        key="central-eastern",
        kind="commissioning_support_unit",
        name="NHS Central Eastern Commissioning Support Unit",
        scheme="GB-NHS",
        identifier="0CG",
        manager="Bea Thornton",
        service_lines=BUSINESS_INTELLIGENCE + MEDICINES,
        answers={
            1: {
                "Q1.1": "Nightly loads of all national and local data sets, each with published "
                "completeness and timeliness checks, and a named data steward for each group.",
                "Q1.2": "Dashboards built with practice managers in four-week rounds; every "
                "measure carries its definition and last refresh.",
                "Q2": "We run the present service: mobilisation is a change of reports, not of "
                "people, and both run side by side for eight weeks.",
                "Q3": "Fourteen analysts in Welwyn and Luton, two of them embedded with each "
                "group; cover for leave is contracted, not hoped for.",
                "Q4": "Four apprenticeships in health analysis with Bedford College, and paid "
                "placements for carers returning to work.",
            },
            2: {
                "Q1": "Twelve pharmacists who already visit the practices monthly; each visit "
                "ends with an agreed list of changes and a date to look again.",
                "Q2": "Monthly review of safety alerts against prescribing data, with the "
                "practice told within two working days.",
                "Q3": "A prescribing forum each quarter, chaired by a general practitioner from "
                "the three groups in turn.",
            },
        },
        prices={
            1: {"M1": "164500.00", "D1": "640.00", "S1": "60000.00"},
            2: {"M1": "56200.00", "D1": "415.00"},
        },
        scores={
            1: {
                "Q1.1": (4, 4, 3, 4),
                "Q1.2": (3, 3, 3, 3),
                "Q2": (4, 4, 4, 4),
                "Q3": (3, 4, 3, 3),
                "Q4": (3, 3, 4, 3),
            },
            2: {"Q1": (3, 4, 3, 3), "Q2": (3, 3, 3, 3), "Q3": (3, 3, 2, 3)},
        },
    ),
    Bidder(
        key="arden-gem",
        kind="commissioning_support_unit",
        name="NHS Arden and Greater East Midlands Commissioning Support Unit",
        scheme="GB-NHS",
        identifier="0DE",
        manager="Badri Hussain",
        service_lines=BUSINESS_INTELLIGENCE,
        answers={
            1: {
                "Q1.1": "One warehouse for eleven groups, with reconciliation of activity to "
                "contract each month and differences published.",
                "Q1.2": "A standard set of dashboards used by sixty groups; local measures are "
                "added twice a year.",
                "Q2": "A ten-week mobilisation run by a team that has done nine others; data "
                "flows are tested before the service starts.",
                "Q3": "A shared pool of forty analysts in Leicester with one account manager for "
                "the three groups.",
                "Q4": "Volunteering days and a data skills course open to local charities.",
            },
        },
        prices={1: {"M1": "149900.00", "D1": "590.00", "S1": "145000.00"}},
        scores={
            1: {
                "Q1.1": (3, 4, 4, 4),
                "Q1.2": (2, 3, 3, 3),
                "Q2": (3, 3, 3, 3),
                "Q3": (3, 2, 3, 3),
                "Q4": (2, 2, 2, 2),
            },
        },
    ),
    Bidder(
        key="chiltern-insight",
        kind="commercial",
        name="Chiltern Insight Limited (demonstration)",
        scheme="GB-COH",
        identifier="09999001",
        manager="Bryony Kessler",
        service_lines=BUSINESS_INTELLIGENCE + MEDICINES,
        answers={
            1: {
                "Q1.1": "A cloud platform with automated tests on every load; failures page an "
                "engineer and are shown to users at once.",
                "Q1.2": "Self-service analysis with guided questions, tried with ten clinicians "
                "and reworked after each session.",
                "Q2": "Six weeks, with a dress rehearsal on a copy of last year's data and a "
                "written way back at each step.",
                "Q3": "Nine analysts and three engineers, half of them on site two days a week; "
                "names and experience are attached to roles.",
                "Q4": "A bursary for local students of statistics and a living-wage supply chain.",
            },
            2: {
                "Q1": "A remote service in which pharmacists review records by agreement and "
                "telephone the practice with their advice.",
                "Q2": "Automatic matching of alerts to records each night, with a dashboard of "
                "open risks for each practice.",
                "Q3": "A help line and a monthly letter to each practice.",
            },
        },
        prices={
            1: {"M1": "158250.00", "D1": "725.00", "S1": "98000.00"},
            2: {"M1": "49800.00", "D1": "398.50"},
        },
        scores={
            1: {
                "Q1.1": (4, 4, 4, 4),
                "Q1.2": (4, 3, 4, 4),
                "Q2": (3, 4, 3, 3),
                "Q3": (3, 3, 4, 3),
                "Q4": (2, 3, 2, 2),
            },
            2: {"Q1": (2, 2, 2, 2), "Q2": (3, 4, 3, 3), "Q3": (1, 2, 1, 1)},
        },
    ),
    Bidder(
        key="ouse-valley",
        kind="third_sector",
        name="Ouse Valley Health Data Trust (demonstration)",
        scheme="GB-CHC",
        identifier="9990017",
        manager="Bill Adeyemi",
        service_lines=BUSINESS_INTELLIGENCE,
        answers={
            1: {
                "Q1.1": "Quarterly extracts checked by hand against published totals.",
                "Q1.2": "Reports written with patients' groups, in plain words, four times a year.",
                "Q2": "A start in stages over nine months, one group after another.",
                "Q3": "Five analysts and a network of volunteers with clinical experience.",
                "Q4": "All surplus goes to health projects in the Ouse valley; a third of staff "
                "come from long unemployment.",
            },
        },
        prices={1: {"M1": "121000.00", "D1": "480.00", "S1": "30000.00"}},
        scores={
            1: {
                "Q1.1": (1, 2, 1, 1),
                "Q1.2": (2, 2, 2, 2),
                "Q2": (1, 1, 2, 1),
                "Q3": (2, 1, 2, 2),
                "Q4": (4, 4, 4, 4),
            },
        },
    ),
    Bidder(
        key="greensand",
        kind="third_sector",
        name="Greensand Medicines Partnership (demonstration)",
        scheme="GB-CHC",
        identifier="9990025",
        manager="Beth Larkin",
        service_lines=MEDICINES,
        answers={
            2: {
                "Q1": "Ten pharmacists and four technicians, each with named practices, working "
                "in the surgery two days a month beside the prescribers.",
                "Q2": "Alerts acted on within one working day; a yearly audit of high-risk "
                "medicines in every practice with the results shared.",
                "Q3": "Prescribers and patients plan the year together; a patients' panel reads "
                "every change that affects them.",
            },
        },
        prices={2: {"M1": "53900.00", "D1": "405.00"}},
        scores={2: {"Q1": (4, 4, 3, 4), "Q2": (3, 3, 4, 3), "Q3": (4, 4, 4, 4)}},
    ),
)


REASONS = {
    0: "The answer does not say how the need would be met, so the panel can have no confidence.",
    1: "The answer meets a part of the need only, and leaves it to the groups to fill the gaps.",
    2: "The answer meets the need in outline, with details missing that the service depends on.",
    3: "The answer meets the need, says how, and gives evidence that it has worked elsewhere.",
    4: "The answer meets the need in full, with measurable commitments that go beyond it.",
}


def reason(criterion: str, score: int, answer: str) -> str:
    """A reason as a panel would give it: a judgement, and the words of the bid it rests on."""
    first = re.split("[;:]", answer, maxsplit=1)[0].rstrip(".")
    return f"{criterion}: {REASONS[score]} The bid says: {first}."
