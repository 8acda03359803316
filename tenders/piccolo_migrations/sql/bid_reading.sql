-- Bids before and after the opening: who sees names, whose bid is whose, and contents.

-- The bidders' names: after the deadline for openers and guardian, after the opening for the panel.
CREATE FUNCTION sees_bidders(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM tender t WHERE t.id = of_tender AND t.deadline <= market_now() AND (
            t.stage = 'published'
                AND holds_duty(acting_person(), t.id, 'opener', 'guardian')
            OR t.opened_at IS NOT NULL AND holds_duty(acting_person(), t.id, 'opener',
                'guardian', 'tender_manager', 'quality_evaluator', 'price_evaluator', 'moderator',
                'award_approver', 'contract_manager', 'outcome_reviewer')))
$$;

-- Why the acting person may not act on the bids, for the sentence of a refusal; NULL where they may.
CREATE FUNCTION my_conflict(of_tender uuid) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT why_not_unconflicted(acting_person(), of_tender) WHERE sees_bidders(of_tender)
$$;

CREATE FUNCTION bidders_of(of_tender uuid) RETURNS TABLE (organisation uuid) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT s.organisation FROM standing_bids(of_tender) s WHERE sees_bidders(of_tender)
$$;

-- Whether the acting person is to know what connects somebody with a bidder: themselves, and the
-- guardian who decides, once the bidders are known to them and they have declared themselves.
CREATE FUNCTION sees_conflicts(holder uuid, of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT sees_bidders(of_tender) AND (holder = acting_person()
        OR holds_duty(acting_person(), of_tender, 'guardian')
           AND may_read_bids(acting_person(), of_tender))
$$;

CREATE FUNCTION conflicts_in(of_tender uuid)
RETURNS TABLE (person uuid, bidder uuid, source text, excusable boolean, known_at timestamptz,
               decided text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.person, c.bidder, c.source, c.excusable, c.known_at,
           decided(h.person, of_tender, c.bidder, c.known_at)
    FROM (SELECT DISTINCT d.person FROM duty d WHERE d.tender = of_tender) h
    CROSS JOIN LATERAL conflicts_of(h.person, of_tender) c
    WHERE sees_conflicts(h.person, of_tender)
      -- what the market found is told to nobody before they have given their own answer
      AND (h.person <> acting_person() OR EXISTS (
          SELECT 1 FROM declaration d WHERE d.tender = of_tender AND d.person = h.person
          AND d.bidder = c.bidder))
$$;

-- Where a person stands and by what, for telling the paths from there to a bidder.
CREATE FUNCTION places_of(holder uuid, of_tender uuid)
RETURNS TABLE (party uuid, name text, source text, relationship text, associate text,
               share numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT unnest(parties_of(i.organisation, i.scheme, i.identifier)), i.counterparty, 'interest',
           i.relationship, i.associate, i.share
    FROM interests_counted(holder, of_tender) i WHERE sees_conflicts(holder, of_tender)
    UNION ALL
    SELECT unnest(parties_of(m.organisation, NULL, NULL)), o.name, 'membership', NULL, NULL, NULL
    FROM membership m JOIN organisation o ON o.id = m.organisation
    WHERE m.person = holder AND sees_conflicts(holder, of_tender)
      AND parties_of(m.organisation, NULL, NULL) && stands_at(holder, of_tender)
    UNION ALL
    SELECT p.party, y.name, 'ownership', NULL, NULL, NULL
    FROM ownership_person p JOIN ownership_party y ON y.id = p.party
    WHERE p.person = holder AND sees_conflicts(holder, of_tender)
      AND p.party = ANY (stands_at(holder, of_tender))
$$;

-- Which bid is whose: until the quality of the lot is locked for openers and guardian alone, and
-- for nobody who has a duty that is done without knowing, or ever had one. Whoever else learnt it
-- could be given such a duty afterwards.
CREATE FUNCTION sees_identity(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM lot l JOIN tender t ON t.id = l.tender
        WHERE l.id = of_lot AND sees_bidders(t.id) AND (
            l.stage NOT IN ('bidding', 'quality_scoring')
            OR holds_duty(acting_person(), t.id, 'opener', 'guardian') AND NOT EXISTS (
                SELECT 1 FROM duty d WHERE d.tender = t.id AND d.person = acting_person()
                AND d.duty IN ('quality_evaluator', 'moderator', 'price_evaluator',
                               'award_approver'))))
$$;

-- Who takes part in whose bids, for those who may know who bids; for which lot, with which share and
-- declaration for those alone who may know whose bid is whose.
CREATE FUNCTION participants_of(of_tender uuid)
RETURNS TABLE (bidder uuid, role text, name text, organisation uuid, scheme text, identifier text,
               lot_number integer, variant integer, share numeric, exclusion_grounds text,
               details text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT s.organisation, p.role, p.name, p.organisation, p.scheme, p.identifier,
        known.number, CASE WHEN known.id IS NOT NULL THEN b.variant END,
        CASE WHEN known.id IS NOT NULL THEN p.share END,
        CASE WHEN known.id IS NOT NULL THEN p.exclusion_grounds END,
        CASE WHEN known.id IS NOT NULL THEN p.details END
    FROM standing_bids(of_tender) s JOIN bid_participant p ON p.bid_version = s.bid_version
    JOIN bid b ON b.id = s.bid
    LEFT JOIN lot known ON known.id = s.lot AND sees_identity(s.lot)
    WHERE sees_bidders(of_tender)
$$;

-- The nodes of a bidder and of those who take part in its bids.
CREATE FUNCTION places_of_bidder(of_tender uuid, of_bidder uuid)
RETURNS TABLE (party uuid, name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT unnest(parties_of(of_bidder, NULL, NULL)),
           (SELECT o.name FROM organisation o WHERE o.id = of_bidder), 'lead'
    WHERE sees_bidders(of_tender)
    UNION ALL
    SELECT unnest(parties_of(p.organisation, p.scheme, p.identifier)), p.name, p.role
    FROM participants_of(of_tender) p WHERE p.bidder = of_bidder
$$;

-- The same as sets for a whole statement: the policies ask for these, because a function asked row by
-- row makes long lists slow. Where the transaction has said which tender it is about, they are of
-- that one alone; that takes away and never adds, so nothing is gained by saying it wrongly.
CREATE FUNCTION about_tender() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('market.tender', true), '')::uuid $$;

CREATE FUNCTION my_tenders() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT d.tender FROM duty d
    WHERE d.person = acting_person() AND d.released_at IS NULL
      AND (about_tender() IS NULL OR d.tender = about_tender())
$$;

CREATE FUNCTION opened_tenders_with_known_bidders() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m FROM my_tenders() m JOIN tender t ON t.id = m
    WHERE t.opened_at IS NOT NULL AND sees_bidders(m)
$$;

CREATE FUNCTION lots_with_known_identities() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id FROM lot l WHERE l.tender IN (SELECT my_tenders()) AND sees_identity(l.id)
$$;

-- The content of opened envelopes: for those whose duty it is, once declared, without interest, and
-- for the bidder.
CREATE FUNCTION bids_read_open(of_kind text) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS MATERIALIZED (
        SELECT m AS tender FROM my_tenders() m WHERE CASE of_kind
            WHEN 'quality' THEN holds_duty(acting_person(), m, 'opener', 'quality_evaluator',
                'moderator', 'award_approver', 'guardian')
            ELSE holds_duty(acting_person(), m, 'price_evaluator', 'award_approver', 'guardian') END
    ), unconflicted AS MATERIALIZED (
        SELECT h.tender FROM held h JOIN tender t ON t.id = h.tender
        WHERE t.opened_at IS NOT NULL AND may_read_bids(acting_person(), h.tender)
    )
    SELECT b.id FROM bid b JOIN unconflicted u ON u.tender = b.tender
    UNION ALL SELECT b.id FROM bid b WHERE b.organisation = acting_organisation()
$$;

-- The minutes: what each envelope of the manifest was and became, without any content; whose it is
-- and when it came for those alone who may know. `as_fixed` is false where what is stored is not what
-- was fixed at the deadline. Before the opening nothing of the manifest is told.
CREATE FUNCTION opening_record(of_tender uuid)
RETURNS TABLE (lot_number integer, lot_title text, lot uuid, pseudonym text,
               variant integer, kind text, sealed_digest bytea, as_fixed boolean,
               committed bytea, released_by uuid[], opened_at timestamptz, opened_by uuid,
               failure text, supplier uuid, received_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.number, l.title, l.id, m.pseudonym, m.variant, k.kind, k.fixed,
        coalesce(sha256(e.sealed) = k.fixed, false),
        CASE k.kind WHEN 'price' THEN v.price_commitment ELSE v.quality_commitment END,
        (SELECT ARRAY[r.passed_by, r.released_by] FROM released_key r
         WHERE r.envelope = e.id AND r.wrapped_key IS NOT NULL),
        o.opened_at, o.opened_by, o.failure,
        CASE WHEN sees_identity(l.id) THEN b.organisation END,
        CASE WHEN sees_identity(l.id) THEN v.received_at END
    FROM manifest_entry m JOIN tender t ON t.id = m.tender JOIN lot l ON l.id = m.lot
    JOIN bid b ON b.id = m.bid JOIN bid_version v ON v.id = m.bid_version
    CROSS JOIN LATERAL (VALUES ('quality', m.quality_digest), ('price', m.price_digest))
        k (kind, fixed)
    LEFT JOIN envelope e ON e.bid_version = v.id AND e.kind = k.kind
    LEFT JOIN opened_envelope o ON o.bid = m.bid AND o.kind = k.kind
    WHERE m.tender = of_tender AND t.opened_at IS NOT NULL AND sees_bidders(of_tender)
      AND may_read_bids(acting_person(), of_tender)
$$;

-- Who tried to give, replace, withdraw or confirm a bid after the deadline, and when; and how many
-- bids there were that did not stand then. Told with the minutes, once the bids are opened.
CREATE FUNCTION late_attempts(of_tender uuid)
RETURNS TABLE (organisation uuid, attempted text, attempted_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.organisation, e.details ->> 'operation', e.occurred_at
    FROM tender t JOIN event e ON e.tender = t.id
    WHERE t.id = of_tender AND t.opened_at IS NOT NULL AND e.action = 'request.refused'
      AND e.details ->> 'refusal' = 'bidding-closed' AND e.occurred_at >= t.deadline
      AND sees_bidders(of_tender) AND may_read_bids(acting_person(), of_tender)
$$;

CREATE FUNCTION bids_that_did_not_stand(of_tender uuid)
RETURNS TABLE (withdrawn integer, lapsed integer) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE v.act = 'withdrawn')::integer,
           count(*) FILTER (WHERE v.act = 'submitted' AND NOT EXISTS (
               SELECT 1 FROM standing_bids(of_tender) s WHERE s.bid = b.id))::integer
    FROM bid b JOIN tender t ON t.id = b.tender
    JOIN LATERAL (SELECT act FROM bid_version WHERE bid = b.id
                  ORDER BY number DESC LIMIT 1) v ON true
    WHERE b.tender = of_tender AND t.opened_at IS NOT NULL AND sees_bidders(of_tender)
      AND may_read_bids(acting_person(), of_tender)
$$;

ALTER TABLE bid ENABLE ROW LEVEL SECURITY;
ALTER TABLE bid_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE bid_participant ENABLE ROW LEVEL SECURITY;
ALTER TABLE envelope ENABLE ROW LEVEL SECURITY;
ALTER TABLE bid_receipt ENABLE ROW LEVEL SECURITY;
ALTER TABLE manifest_entry ENABLE ROW LEVEL SECURITY;
ALTER TABLE opened_envelope ENABLE ROW LEVEL SECURITY;
ALTER TABLE declaration ENABLE ROW LEVEL SECURITY;

CREATE POLICY guard_reads ON bid FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_locks ON bid FOR UPDATE TO market_guard USING (true);
CREATE POLICY guard_reads ON bid_version FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON bid_participant FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON envelope FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON bid_receipt FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON manifest_entry FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON opened_envelope FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON declaration FOR SELECT TO market_guard USING (true);

CREATE POLICY bid_read ON bid FOR SELECT TO market_app
    USING (organisation = acting_organisation()
           OR lot IN (SELECT lots_with_known_identities()));
CREATE POLICY bid_made ON bid FOR INSERT TO market_app
    WITH CHECK (organisation = acting_organisation());
CREATE POLICY bid_version_read ON bid_version FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid b WHERE b.id = bid_version.bid));
CREATE POLICY bid_version_made ON bid_version FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM bid b WHERE b.id = bid_version.bid
                        AND b.organisation = acting_organisation()));
CREATE POLICY participant_read ON bid_participant FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_version v WHERE v.id = bid_participant.bid_version));
CREATE POLICY participant_made ON bid_participant FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM bid_version v JOIN bid b ON b.id = v.bid
                        WHERE v.id = bid_participant.bid_version
                        AND b.organisation = acting_organisation()));
CREATE POLICY envelope_read ON envelope FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_version v WHERE v.id = envelope.bid_version
                   AND envelope_may_open(v.bid, envelope.kind)));
CREATE POLICY envelope_made ON envelope FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY receipt_read ON bid_receipt FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_version v JOIN bid b ON b.id = v.bid
                   WHERE v.id = bid_receipt.bid_version AND b.organisation = acting_organisation()));
CREATE POLICY receipt_made ON bid_receipt FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY manifest_read ON manifest_entry FOR SELECT TO market_app
    USING (tender IN (SELECT opened_tenders_with_known_bidders()) OR EXISTS (
        SELECT 1 FROM bid b WHERE b.id = manifest_entry.bid AND b.organisation = acting_organisation()));
CREATE POLICY opened_read ON opened_envelope FOR SELECT TO market_app
    USING (CASE kind WHEN 'quality' THEN bid IN (SELECT bids_read_open('quality'))
           ELSE bid IN (SELECT bids_read_open('price')) END);
CREATE POLICY opened_made ON opened_envelope FOR INSERT TO market_app WITH CHECK (true);
-- A declaration names a bidder: it is read by those who may know who bids.
CREATE POLICY declaration_read ON declaration FOR SELECT TO market_app
    USING (person = acting_person() OR EXISTS (
        SELECT 1 FROM tender t WHERE t.id = declaration.tender AND (
            t.deadline <= market_now() AND holds_duty(acting_person(), t.id, 'guardian')
            OR t.opened_at IS NOT NULL AND holds_duty(acting_person(), t.id, 'tender_manager'))));
CREATE POLICY declaration_made ON declaration FOR INSERT TO market_app
    WITH CHECK (person = acting_person());
-- What somebody declared on taking a duty: for themselves, the guardian and the buyers' auditors.
CREATE FUNCTION audits_tender(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM membership m JOIN tender_buyer b ON b.organisation = m.organisation
                   WHERE b.tender = of_tender AND m.person = acting_person()
                     AND m.organisation = acting_organisation() AND m.role = 'auditor'
                     AND m.ended_at IS NULL)
$$;
CREATE POLICY duty_declaration_read ON duty_declaration FOR SELECT TO market_app
    USING (person = acting_person() OR holds_duty(acting_person(), tender, 'guardian')
           OR audits_tender(tender));
-- A decision names a bidder, as a declaration does.
CREATE POLICY conflict_decision_read ON conflict_decision FOR SELECT TO market_app
    USING (sees_bidders(tender) AND (person = acting_person()
               OR holds_duty(acting_person(), tender, 'guardian', 'tender_manager'))
           OR audits_tender(tender) AND EXISTS (
               SELECT 1 FROM tender t WHERE t.id = conflict_decision.tender
               AND t.opened_at IS NOT NULL));
-- What is withheld is withheld however else one would see it, and of a tender with which one has
-- nothing to do one sees nothing. A supplier sees its own bids'. What costs a look at the tender is
-- asked last, and so only of what one might see: PostgreSQL asks this policy first, of every row.
CREATE POLICY event_withheld ON event AS RESTRICTIVE FOR SELECT TO market_app
    USING (tender IS NULL OR person = acting_person()
           OR action LIKE 'bid.%' AND organisation = acting_organisation()
           OR (tender IN (SELECT recorded_tenders()) OR tender IN (
                   SELECT b.tender FROM tender_buyer b
                   WHERE b.organisation = acting_organisation()))
              AND NOT withholds_event(tender, organisation, action, occurred_at));

GRANT SELECT, INSERT ON bid, bid_version, bid_participant, envelope, bid_receipt, declaration,
    opening_confirmation, opened_envelope TO market_app;
GRANT SELECT ON manifest_entry TO market_app;
GRANT SELECT ON bid_version, bid_participant, envelope, bid_receipt, manifest_entry, declaration,
    opening_confirmation, opened_envelope TO market_guard;
GRANT SELECT, UPDATE ON bid TO market_guard;
-- standing_bids, belongs_to_bidder, conflicts_of and why_not_unconflicted tell who bids: the app may
-- not ask them.
GRANT EXECUTE ON FUNCTION holds_duty(uuid, uuid, text[]), duty_standing(uuid, uuid),
    my_duties(uuid, uuid, uuid),     duties_in_force(uuid, uuid),     exempted(uuid, uuid, text, text), may_hold_award_duties(uuid, uuid), i_help_to_run(uuid),
    belongs_to_any_supplier(uuid), interests_in_force(uuid), audits_tender(uuid),
    my_conflict(uuid),
    recorded_tenders(), withholds_event(uuid, uuid, text, timestamptz),
    openers_confirmed(uuid), sealed_envelope(uuid, text),
    opening_record(uuid), late_attempts(uuid), bids_that_did_not_stand(uuid), bidders_of(uuid), participants_of(uuid), conflicts_in(uuid), places_of(uuid, uuid),
    places_of_bidder(uuid, uuid), sees_bidders(uuid), sees_identity(uuid),
    opened_tenders_with_known_bidders(), lots_with_known_identities(), bids_read_open(text),
    envelope_may_open(uuid, text), wrapped_key_for(uuid, text)
    TO market_app;

SELECT seal_guards();
