-- What the change feed shows of tenders: to everybody, and to colleagues in a buyer's organisation.

-- Not definers and without a search path, so that queries can take them in.
CREATE FUNCTION tender_is_public(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM public.tender t
                   WHERE t.id = of_tender AND t.published_at IS NOT NULL)
$$;
-- Before the opening the numbers of a tender's events would tell, by their gaps, how many bids came.
CREATE FUNCTION tender_is_opened(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM public.tender t
                   WHERE t.id = of_tender AND t.opened_at IS NOT NULL)
$$;

-- As the tender's public page shows them. Reasons are read there; how many bids were opened is not.
INSERT INTO public_action (action, details, of_published_tender) VALUES
    ('tender.published', '{reference,requirement,digest,rule_set,draw,deadline}', true),
    ('tender.amended', '{number,material,requirement,digest,deadline}', true),
    ('tender.opened', '{}', true),
    ('tender.abandoned', '{}', true),
    ('exemption.granted', '{duties,expires_at}', true),
    ('exemption.revoked', '{}', true),
    ('delegation.recorded', '{delegate}', false),
    ('delegation.ended', '{}', false);

-- Those who read the drafts of what their organisation buys see how one came about. Bid managers
-- alone deal with bids: staff of a support unit who help a group to buy are to know nothing of what
-- their unit bids (tenders.permissions says the same of both).
INSERT INTO colleague_action (action, roles, in_tender)
    SELECT act, '{procurement_lead,commissioner,auditor}', true
    FROM unnest(ARRAY['tender.created', 'tender.revised', 'tender.published', 'tender.amended', 'tender.abandoned',
        'requirement.edited', 'requirement.approved', 'requirement.returned', 'review.requested',
        'timetable.set', 'buyer.added', 'exemption.granted', 'exemption.revoked']) act;
INSERT INTO colleague_action (action, roles, in_tender) VALUES
    ('bid.submitted', '{bid_manager}', true),
    ('bid.replaced', '{bid_manager}', true),
    ('bid.withdrawn', '{bid_manager}', true),
    ('bid.confirmed', '{bid_manager}', true),
    ('bid.lapsed', '{bid_manager}', true),
    ('delegation.recorded', '{administrator,procurement_lead}', false),
    ('delegation.ended', '{administrator,procurement_lead}', false);

CREATE POLICY event_of_colleague_in_tender ON event FOR SELECT TO market_app
    USING (organisation = acting_organisation()
           AND action IN (SELECT colleague_actions(true))
           AND (action LIKE 'bid.%' OR tender IN (
               SELECT b.tender FROM tender_buyer b WHERE b.organisation = acting_organisation())));
