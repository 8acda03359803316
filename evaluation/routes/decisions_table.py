"""The register of procurement decisions as a table: NHS England's columns, one row a lot."""

from typing import Final

from evaluation.rules.assurance import spoken_time
from evaluation.schemas.decisions import ConflictsManaged, ProcurementDecision

COLUMNS: Final = (
    "Reference",
    "Contract or service title",
    "Procurement description",
    "Type",
    "Lead organisation",
    "Buyers",
    "Tender manager",
    "Contract manager",
    "Decision process",
    "Approved by",
    "Conflicts of interest noted",
    "How they were managed",
    "Justification for exemptions",
    "Supplier",
    "Supplier's registered address",
    "Total value in pounds",
    "Value to this organisation in pounds",
    "Stage",
    "Standstill ends",
    "Contract reference",
    "Contract starts",
    "Contract ends",
    "Comments",
)


def row(item: ProcurementDecision) -> list[str]:
    """One lot, a cell a column; what there is none of is left empty."""
    process, contract = item.process, item.contract
    return [
        f"{item.reference} lot {item.lot}",
        f"{item.title}: {item.lot_title}",
        item.description,
        item.buying.value,
        item.lead_name,
        "; ".join(f"{buyer.name} ({buyer.value.amount})" for buyer in item.buyers),
        "; ".join(item.tender_managers),
        "; ".join(item.contract_managers),
        (
            f"{process.method.replace('_', ' ')}, version {process.method_version};"
            f" quorum of {process.quorum}"
        ),
        "; ".join(
            f"{approver.name} (lay member)" if approver.lay else approver.name
            for approver in process.approvers
        ),
        "; ".join(
            f"{noted.kind.replace('_', ' ')}, {noted.noted.value}: {noted.times}"
            for noted in item.conflicts.noted
        )
        or "none",
        _managed(item.conflicts),
        "; ".join(
            f"{one.name}, {' and '.join(duty.spoken() for duty in one.duties)}: {one.reason}"
            for one in item.conflicts.exemptions
        ),
        item.supplier_name,
        item.supplier_address or "",
        item.total_value.amount,
        item.value_to_us.amount,
        item.stage.replace("_", " "),
        spoken_time(item.standstill_ends_at),
        "" if contract is None else contract.reference,
        "" if contract is None else contract.starts.isoformat(),
        "" if contract is None else contract.ends.isoformat(),
        item.abandoned_because or "",
    ]


def _managed(conflicts: ConflictsManaged) -> str:
    outcomes = [
        f"{count.outcome.value.replace('_', ' ')}: {count.times}" for count in conflicts.outcomes
    ]
    return "; ".join([*outcomes, *conflicts.mitigations])
