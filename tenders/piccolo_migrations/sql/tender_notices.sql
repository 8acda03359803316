-- What notices about tenders are made of. The worker asks whom something concerns; a letter says no
-- more than its reader may look up. Of bids the worker knows whose they are, as the log tells it,
-- and never an envelope, a key, a score or a price.

-- -- how a letter names a tender and a lot -----------------------------------------------------------

CREATE FUNCTION tender_facts(of_tender uuid) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object('tender', t.id, 'reference', t.reference, 'title', t.title,
                              'buyer', o.name)
    FROM tender t JOIN organisation o ON o.id = t.buyer WHERE t.id = of_tender
$$;

CREATE FUNCTION lot_facts(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT tender_facts(l.tender) || jsonb_build_object('lot', l.number, 'lot_title', l.title)
    FROM lot l WHERE l.id = of_lot
$$;

-- -- whom it concerns --------------------------------------------------------------------------------

-- Those of an organisation who hold one of the roles.
CREATE FUNCTION people_of(of_organisation uuid, VARIADIC roles text[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT DISTINCT m.person FROM membership m
    WHERE m.organisation = of_organisation AND m.role = ANY (roles) AND m.ended_at IS NULL
$$;

-- Why somebody with a duty is not to act, where they may know who bids; before that an interest
-- stays silent: to leave somebody out of a notice would tell that somebody bids.
CREATE FUNCTION known_conflict(holder uuid, of_tender uuid, by_duty text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN t.opened_at IS NOT NULL OR t.stage = 'published'
                     AND t.deadline <= market_now() AND by_duty IN ('opener', 'guardian')
                THEN why_not_unconflicted(holder, t.id) END
    FROM tender t WHERE t.id = of_tender
$$;

-- Those in whose hands one of the duties works, once each, by the first of the duties that they
-- hold; nobody who is out of it by an interest. `declared` is false where their declaration against
-- the bidders is due.
CREATE FUNCTION duty_recipients(of_tender uuid, VARIADIC wanted text[])
RETURNS TABLE (person uuid, organisation uuid, duty text, declared boolean) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH holder AS MATERIALIZED (
        SELECT DISTINCT ON (d.person) d.person, s.organisation, s.duty
        FROM (SELECT DISTINCT d.person FROM duty d WHERE d.tender = of_tender
              AND d.released_at IS NULL AND d.duty = ANY (wanted)) d
        CROSS JOIN LATERAL duties_in_force(of_tender, d.person) s
        WHERE s.duty = ANY (wanted)
        ORDER BY d.person, array_position(wanted, s.duty)
    ), standing AS MATERIALIZED (
        SELECT h.*, known_conflict(h.person, of_tender, h.duty) AS conflict FROM holder h
    )
    SELECT s.person, s.organisation, s.duty, s.conflict IS NULL FROM standing s
    WHERE s.conflict IS NULL OR s.conflict = 'declaration_missing'
$$;

-- Those whose declaration against the bidders is due: after the deadline openers and guardian, who
-- see the names; after the opening everybody whose duty is about the bids.
CREATE FUNCTION declarations_due(of_tender uuid)
RETURNS TABLE (person uuid, organisation uuid, duty text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH bidder AS MATERIALIZED (
        SELECT DISTINCT b.organisation FROM standing_bids(of_tender) b
    ), holder AS MATERIALIZED (
        -- whoever has declared is not asked about, which is what would take time
        SELECT DISTINCT ON (d.person) d.person, s.organisation, s.duty
        FROM tender t JOIN duty d ON d.tender = t.id AND d.released_at IS NULL
        CROSS JOIN LATERAL duties_in_force(t.id, d.person) s
        WHERE t.id = of_tender AND s.duty = d.duty AND s.duty = ANY (
            CASE WHEN t.opened_at IS NOT NULL THEN ARRAY['opener', 'guardian', 'tender_manager',
                'quality_evaluator', 'moderator', 'price_evaluator', 'award_approver',
                'contract_manager', 'outcome_reviewer'] ELSE ARRAY['opener', 'guardian'] END)
          AND EXISTS (SELECT 1 FROM bidder b WHERE NOT EXISTS (
              SELECT 1 FROM declaration x WHERE x.tender = t.id AND x.person = d.person
              AND x.bidder = b.organisation))
        ORDER BY d.person, s.duty
    )
    SELECT h.person, h.organisation, h.duty FROM holder h
    WHERE known_conflict(h.person, of_tender, h.duty) = 'declaration_missing'
$$;

-- What an event leaves for the conflicts guardian of a tender to decide: somebody with a duty in it
-- who has, or is found to have, an undecided interest in a bidder. `decisions` tells one time from
-- the next.
CREATE FUNCTION conflicts_waiting(of_event uuid)
RETURNS TABLE (tender uuid, holder uuid, decisions bigint) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH about AS MATERIALIZED (
        SELECT e.tender, e.person AS holder FROM event e
        WHERE e.id = of_event AND e.tender IS NOT NULL
        UNION SELECT d.tender, i.person FROM event e
        JOIN interest i ON i.id = e.subject AND e.subject_kind = 'interest'
        JOIN duty d ON d.person = i.person AND d.released_at IS NULL WHERE e.id = of_event
    ), known AS MATERIALIZED (
        SELECT a.tender, a.holder FROM about a JOIN tender t ON t.id = a.tender
        WHERE t.stage IN ('published', 'opened') AND t.deadline <= market_now()
          AND EXISTS (SELECT 1 FROM lot l WHERE l.tender = t.id
                      AND l.stage NOT IN ('contracted', 'abandoned'))
    )
    SELECT k.tender, k.holder, (SELECT count(*) FROM conflict_decision c
                                WHERE c.tender = k.tender AND c.person = k.holder)
    FROM known k WHERE why_not_unconflicted(k.holder, k.tender) = 'interest_undecided'
$$;

-- Entries in a register whose holder refuses to have them published: the guardian decides. Whose
-- they are is given so that nobody is asked about their own, and goes into no letter.
CREATE FUNCTION consents_waiting(of_event uuid)
RETURNS TABLE (organisation uuid, holder uuid, gift boolean) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.for_organisation, i.person, false FROM event e
    JOIN interest i ON i.id = e.subject AND e.subject_kind = 'interest'
    WHERE e.id = of_event AND NOT i.consents
      AND NOT EXISTS (SELECT 1 FROM interest later WHERE later.supersedes = i.id)
      AND NOT EXISTS (SELECT 1 FROM consent_decision d WHERE d.interest = i.id)
    UNION ALL
    SELECT g.for_organisation, g.person, true FROM event e
    JOIN gift g ON g.id = e.subject AND e.subject_kind = 'gift'
    WHERE e.id = of_event AND NOT g.consents
      AND NOT EXISTS (SELECT 1 FROM gift later WHERE later.supersedes = g.id)
      AND NOT EXISTS (SELECT 1 FROM consent_decision d WHERE d.gift = g.id)
$$;

-- -- what the worker reads of it ---------------------------------------------------------------------

GRANT SELECT (id, kind, name) ON organisation TO market_worker;
GRANT SELECT (person, organisation, role, started_at, ended_at) ON membership TO market_worker;
GRANT SELECT (id, organisation, applicant) ON supplier_application TO market_worker;
GRANT SELECT (application, outcome) ON supplier_decision TO market_worker;
GRANT SELECT (person, organisation, confirmed_at) ON interest_confirmation TO market_worker;
GRANT SELECT (id, reference, buyer, title, stage, deadline, published_at, opened_at, redraft,
    amendments, material_amendment) ON tender TO market_worker;
GRANT SELECT ON amendment TO market_worker;
GRANT SELECT (tender, organisation) ON tender_buyer TO market_worker;
GRANT SELECT (id, tender, number, title, stage, estimated_annual_value) ON lot TO market_worker;
GRANT SELECT (lot, service_line) ON lot_service_line TO market_worker;
GRANT SELECT (id, tender, person, organisation, duty, assigned_by, released_at) ON duty
    TO market_worker;
GRANT SELECT (id, tender, lot, organisation, variant) ON bid TO market_worker;
GRANT SELECT (bid, number, act, received_at) ON bid_version TO market_worker;
GRANT SELECT ON saved_search TO market_worker;
CREATE POLICY worker_reads ON interest_confirmation FOR SELECT TO market_worker USING (true);
CREATE POLICY worker_reads ON bid FOR SELECT TO market_worker USING (true);
CREATE POLICY worker_reads ON bid_version FOR SELECT TO market_worker USING (true);
CREATE POLICY worker_reads ON saved_search FOR SELECT TO market_worker USING (true);

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION duty_standing(uuid, uuid), duty_recipients(uuid, text[]),
    declarations_due(uuid), conflicts_waiting(uuid), consents_waiting(uuid), standing_bids(uuid),
    bids_to_confirm(uuid)
    TO market_worker;
