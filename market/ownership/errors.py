"""Refusals about ownership, named by their reason."""

from market.errors import Forbidden, Malformed, MarketError, WrongStage, keeps


class UnusableStatements(Malformed):
    """A file of ownership statements has faults: each is named, and nothing was imported."""

    title = "The ownership statements cannot be used as they are; nothing was imported."


@keeps("ownership_stated_by_right")
class NotYoursToState(Forbidden):
    """Ownership is stated by those whose office it is, and who is who by them or the person."""

    title = "You may not state this about ownership."


@keeps("ownership_import_whole")
class ImportOver(MarketError):
    """Something was to be added to an import after it was made, or changed without one."""

    title = "An import of statements is made whole, in one transaction, and not changed."


@keeps("ownership_link_only_ends", "ownership_person_only_ends", "ownership_party_stays")
class StaysAsStated(WrongStage):
    """What was stated about ownership can be ended, once, and not changed."""

    title = "This has ended already, or cannot be changed: it can only be ended, once."


@keeps("ownership_link_stated_once")
class LinkStatedAlready(MarketError):
    """The same holder is linked to the same subject in the same way, and that has not ended."""

    title = "This link is stated already. End it before you state it anew."


@keeps("ownership_link_not_of_itself")
class OwnsItself(MarketError):
    """A holder and a subject are one party, or turned out to be."""

    title = "Nobody can be linked to themselves."


@keeps("ownership_link_share_possible", "ownership_link_ends_after_start")
class ImpossibleLink(Malformed):
    """A share outside 0 to 100 %, or a link that ends before it starts."""

    title = "A share is from 0 to 100 %, and a link ends no earlier than it starts."


@keeps("ownership_person_once")
class MatchedAlready(MarketError):
    """That this person is this party is stated already."""

    title = "It is stated already that this person is this party."


@keeps("ownership_person_is_a_person")
class EntityNotPerson(MarketError):
    """The party is an entity, which nobody can be."""

    title = "This party is an entity, and nobody in person."
