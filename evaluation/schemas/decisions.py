"""The register of procurement decisions that every buying body keeps and publishes."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from evaluation.schemas.award import ContractDates
from market.money import Money
from tenders.rules.duties import Duty
from tenders.schemas.conflicts import DecisionOutcome


class Buying(StrEnum):
    """Whether an organisation bought alone or with others."""

    OWN = "own"
    COLLABORATIVE = "collaborative"


class BuyerValue(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer and what of the total value is its own, by population."""

    organisation: UUID
    name: str
    population: int
    value: Money


class ApproverName(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who approved the award; `lay` says that they are a lay member."""

    name: str
    lay: bool


class DecisionProcess(msgspec.Struct, frozen=True, kw_only=True):
    """How the decision came about: by which method, and who approved it."""

    method: str
    method_version: int
    quorum: int
    approvers: list[ApproverName]
    decided_at: datetime


class Noted(StrEnum):
    """How a conflict of interest came to be noted."""

    DECLARED = "declared"
    FOUND = "found"


class ConflictsNoted(msgspec.Struct, frozen=True, kw_only=True):
    """How many conflicts of a kind were declared, or found by the market. Never by whom in words.

    A kind is one of interest, or `membership`, `directorship`, `ownership` where the market found
    it without an entry in a register. One counts for each person and bidder.
    """

    kind: str
    noted: Noted
    times: int


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often the conflicts guardian decided so."""

    outcome: DecisionOutcome
    times: int


class ExemptionPublished(msgspec.Struct, frozen=True, kw_only=True):
    """An exemption granted in the tender, with its reason."""

    name: str
    duties: tuple[Duty, Duty]
    reason: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class ConflictsManaged(msgspec.Struct, frozen=True, kw_only=True):
    """The conflicts of interest noted about the bidders of a lot, and how they were managed."""

    noted: list[ConflictsNoted]
    outcomes: list[OutcomeCount]
    mitigations: list[str]
    exemptions: list[ExemptionPublished]


class ProcurementDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One lot that was awarded, as the register of one of its buyers shows it.

    The columns are those of NHS England's template (Managing Conflicts of Interest, 2017).
    `value_to_us` is the part of this organisation in the total, by population; the parts of all
    `buyers` add up to `total_value` to the penny.
    """

    tender: UUID
    reference: str
    title: str
    lot: int
    lot_title: str
    description: str
    stage: str
    abandoned_because: str | None
    buying: Buying
    lead: UUID
    lead_name: str
    tender_managers: list[str]
    contract_managers: list[str]
    process: DecisionProcess
    conflicts: ConflictsManaged
    supplier: UUID
    supplier_name: str
    supplier_address: str | None
    total_value: Money
    value_to_us: Money
    buyers: list[BuyerValue]
    notified_at: datetime
    standstill_ends_at: datetime
    contract: ContractDates | None
