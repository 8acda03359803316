"""The written report on a procurement, as the law that governs it asks for."""

from uuid import UUID

from msgspec import Struct

from evaluation.rules.procurement_report import ReportItem


class ProcurementReport(Struct, frozen=True, kw_only=True):
    """What the law asks to be reported on every contract, generated from the record.

    `lots` are those that are awarded or given up, of which the report is; `pending` the others.
    """

    tender: UUID
    reference: str
    title: str
    rule_set: str
    law: str
    lots: list[int]
    pending: list[int]
    items: list[ReportItem]
