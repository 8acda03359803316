"""Who takes part on the buying side, and the duty each of them holds in the tender."""

from msgspec import Struct

JOINT_GROUPS = ("06P", "04F")
MEMBERS_APPROVERS = ("luton_approver", "keynes_approver")
"""Who decides for each of them whether it takes part in the award."""


class Cast(Struct, frozen=True, kw_only=True):
    """Somebody in the story, and the duty they are given in the tender."""

    key: str
    name: str
    group: str
    roles: tuple[str, ...]
    duties: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """An address that can never be anybody's (RFC 2606)."""
        return f"{self.key.replace('_', '.')}@demonstration.example"


REGISTRAR = Cast(key="registrar", name="Rita Registrar", group="", roles=("registrar",))

BUYERS = (
    Cast(
        key="lead",
        name="Leila Marsh",
        group="06F",
        roles=("administrator", "procurement_lead"),
    ),
    Cast(
        key="author",
        name="Dr Adam Okafor",
        group="06F",
        roles=("commissioner",),
        duties=("author",),
    ),
    Cast(
        key="reviewer",
        name="Dr Ruth Penhale",
        group="06P",
        roles=("administrator", "commissioner"),
        duties=("reviewer",),
    ),
    Cast(
        key="opener_one",
        name="Owen Frith",
        group="06F",
        roles=("commissioner",),
        duties=("opener",),
    ),
    Cast(
        key="opener_two",
        name="Orla Singh",
        group="04F",
        roles=("administrator", "commissioner"),
        duties=("opener",),
    ),
    Cast(
        key="evaluator_one",
        name="Eve Lindqvist",
        group="06F",
        roles=("commissioner",),
        duties=("quality_evaluator",),
    ),
    Cast(
        key="evaluator_two",
        name="Edmund Achebe",
        group="06P",
        roles=("commissioner",),
        duties=("quality_evaluator",),
    ),
    Cast(
        key="evaluator_three",
        name="Esther Novak",
        group="04F",
        roles=("commissioner",),
        duties=("quality_evaluator",),
    ),
    Cast(
        key="moderator",
        name="Mona Castle",
        group="06F",
        roles=("commissioner",),
        duties=("moderator",),
    ),
    Cast(
        key="price_evaluator",
        name="Peter Ashby",
        group="06F",
        roles=("commissioner",),
        duties=("price_evaluator",),
    ),
    Cast(
        key="approver",
        name="Alma Reyes",
        group="06F",
        roles=("commissioner",),
        duties=("award_approver",),
    ),
    Cast(
        key="lay_member",
        name="Lionel Grant",
        group="06F",
        roles=("lay_member",),
        duties=("award_approver",),
    ),
    Cast(
        key="luton_approver",
        name="Lorna Tait",
        group="06P",
        roles=("commissioner",),
        duties=("award_approver",),
    ),
    Cast(
        key="keynes_approver",
        name="Malik Osei",
        group="04F",
        roles=("commissioner",),
        duties=("award_approver",),
    ),
    Cast(
        key="shareholder",
        name="Amos Fielding",
        group="06F",
        roles=("commissioner",),
        duties=("award_approver",),
    ),
    Cast(
        key="guardian",
        name="Grace Whitlock",
        group="06F",
        roles=("conflicts_guardian",),
        duties=("guardian",),
    ),
    Cast(
        key="contract_manager",
        name="Colin Yardley",
        group="06F",
        roles=("commissioner",),
        duties=("contract_manager",),
    ),
)
