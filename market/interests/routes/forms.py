"""The forms in which a public register is given: JSON in pages, or one table for a spreadsheet."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Literal, TypeVar, cast

from litestar import Response
from litestar.params import QueryParameter

from market.interests.rules.registers import Publication
from market.interests.rules.spreadsheets import comma_separated
from market.interests.schemas.registers import PublicGift, PublicInterest
from market.pages import Page, linked
from market.problems import AnyRequest

T = TypeVar("T")
MOST_ROWS = 10_000
"""Rows of a table; where there are more, the Link leads on to the next table."""

Form = Literal["json", "csv"]
FormWanted = Annotated[
    Form | None,
    QueryParameter(
        required=False,
        description="The form to give: csv for a spreadsheet. Without it, Accept decides.",
    ),
]
NameSought = Annotated[
    str | None,
    QueryParameter(
        name="q",
        required=False,
        max_length=100,
        pattern=r"^[^\x00]*$",
        description="Words that all occur in the person's name, in any order.",
    ),
]

_WITHHELD = "withheld"


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case list():
            return "; ".join(_text(one) for one in value)
        case _:
            return str(value).replace("_", " ")


def _plain(value: str | None) -> str:
    return value or ""


def _interest(row: PublicInterest) -> list[str]:
    who = [row.name, _text(row.positions)]
    if row.publication is Publication.WITHHELD:
        return [*who, *[_WITHHELD] * (len(INTEREST_COLUMNS) - len(who))]
    return [
        *who,
        _plain(row.counterparty),
        _plain(row.business),
        _text(row.kind),
        "indirect" if row.indirect else "direct",
        _plain(row.associate),
        _text(row.relationship),
        _plain(row.nature),
        _plain(row.share),
        _text(row.starts_on),
        _text(row.ended_on),
        "; ".join(row.actions or ()),
    ]


INTEREST_COLUMNS = (
    "Name",
    "Position(s) held",
    "Organisation",
    "Nature of business",
    "Type of interest",
    "Direct or indirect",
    "Held by",
    "Relationship",
    "Nature of interest",
    "Share in per cent",
    "From",
    "To",
    "Action taken",
)


def _gift(row: PublicGift) -> list[str]:
    who = [row.name, _text(row.positions)]
    if row.publication is Publication.WITHHELD:
        return [*who, *[_WITHHELD] * (len(GIFT_COLUMNS) - len(who))]
    return [
        *who,
        _text(row.offered_on),
        _text(row.received_on),
        _text(row.kind),
        _plain(row.detail),
        "" if row.value is None else row.value.amount,
        _text(row.estimated),
        _plain(row.offeror),
        _plain(row.business),
        _text(row.source),
        _text(row.previous_offers),
        _plain(row.reviewed_by),
        _text(row.reviewed_on),
        _text(row.approved),
        "accepted" if row.accepted else "declined",
        _text(row.on_behalf_of_organisation),
        _plain(row.reason),
        _plain(row.comment),
    ]


GIFT_COLUMNS = (
    "Recipient",
    "Position(s) held",
    "Offered on",
    "Received on",
    "Kind",
    "Details",
    "Value in pounds",
    "Value estimated",
    "Offered by",
    "Nature of business",
    "Source",
    "Previous offers",
    "Reviewed by",
    "Reviewed on",
    "Approved",
    "Accepted or declined",
    "On behalf of the organisation",
    "Reason",
    "Comments",
)


def is_table(request: AnyRequest, form: Form | None) -> bool:
    """Say whether a spreadsheet's table is wanted: by the parameter, or else by Accept."""
    if form is not None:
        return form == "csv"
    return request.accept.best_match(["application/json", "text/csv"]) == "text/csv"


def interests_in_form(
    page: Page[PublicInterest], request: AnyRequest, *, table: bool
) -> Response[Page[PublicInterest]]:
    """Answer with the page, as a table where one is wanted."""
    return _in_form(page, request, table=table, columns=INTEREST_COLUMNS, row=_interest)


def gifts_in_form(
    page: Page[PublicGift], request: AnyRequest, *, table: bool
) -> Response[Page[PublicGift]]:
    """Answer with the page, as a table where one is wanted."""
    return _in_form(page, request, table=table, columns=GIFT_COLUMNS, row=_gift)


def _in_form(
    page: Page[T],
    request: AnyRequest,
    *,
    table: bool,
    columns: Sequence[str],
    row: Callable[[T], list[str]],
) -> Response[Page[T]]:
    answer = linked(page, request)
    headers = {key: str(value) for key, value in answer.headers.items()} | {"Vary": "Accept"}
    if not table:
        return Response(page, headers=headers)
    name = request.url.path.rpartition("/")[2]
    written = Response(
        comma_separated(columns, [row(item) for item in page.items]),
        media_type="text/csv",
        headers=headers | {"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
    # the handler's type is its documented form; a table is said of it in the OpenAPI document
    return cast("Response[Page[T]]", written)
