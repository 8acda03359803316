"""The actions of the ground floor: the market, people, systems, registers, suppliers."""

from collections.abc import Mapping
from typing import Final

from market.events.vocabulary.kinds import Action, Kind, Whose

_ID, _CODE, _NUMBER = Kind.ID, Kind.CODE, Kind.NUMBER
_PERSON = {"person": Whose.SUBJECT}
_INTEREST = {"interest": Whose.INTEREST}
_GIFT = {"gift": Whose.GIFT}

_RUNNING: Final[Mapping[str, Action]] = {
    "market.initialised": Action("It was written what the database is for.", ("installation",)),
    "reference.loaded": Action(
        "Reference data was loaded: groups, support units, service lines.",
        ("installation",),
        {"added": _NUMBER},
    ),
    "clock.shifted": Action(
        "A sandbox's clock was moved forward.",
        ("clock",),
        {"forward_to": Kind.INSTANT},
        commits_to="the time before and after",
    ),
    "log.restarted": Action(
        "The log goes on under a new origin, because the end of its former one was lost.",
        ("log",),
        {
            "origin": _CODE,
            "former": _CODE,
            "kept": _NUMBER,
            "known": _NUMBER,
            "known_root": Kind.DIGEST,
            "note": Kind.DIGEST,
        },
    ),
    "request.refused": Action(
        "An act was refused by duty, interest or permission.",
        ("person",),
        {"operation": _CODE, "refusal": _CODE},
        private=("reason",),
        whose={"person": Whose.ACTOR},
        own_affair=True,
    ),
    "person.erased": Action(
        "What the market held about a person was erased, as the law asks.",
        ("person",),
        {"erasure": _ID},
    ),
    "legal_hold.placed": Action(
        "Nothing about a person may be erased until further notice.", ("person",), {"hold": _ID}
    ),
    "legal_hold.released": Action("A legal hold has ended.", ("person",), {"hold": _ID}),
}

_KEYS: Final[Mapping[str, Action]] = {
    "signing_key.began": Action(
        "The market signs with another key from now on.", ("signing_key",), {"key_id": _CODE}
    ),
    "keys.tended": Action(
        "The market's keys were backed up, or rehearsed on canaries.",
        ("key_act",),
        {"act": _CODE, "keys": _NUMBER, "failed": _NUMBER},
    ),
    "keys.rewrapped": Action(
        "Secrets were wrapped under the current key-encryption key.",
        ("wrapped_column",),
        {"table": _CODE, "rows": _NUMBER},
    ),
    "wrapping_key.retired": Action(
        "A key-encryption key was put out of use.", ("wrapping_key",), {"key_id": _CODE}
    ),
}

_PEOPLE: Final[Mapping[str, Action]] = {
    "person.registered": Action(
        "Somebody took up their first invitation.", ("person",), own_affair=True
    ),
    "person.password_changed": Action(
        "Somebody changed their password.",
        ("person",),
        {"sessions_ended": _NUMBER},
        own_affair=True,
    ),
    "person.password_reset": Action(
        "Somebody set a new password by the reset they were given.",
        ("person",),
        {"reset": _ID, "sessions_ended": _NUMBER},
        own_affair=True,
    ),
    "password_reset.made": Action(
        "An administrator gave somebody a way back in.", ("person",), {"reset": _ID}
    ),
    "session.started": Action(
        "Somebody signed in.", ("session",), {"method": _CODE}, own_affair=True
    ),
    "session.refused": Action(
        "A sign-in, or a proof of who somebody is, was refused.",
        ("person", "address", "single_sign_on_request", "state"),
        {"because": _CODE, "locked_for": _NUMBER, "refusal": _CODE},
        private=("reason",),
        whose=_PERSON,
        own_affair=True,
    ),
    "session.confirmed": Action(
        "Somebody proved anew who they are.", ("session",), own_affair=True
    ),
    "session.switched": Action(
        "A session was switched into one for another organisation.",
        ("session",),
        {"switched_from": _ID, "into": _ID},
        own_affair=True,
    ),
    "session.ended": Action("A session was ended.", ("session",), own_affair=True),
    "sessions.ended": Action(
        "Somebody ended all their sessions.", ("person",), {"ended": _NUMBER}, own_affair=True
    ),
    "one_time_password.enrolled": Action(
        "Somebody began to use an authenticator.", ("one_time_password",), own_affair=True
    ),
    "one_time_password.confirmed": Action(
        "An authenticator was confirmed by a code.", ("one_time_password",), own_affair=True
    ),
    "one_time_password.removed": Action(
        "An authenticator was removed.", ("one_time_password",), own_affair=True
    ),
    "recovery_code.used": Action(
        "A recovery code was used up.", ("one_time_password",), own_affair=True
    ),
    "single_sign_on.asked": Action(
        "A sign-in by an identity provider was begun.",
        ("single_sign_on_request",),
        own_affair=True,
    ),
    "single_sign_on.answered": Action(
        "The answer of an identity provider was taken.",
        ("single_sign_on_request",),
        own_affair=True,
    ),
    "identity.linked": Action(
        "An identity at the provider became somebody's.", ("identity_link",), own_affair=True
    ),
    "identity.removed": Action(
        "Somebody's identity at the provider was removed.", ("identity_link",), own_affair=True
    ),
    "invitation.made": Action("Somebody was invited.", ("invitation",), {"roles": Kind.CODES}),
    "invitation.repeated": Action(
        "The operator's invitation was made anew, with another secret.", ("invitation",)
    ),
    "invitation.accepted": Action(
        "Somebody took up an invitation.", ("invitation",), own_affair=True
    ),
    "invitation.revoked": Action("An invitation was taken back.", ("invitation",)),
    "membership.granted": Action("Somebody was given a role.", ("membership",), {"role": _CODE}),
    "membership.ended": Action("Somebody's role has ended.", ("membership",)),
    "member.removed": Action(
        "Somebody left an organisation with all their roles.",
        ("person",),
        {"organisation_left": _ID, "roles": Kind.CODES},
    ),
    "organisation.created": Action("The operator's organisation was made.", ("organisation",)),
    "organisation.proposed": Action("An applicant named their organisation.", ("organisation",)),
    "operator.asked": Action(
        "It was asked on the command line for the operator's registrar.", ("organisation",)
    ),
}

_SYSTEMS: Final[Mapping[str, Action]] = {
    "api_key.made": Action(
        "An API key was made.",
        ("api_key",),
        {"scopes": Kind.CODES, "predecessor": _ID, "expires_at": Kind.INSTANT},
        private=("name", "addresses"),
        whose={"api_key": Whose.ACTOR},
        own_affair=True,
    ),
    "api_key.replaced": Action(
        "An API key was given a successor.",
        ("api_key",),
        {"scopes": Kind.CODES, "predecessor": _ID, "expires_at": Kind.INSTANT},
        private=("name", "addresses"),
        whose={"api_key": Whose.ACTOR},
        own_affair=True,
    ),
    "api_key.revoked": Action("An API key was revoked.", ("api_key",), own_affair=True),
    "client.registered": Action(
        "A client was registered.",
        ("client",),
        {"scopes": Kind.CODES},
        private=("name", "key_ids"),
        commits_to="its public keys",
        whose={"client": Whose.ACTOR},
        own_affair=True,
    ),
    "client.keys_changed": Action(
        "A client was given other public keys.",
        ("client",),
        private=("key_ids",),
        commits_to="its public keys",
        whose={"client": Whose.ACTOR},
        own_affair=True,
    ),
    "client.revoked": Action("A client was revoked.", ("client",), own_affair=True),
    "token.issued": Action(
        "A client was given a token.", ("client",), {"scopes": Kind.CODES}, own_affair=True
    ),
    "credential.refused": Action(
        "A credential that is known was refused: its time was over, or it came from elsewhere.",
        ("credential",),
        {"refusal": _CODE},
        own_affair=True,
    ),
}

_REGISTERS: Final[Mapping[str, Action]] = {
    # of an interest in a bidder as well: see OF_TENDERS
    "interest.corrected": Action(
        "A version of an interest superseded another.",
        ("interest",),
        commits_to="the entry",
        whose=_INTEREST,
    ),
    "interest.ended": Action("It was recorded that an interest has ended.", ("interest",)),
    "interest.mitigated": Action(
        "It was recorded what is done about an interest.",
        ("interest",),
        {"mitigation": _ID},
        commits_to="what is done",
        whose=_INTEREST,
    ),
    "interest.published": Action(
        "The guardian decided to publish an interest without consent.",
        ("interest",),
        commits_to="the decision with its reason",
        whose=_INTEREST,
    ),
    "interest.withheld": Action(
        "The guardian decided to withhold an interest from the public.",
        ("interest",),
        commits_to="the decision with its reason",
        whose=_INTEREST,
    ),
    "interest.read": Action("An interest was read with all its versions.", ("interest",)),
    "interests.confirmed": Action(
        "Somebody confirmed that their entries are right, or that there are none.",
        ("interest_confirmation",),
    ),
    "gift.declared": Action(
        "An offer of a gift was declared.", ("gift",), commits_to="the entry", whose=_GIFT
    ),
    "gift.corrected": Action(
        "A version of an offer superseded another.",
        ("gift",),
        commits_to="the entry",
        whose=_GIFT,
    ),
    "gift.reviewed": Action(
        "An offer was reviewed.", ("gift",), commits_to="the review", whose=_GIFT
    ),
    "gift.published": Action(
        "The guardian decided to publish an offer without consent.",
        ("gift",),
        commits_to="the decision with its reason",
        whose=_GIFT,
    ),
    "gift.withheld": Action(
        "The guardian decided to withhold an offer from the public.",
        ("gift",),
        commits_to="the decision with its reason",
        whose=_GIFT,
    ),
    "gift.read": Action("An offer was read.", ("gift",)),
    "breach.recorded": Action(
        "A breach of the rules on conflicts was recorded.",
        ("conflict_breach",),
        commits_to="the record, with who was involved",
        whose={"conflict_breach": Whose.BREACH},
    ),
    "breach.published": Action(
        "A breach was published without names.", ("conflict_breach",), {"publication": _ID}
    ),
    "register.read": Action(
        "The private register of interests was read.", ("organisation",), {"entries": _NUMBER}
    ),
    "register.reviewed": Action(
        "The records that need be kept no longer were read.",
        ("organisation",),
        {"entries": _NUMBER},
    ),
    "gifts.read": Action(
        "The private register of gifts was read.", ("organisation",), {"entries": _NUMBER}
    ),
    "breaches.read": Action(
        "The breaches were read with who was involved.",
        ("organisation",),
        {"entries": _NUMBER},
    ),
}

_OWNERSHIP: Final[Mapping[str, Action]] = {
    "ownership.imported": Action(
        "Statements of ownership were imported.",
        ("ownership_import",),
        {"content": Kind.DIGEST, "statements": _NUMBER, "added": _NUMBER},
        private=("source",),
    ),
    "ownership.link_stated": Action(
        "A registrar stated a link of ownership or control.", ("ownership_link",), {"kind": _CODE}
    ),
    "ownership.link_ended": Action(
        "A registrar stated that a link has ended.",
        ("ownership_link",),
        {"ends_on": Kind.DATE},
        private=("source",),
    ),
    "ownership.person_matched": Action(
        "A registrar stated who in the statements a person is.", ("person",), {"party": _ID}
    ),
    "ownership.person_unmatched": Action("A registrar took such a statement back.", ("person",)),
}

_SUPPLIERS: Final[Mapping[str, Action]] = {
    "supplier.applied": Action(
        "An organisation applied to be a supplier.",
        ("supplier_application",),
        {"organisation": _ID},
    ),
    "supplier.admitted": Action(
        "A supplier was admitted.",
        ("supplier_application",),
        {"organisation": _ID},
        private=("reason",),
    ),
    "supplier.refused": Action(
        "An applicant was refused.",
        ("supplier_application",),
        {"organisation": _ID},
        private=("reason",),
    ),
}

OF_THE_MARKET: Final[Mapping[str, Action]] = {
    **_RUNNING,
    **_KEYS,
    **_PEOPLE,
    **_SYSTEMS,
    **_REGISTERS,
    **_OWNERSHIP,
    **_SUPPLIERS,
}
