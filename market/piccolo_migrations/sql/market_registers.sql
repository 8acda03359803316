-- What is read of the registers: the public part by functions that give no more, the private part
-- by the person it is about, the guardian and the auditors of the organisation.

-- The same periods as in market.interests.rules.dates; a test compares the two over many days.
CREATE FUNCTION public_until(ended date) RETURNS date LANGUAGE sql IMMUTABLE AS
$$ SELECT (ended + interval '6 months')::date $$;

CREATE FUNCTION kept_until(ended date) RETURNS date LANGUAGE sql IMMUTABLE AS
$$ SELECT (ended + interval '6 years')::date $$;

-- What the registers hold of a person, and when each record was over: NULL while it is not. Kept
-- longer than it must be is nothing here, as in listRecordsPastKeeping.
CREATE FUNCTION kept_in_registers(of_person uuid)
RETURNS TABLE (kind text, what text, concluded_on date) LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT 'interest', o.name::text, coalesce(e.ended_on, i.ends_on, (
        SELECT register_day(max(m.ended_at)) FROM membership m
        WHERE m.person = i.person AND m.organisation = i.for_organisation
        HAVING bool_and(m.ended_at IS NOT NULL)))
    FROM interest i JOIN organisation o ON o.id = i.for_organisation
    LEFT JOIN interest_ending e ON e.interest = i.id
    WHERE i.person = of_person AND NOT EXISTS (SELECT 1 FROM interest s WHERE s.supersedes = i.id)
    UNION ALL
    SELECT 'interest_confirmation', o.name, register_day(max(c.confirmed_at))
    FROM interest_confirmation c JOIN organisation o ON o.id = c.organisation
    WHERE c.person = of_person GROUP BY o.name
    UNION ALL
    SELECT 'gift', o.name, greatest(g.offered_on, g.received_on, register_day(g.declared_at))
    FROM gift g JOIN organisation o ON o.id = g.for_organisation
    WHERE g.person = of_person AND NOT EXISTS (SELECT 1 FROM gift s WHERE s.supersedes = g.id)
    UNION ALL
    SELECT 'conflict_breach', o.name, register_day(b.recorded_at)
    FROM conflict_breach b JOIN conflict_breach_person p ON p.breach = b.id
    JOIN organisation o ON o.id = b.organisation WHERE p.person = of_person
$$;

CREATE FUNCTION confirmation_due_on(joined date, confirmed date) RETURNS date LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN confirmed >= joined THEN (confirmed + interval '12 months')::date
           ELSE joined + 28 END
$$;

-- Whose entries are public: decision-making staff, and for six months who was; with the roles they
-- hold or held in that time. The same rule as market.interests.rules.registers.
CREATE FUNCTION published_staff(of_organisation uuid)
RETURNS TABLE (person uuid, name text, positions text[], left_on date)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS (
        SELECT m.person, m.role, register_day(m.ended_at) AS ended_on,
            m.role IN ('administrator', 'procurement_lead', 'commissioner', 'lay_member',
                       'conflicts_guardian') AS decides
        FROM membership m WHERE m.organisation = of_organisation
          AND (m.ended_at IS NULL
               OR public_until(register_day(m.ended_at)) >= register_day(market_now()))
    )
    SELECT h.person, p.name::text, array_agg(DISTINCT h.role::text ORDER BY h.role::text),
        CASE WHEN bool_and(h.ended_on IS NOT NULL) FILTER (WHERE h.decides)
             THEN max(h.ended_on) FILTER (WHERE h.decides) END
    FROM held h JOIN person p ON p.id = h.person
    GROUP BY h.person, p.name HAVING bool_or(h.decides)
$$;

-- The public register. Of a withheld interest it gives that there is one, and nothing about it.
CREATE FUNCTION public_interests(of_organisation uuid)
RETURNS TABLE (id uuid, name text, positions text[], left_on date, withheld boolean,
               counterparty text, business text, kind text, associate text, relationship text,
               nature text, share numeric, starts_on date, ended_on date, actions text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH listed AS (
        SELECT i.*, s.name, s.positions, s.left_on, coalesce(e.ended_on, i.ends_on) AS ended,
            i.consents OR coalesce(NOT d.withhold, false) AS shown
        FROM interest i JOIN published_staff(of_organisation) s ON s.person = i.person
        LEFT JOIN interest_ending e ON e.interest = i.id
        LEFT JOIN consent_decision d ON d.interest = i.id
        WHERE i.for_organisation = of_organisation
          AND NOT EXISTS (SELECT 1 FROM interest later WHERE later.supersedes = i.id)
    )
    SELECT l.id, l.name, l.positions, l.left_on, NOT l.shown,
        CASE WHEN l.shown THEN l.counterparty END, CASE WHEN l.shown THEN l.business END,
        CASE WHEN l.shown THEN l.kind END, CASE WHEN l.shown THEN l.associate END,
        CASE WHEN l.shown THEN l.relationship END, CASE WHEN l.shown THEN l.nature END,
        CASE WHEN l.shown THEN l.share END, CASE WHEN l.shown THEN l.starts_on END,
        CASE WHEN l.shown THEN l.ended END,
        CASE WHEN l.shown THEN ARRAY(
            SELECT m.what FROM interest_mitigation m JOIN interest v ON v.id = m.interest
            WHERE v.origin = l.origin ORDER BY m.recorded_at, m.id) END
    FROM listed l
    WHERE l.ended IS NULL OR public_until(l.ended) >= register_day(market_now())
$$;

-- How often the same offeror had offered something to the same person before.
CREATE FUNCTION earlier_offers(of_gift gift) RETURNS bigint LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT count(*) FROM gift g
    WHERE g.person = of_gift.person AND g.for_organisation = of_gift.for_organisation
      AND (g.organisation = of_gift.organisation
           OR lower(btrim(g.offeror)) = lower(btrim(of_gift.offeror)))
      AND (g.offered_on, g.declared_at, g.id)
          < (of_gift.offered_on, of_gift.declared_at, of_gift.id)
      AND g.id IS DISTINCT FROM of_gift.supersedes
      AND NOT EXISTS (SELECT 1 FROM gift later WHERE later.supersedes = g.id)
$$;

CREATE FUNCTION public_gifts(of_organisation uuid)
RETURNS TABLE (id uuid, name text, positions text[], withheld boolean, offered_on date,
               received_on date, kind text, source text, detail text, value numeric,
               estimated boolean, offeror text, business text, previous_offers bigint,
               reviewed_by text, reviewed_on date, approved boolean, accepted boolean,
               on_behalf_of_organisation boolean, reason text, comment text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH listed AS (
        SELECT g AS row, g.*, s.name, s.positions,
            g.consents OR coalesce(NOT d.withhold, false) AS shown
        FROM gift g JOIN published_staff(of_organisation) s ON s.person = g.person
        LEFT JOIN consent_decision d ON d.gift = g.id
        WHERE g.for_organisation = of_organisation
          AND NOT EXISTS (SELECT 1 FROM gift later WHERE later.supersedes = g.id)
          AND public_until(greatest(g.offered_on, g.received_on, register_day(g.declared_at)))
              >= register_day(market_now())
    )
    SELECT l.id, l.name, l.positions, NOT l.shown, o.offered_on, o.received_on, o.kind, o.source,
        o.detail, o.value, o.estimated, o.offeror, o.business,
        CASE WHEN l.shown THEN earlier_offers(l.row) END,
        CASE WHEN l.shown THEN p.name END, CASE WHEN l.shown THEN register_day(r.reviewed_at) END,
        CASE WHEN l.shown THEN r.approves END, o.accepted, o.on_behalf_of_organisation, o.reason,
        CASE WHEN l.shown THEN r.comment END
    FROM listed l
    LEFT JOIN gift o ON o.id = l.id AND l.shown
    LEFT JOIN gift_review r ON r.gift = l.id
    LEFT JOIN person p ON p.id = r.reviewed_by
$$;

-- Of breaches the public reads the latest text the guardian wrote, and when it was published.
CREATE FUNCTION public_breaches(of_organisation uuid)
RETURNS TABLE (id uuid, text text, published_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (b.id) b.id, p.text, p.published_at
    FROM conflict_breach b JOIN conflict_breach_publication p ON p.breach = b.id
    WHERE b.organisation = of_organisation
    ORDER BY b.id, p.published_at DESC, p.id
$$;

ALTER TABLE interest ENABLE ROW LEVEL SECURITY;
ALTER TABLE interest_ending ENABLE ROW LEVEL SECURITY;
ALTER TABLE interest_mitigation ENABLE ROW LEVEL SECURITY;
ALTER TABLE interest_confirmation ENABLE ROW LEVEL SECURITY;
ALTER TABLE gift ENABLE ROW LEVEL SECURITY;
ALTER TABLE gift_review ENABLE ROW LEVEL SECURITY;
ALTER TABLE consent_decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflict_breach ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflict_breach_person ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflict_breach_publication ENABLE ROW LEVEL SECURITY;

CREATE POLICY guard_reads ON interest FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON interest_ending FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON interest_mitigation FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON interest_confirmation FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON gift FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON gift_review FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON consent_decision FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON conflict_breach FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON conflict_breach_person FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON conflict_breach_publication FOR SELECT TO market_guard USING (true);

-- The line manager reads what names them as such, for as long as they act for the organisation.
CREATE POLICY interest_read ON interest FOR SELECT TO market_app
    USING (person = acting_person()
           OR line_manager = acting_person() AND acts_on_register(for_organisation,
               'administrator', 'procurement_lead', 'commissioner', 'lay_member',
               'conflicts_guardian', 'auditor', 'bid_manager')
           OR acts_on_register(for_organisation, 'conflicts_guardian', 'auditor'));
CREATE POLICY interest_made ON interest FOR INSERT TO market_app
    WITH CHECK (person = acting_person()
                OR acts_on_register(for_organisation, 'conflicts_guardian'));
-- What hangs on an entry is read by those who read the entry.
CREATE POLICY interest_ending_read ON interest_ending FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM interest i WHERE i.id = interest_ending.interest));
CREATE POLICY interest_ending_made ON interest_ending FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM interest i WHERE i.id = interest_ending.interest));
CREATE POLICY interest_mitigation_read ON interest_mitigation FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM interest i WHERE i.id = interest_mitigation.interest));
CREATE POLICY interest_mitigation_made ON interest_mitigation FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM interest i WHERE i.id = interest_mitigation.interest));
CREATE POLICY interest_confirmation_read ON interest_confirmation FOR SELECT TO market_app
    USING (person = acting_person()
           OR acts_on_register(organisation, 'conflicts_guardian', 'auditor', 'administrator'));
CREATE POLICY interest_confirmation_made ON interest_confirmation FOR INSERT TO market_app
    WITH CHECK (person = acting_person());
-- Whoever may review an offer reads it.
CREATE POLICY gift_read ON gift FOR SELECT TO market_app
    USING (person = acting_person()
           OR acts_on_register(for_organisation, 'conflicts_guardian', 'auditor', 'lay_member'));
CREATE POLICY gift_made ON gift FOR INSERT TO market_app
    WITH CHECK (person = acting_person()
                OR acts_on_register(for_organisation, 'conflicts_guardian'));
CREATE POLICY gift_review_read ON gift_review FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM gift g WHERE g.id = gift_review.gift));
CREATE POLICY gift_review_made ON gift_review FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM gift g WHERE g.id = gift_review.gift));
CREATE POLICY consent_decision_read ON consent_decision FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM interest i WHERE i.id = consent_decision.interest)
           OR EXISTS (SELECT 1 FROM gift g WHERE g.id = consent_decision.gift));
CREATE POLICY consent_decision_made ON consent_decision FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM interest i WHERE i.id = consent_decision.interest)
                OR EXISTS (SELECT 1 FROM gift g WHERE g.id = consent_decision.gift));
CREATE POLICY conflict_breach_read ON conflict_breach FOR SELECT TO market_app
    USING (acts_on_register(organisation, 'conflicts_guardian', 'auditor'));
CREATE POLICY conflict_breach_made ON conflict_breach FOR INSERT TO market_app
    WITH CHECK (acts_on_register(organisation, 'conflicts_guardian'));
CREATE POLICY conflict_breach_person_read ON conflict_breach_person FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM conflict_breach b WHERE b.id = conflict_breach_person.breach));
CREATE POLICY conflict_breach_person_made ON conflict_breach_person FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM conflict_breach b WHERE b.id = conflict_breach_person.breach));
CREATE POLICY conflict_breach_publication_read ON conflict_breach_publication FOR SELECT
    TO market_app
    USING (EXISTS (SELECT 1 FROM conflict_breach b
                   WHERE b.id = conflict_breach_publication.breach));
CREATE POLICY conflict_breach_publication_made ON conflict_breach_publication FOR INSERT
    TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM conflict_breach b
                        WHERE b.id = conflict_breach_publication.breach));

GRANT SELECT, INSERT ON interest, interest_ending, interest_mitigation, interest_confirmation,
    gift, gift_review, consent_decision, conflict_breach, conflict_breach_person,
    conflict_breach_publication TO market_app;
GRANT SELECT ON interest, interest_ending, interest_mitigation, interest_confirmation,
    gift, gift_review, consent_decision, conflict_breach, conflict_breach_person,
    conflict_breach_publication TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION acts_on_register(uuid, text[]), public_interests(uuid),
    public_gifts(uuid), public_breaches(uuid) TO market_app;
