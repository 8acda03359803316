-- The register of procurement decisions: what everybody may know of a lot once its bidders have
-- been told, with the conflicts noted about them, by kind, and how they were managed.

CREATE FUNCTION duty_holders(of_tender uuid, wanted text) RETURNS text[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT ARRAY(SELECT p.name FROM duty d JOIN person p ON p.id = d.person
                 WHERE d.tender = of_tender AND d.duty = wanted AND d.released_at IS NULL
                 ORDER BY p.name, p.id)
$$;

-- The guardian's latest decision about each person and each bidder of a lot.
CREATE FUNCTION decisions_about(of_lot uuid) RETURNS SETOF conflict_decision LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (c.person, c.bidder) c.* FROM lot l
    JOIN conflict_decision c ON c.tender = l.tender
    WHERE l.id = of_lot AND c.bidder IN (SELECT b.organisation FROM manifest_entry m
                                         JOIN bid b ON b.id = m.bid WHERE m.lot = l.id)
    ORDER BY c.person, c.bidder, c.decided_at DESC, c.id
$$;

-- The lots that an organisation buys and that are decided, the latest first, after a place in the
-- list. Managers and contract managers are those who hold the duty, approvers those who
-- approved the recommendation that was awarded.
CREATE FUNCTION procurement_decisions(of_organisation uuid, earlier_than timestamptz,
                                      after_lot uuid, most integer)
RETURNS TABLE (lot uuid, tender uuid, reference text, title text, lot_number integer,
    lot_title text, description text, stage text, abandoned_because text, lead uuid,
    lead_name text, buyers jsonb, managers text[], contract_managers text[], method text,
    method_version integer, quorum integer, approvers jsonb, conflicts jsonb, outcomes jsonb,
    mitigations text[], exemptions jsonb, supplier uuid, supplier_name text, supplier_address text,
    price numeric, awarded_at timestamptz, notified_at timestamptz,
    standstill_ends_at timestamptz, contract_reference text, contract_starts date,
    contract_ends date, contract_made_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH decided AS MATERIALIZED (
        SELECT l.*, s.began_at, s.ends_at, a.bid, a.recommendation, a.awarded_at
        FROM tender_buyer b JOIN lot l ON l.tender = b.tender
        JOIN award a ON a.id = latest_award(l.id) JOIN standstill s ON s.award = a.id
        WHERE b.organisation = of_organisation
          AND (earlier_than IS NULL OR (s.began_at, l.id) < (earlier_than, after_lot))
        ORDER BY s.began_at DESC, l.id DESC LIMIT most
    )
    SELECT l.id, t.id, t.reference, t.title, l.number, l.title, (
            SELECT part ->> 'description' FROM requirement_version r,
                jsonb_array_elements(r.content -> 'lots') part
            WHERE r.tender = t.id AND r.number = t.published_requirement
              AND (part ->> 'number')::integer = l.number),
        l.stage, l.abandoned_because, t.buyer, lead.name,
        (SELECT jsonb_agg(jsonb_build_object('organisation', o.id, 'name', o.name,
                'population', y.population) ORDER BY o.name, o.id)
         FROM tender_buyer y JOIN organisation o ON o.id = y.organisation WHERE y.tender = t.id),
        duty_holders(t.id, 'tender_manager'), duty_holders(t.id, 'contract_manager'),
        k.method, k.method_version, l.approval_quorum,
        (SELECT coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'lay', a.lay)
                ORDER BY a.decided_at, p.id), '[]')
         FROM approval a JOIN person p ON p.id = a.approver
         WHERE a.recommendation = l.recommendation AND a.outcome = 'approved'),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'found', c.finding,
                'times', c.times) ORDER BY c.finding, c.kind), '[]')
         FROM (SELECT f.kind, CASE f.finding WHEN 'declared' THEN 'declared' ELSE 'found' END
                   AS finding, count(DISTINCT (h.person, f.bidder))::integer AS times
               FROM (SELECT DISTINCT d.person FROM duty d WHERE d.tender = t.id) h
               CROSS JOIN LATERAL connections_of(h.person, t.id) f
               WHERE f.bidder IN (SELECT x.organisation FROM manifest_entry m
                                  JOIN bid x ON x.id = m.bid WHERE m.lot = l.id)
               GROUP BY 1, 2) c),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('outcome', c.outcome, 'times', c.times)
                ORDER BY c.outcome), '[]')
         FROM (SELECT f.outcome, count(*)::integer AS times FROM decisions_about(l.id) f
               GROUP BY f.outcome) c),
        ARRAY(SELECT DISTINCT f.mitigation FROM decisions_about(l.id) f
              WHERE f.mitigation ~ '\S' ORDER BY f.mitigation),
        (SELECT coalesce(jsonb_agg(jsonb_build_object('name', p.name, 'duties',
                jsonb_build_array(e.one, e.other), 'reason', e.reason, 'granted_at', e.granted_at,
                'expires_at', e.expires_at, 'revoked_at', r.revoked_at)
                ORDER BY e.granted_at, e.id), '[]')
         FROM exemption e JOIN person p ON p.id = e.person
         LEFT JOIN exemption_revocation r ON r.exemption = e.id WHERE e.tender = t.id),
        o.id, o.name, o.address, w.price, l.awarded_at, l.began_at, l.ends_at,
        c.reference, c.starts, c.ends, c.made_at
    FROM decided l JOIN tender t ON t.id = l.tender JOIN organisation lead ON lead.id = t.buyer
    JOIN bid b ON b.id = l.bid JOIN organisation o ON o.id = b.organisation
    JOIN ranked_bid w ON w.bid = l.bid AND w.ranking = latest_ranking(l.id)
    JOIN ranking k ON k.id = w.ranking
    LEFT JOIN contract c ON c.award = latest_award(l.id) AND c.buyer = of_organisation
    ORDER BY l.began_at DESC, l.id DESC
$$;

GRANT EXECUTE ON FUNCTION procurement_decisions(uuid, timestamptz, uuid, integer) TO market_app;
