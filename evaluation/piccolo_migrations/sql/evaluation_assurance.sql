-- What the assurance report shows: who did what in a tender, by which duty, with which interests.
-- Each function gives the acting person what they may read of it now, and no more.

-- Everybody reads the report once the bidders of every lot have been told.
CREATE FUNCTION told_everybody(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM lot l JOIN standstill s ON s.lot = l.id WHERE l.tender = of_tender)
       AND NOT EXISTS (SELECT 1 FROM lot l WHERE l.tender = of_tender
                       AND l.stage NOT IN ('notified', 'contracted', 'abandoned'))
$$;

-- How the acting person reads it. Inside are manager, guardian and the buyers' auditors, at any
-- time; bidders are named to them from the opening on, but to no manager who has not declared or
-- has an interest, and to no auditor with an interest. Texts of declarations on taking a duty, and
-- entries in registers that are not public, are the guardian's and the auditors'.
CREATE FUNCTION assurance_reader(of_tender uuid)
RETURNS TABLE (inside boolean, told boolean, opened boolean, names_bidders boolean,
               reads_registers boolean) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH seen AS MATERIALIZED (
        SELECT t.id, t.opened_at IS NOT NULL AS opened, told_everybody(t.id) AS told,
            coalesce('guardian' = ANY (mine.duties), false) AS guards,
            coalesce('tender_manager' = ANY (mine.duties), false) AS manages,
            coalesce(audits_tender(t.id), false) AS audits
        FROM tender t
        CROSS JOIN LATERAL my_duties(t.id, acting_person(), acting_organisation()) mine
        WHERE t.id = of_tender
    )
    SELECT guards OR manages OR audits, told, opened,
        opened AND (guards OR manages AND my_conflict(id) IS NULL
            OR audits AND coalesce(why_not_unconflicted(acting_person(), id), 'declaration_missing')
                = 'declaration_missing'),
        guards OR audits
    FROM seen WHERE guards OR manages OR audits OR told
$$;

-- -- what was done --------------------------------------------------------------------------------

-- Every act in a tender that takes a duty, out of the rows it left; and the few that left nothing
-- but an event.
CREATE FUNCTION acts_in(of_tender uuid)
RETURNS TABLE (person uuid, act text, lot integer, number integer, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.person, CASE e.action WHEN 'tender.created' THEN 'began'
            WHEN 'review.requested' THEN 'asked_for_review' WHEN 'tender.published' THEN 'published'
            ELSE 'abandoned' END, (e.details ->> 'lot')::integer, NULL::integer, e.occurred_at
        FROM event e WHERE e.tender = of_tender AND e.action IN ('tender.created',
            'review.requested', 'tender.published', 'tender.abandoned', 'lot.abandoned')
    UNION ALL SELECT r.edited_by, 'wrote', NULL, r.number, r.edited_at
        FROM requirement_version r WHERE r.tender = of_tender
    UNION ALL SELECT r.reviewer, CASE r.outcome WHEN 'approved' THEN 'approved_requirement'
            ELSE 'returned_requirement' END, NULL, r.requirement, r.reviewed_at
        FROM review r WHERE r.tender = of_tender
    UNION ALL SELECT a.published_by, 'amended', NULL, a.number, a.published_at
        FROM amendment a WHERE a.tender = of_tender
    UNION ALL SELECT d.assigned_by, 'gave_duty', NULL, NULL, d.assigned_at
        FROM duty d WHERE d.tender = of_tender AND d.assigned_by <> d.person
    UNION ALL SELECT c.person, 'confirmed_opening', NULL, NULL, c.confirmed_at
        FROM opening_confirmation c WHERE c.tender = of_tender
    UNION ALL SELECT o.opened_by, 'opened_' || o.kind, l.number, NULL, o.opened_at
        FROM opened_envelope o JOIN bid b ON b.id = o.bid JOIN lot l ON l.id = b.lot
        WHERE b.tender = of_tender
    UNION ALL SELECT s.evaluator, 'scored', l.number, NULL, s.scored_at
        FROM score s JOIN lot l ON l.id = s.lot WHERE l.tender = of_tender
    UNION ALL SELECT k.evaluator, 'locked_scores', l.number, NULL, k.locked_at
        FROM score_lock k JOIN lot l ON l.id = k.lot WHERE l.tender = of_tender
    UNION ALL SELECT a.moderator, 'moderated', l.number, NULL, a.agreed_at
        FROM agreed_score a JOIN lot l ON l.id = a.lot WHERE l.tender = of_tender
    UNION ALL SELECT n.set_by, 'set_panel', l.number, NULL, n.set_at
        FROM panel n JOIN lot l ON l.id = n.lot WHERE l.tender = of_tender
    UNION ALL SELECT d.evaluator, 'dissented', l.number, NULL, d.dissented_at
        FROM dissent d JOIN agreed_score a ON a.id = d.agreed_score JOIN lot l ON l.id = a.lot
        WHERE l.tender = of_tender
    UNION ALL SELECT k.asked_by, 'asked_about_' || k.about, l.number, NULL, k.asked_at
        FROM bid_question k JOIN lot l ON l.id = k.lot WHERE l.tender = of_tender
    UNION ALL SELECT d.decided_by, 'decided_low_price', l.number, NULL, d.decided_at
        FROM low_price_decision d JOIN lot l ON l.id = d.lot WHERE l.tender = of_tender
    UNION ALL SELECT c.recorded_by, 'verified_winner', l.number, NULL, c.recorded_at
        FROM award_check c JOIN lot l ON l.id = c.lot WHERE l.tender = of_tender
    UNION ALL SELECT q.decided_by, 'decided_quality', l.number, NULL, q.decided_at
        FROM quality_decision q JOIN lot l ON l.id = q.lot WHERE l.tender = of_tender
    UNION ALL SELECT r.ranked_by, 'ranked', l.number, NULL, r.ranked_at
        FROM ranking r JOIN lot l ON l.id = r.lot WHERE l.tender = of_tender AND first_of_round(r)
    UNION ALL SELECT d.recorded_by, 'recorded_drop_out', l.number, NULL, d.recorded_at
        FROM drop_out d JOIN lot l ON l.id = d.lot WHERE l.tender = of_tender
    UNION ALL SELECT r.recommended_by, 'recommended', l.number, NULL, r.recommended_at
        FROM recommendation r JOIN lot l ON l.id = r.lot WHERE l.tender = of_tender
    UNION ALL SELECT a.approver, CASE a.outcome WHEN 'approved' THEN 'approved_award'
            ELSE 'returned_award' END, l.number, NULL, a.decided_at
        FROM approval a JOIN recommendation r ON r.id = a.recommendation
        JOIN lot l ON l.id = r.lot WHERE l.tender = of_tender
    UNION ALL SELECT n.sent_by, 'sent_notices', l.number, NULL, n.sent_at
        FROM award_notice n JOIN lot l ON l.id = n.lot WHERE l.tender = of_tender
    UNION ALL SELECT c.recorded_by, 'recorded_challenge', l.number, NULL, c.recorded_at
        FROM lot_challenge c JOIN lot l ON l.id = c.lot
        WHERE l.tender = of_tender AND c.reference IS NOT NULL
    UNION ALL SELECT e.ended_by, 'decided_challenge', l.number, NULL, e.ended_at
        FROM challenge_end e JOIN lot_challenge c ON c.id = e.challenge JOIN lot l ON l.id = c.lot
        WHERE l.tender = of_tender AND e.outcome <> 'withdrawn'
    UNION ALL SELECT d.disclosed_by, 'disclosed', l.number, NULL, d.disclosed_at
        FROM disclosure_bundle d JOIN lot l ON l.id = d.lot WHERE l.tender = of_tender
    UNION ALL SELECT c.recorded_by, 'made_contract', l.number, NULL, c.made_at
        FROM contract c JOIN lot l ON l.id = c.lot WHERE l.tender = of_tender
    UNION ALL SELECT d.decided_by, 'decided_for_buyer', l.number, NULL, d.decided_at
        FROM buyer_decision d JOIN lot l ON l.id = d.lot WHERE l.tender = of_tender
    UNION ALL SELECT k.set_by, 'set_kpi', l.number, NULL, k.set_at
        FROM kpi k JOIN lot l ON l.id = k.lot WHERE l.tender = of_tender
    UNION ALL SELECT b.recorded_by, 'recorded_baseline', l.number, NULL, b.recorded_at
        FROM outcome_baseline b JOIN lot l ON l.id = b.lot WHERE l.tender = of_tender
    UNION ALL SELECT a.assessed_by, 'assessed_kpi', l.number, NULL, a.assessed_at
        FROM kpi_assessment a JOIN kpi k ON k.id = a.kpi JOIN lot l ON l.id = k.lot
        WHERE l.tender = of_tender
    UNION ALL SELECT p.published_by, 'published_kpis', l.number, NULL, p.published_at
        FROM kpi_publication p JOIN lot l ON l.id = p.lot WHERE l.tender = of_tender
    UNION ALL SELECT h.recorded_by, 'changed_contract', l.number, NULL, h.recorded_at
        FROM contract_change h JOIN contract c ON c.id = h.contract JOIN lot l ON l.id = c.lot
        WHERE l.tender = of_tender
    UNION ALL SELECT m.set_by, 'set_milestone', l.number, NULL, m.set_at
        FROM milestone m JOIN contract c ON c.id = m.contract JOIN lot l ON l.id = c.lot
        WHERE l.tender = of_tender
    UNION ALL SELECT d.recorded_by, 'met_milestone', l.number, NULL, d.recorded_at
        FROM milestone_met d JOIN milestone m ON m.id = d.milestone
        JOIN contract c ON c.id = m.contract JOIN lot l ON l.id = c.lot WHERE l.tender = of_tender
    UNION ALL SELECT r.reviewed_by, 'reviewed_outcome', l.number, NULL, r.reviewed_at
        FROM outcome_review r JOIN lot l ON l.id = r.lot WHERE l.tender = of_tender
    UNION ALL SELECT e.granted_by, 'granted_exemption', NULL, NULL, e.granted_at
        FROM exemption e WHERE e.tender = of_tender
    UNION ALL SELECT r.revoked_by, 'revoked_exemption', NULL, NULL, r.revoked_at
        FROM exemption_revocation r JOIN exemption e ON e.id = r.exemption
        WHERE e.tender = of_tender
    UNION ALL SELECT c.decided_by, 'decided_conflict', NULL, NULL, c.decided_at
        FROM conflict_decision c WHERE c.tender = of_tender
$$;

CREATE FUNCTION assurance_acts(of_tender uuid)
RETURNS TABLE (person uuid, name text, act text, lot integer, numbers integer[], times integer,
               first_at timestamptz, last_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.person, p.name, a.act, a.lot,
        coalesce(array_agg(a.number ORDER BY a.number) FILTER (WHERE a.number IS NOT NULL), '{}'),
        count(*)::integer, min(a.at), max(a.at)
    FROM assurance_reader(of_tender) r CROSS JOIN acts_in(of_tender) a
    JOIN person p ON p.id = a.person
    WHERE a.act <> 'decided_conflict' OR r.names_bidders OR r.told
    GROUP BY a.person, p.name, a.act, a.lot
$$;

-- -- duties ---------------------------------------------------------------------------------------

CREATE FUNCTION exempted_at(of_tender uuid, holder uuid, first_duty text, second_duty text,
                            moment timestamptz)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM exemption e WHERE e.tender = of_tender AND e.person = holder
        AND e.one = least(first_duty, second_duty) AND e.other = greatest(first_duty, second_duty)
        AND e.granted_at <= moment AND e.expires_at > moment
        AND NOT EXISTS (SELECT 1 FROM exemption_revocation r
                        WHERE r.exemption = e.id AND r.revoked_at <= moment))
$$;

-- Why a duty was suspended at a moment, or NULL where it was not: `duty_standing`, but for any time.
-- Who was removed by a decision is left out unless asked for, since before the opening it tells of
-- bidders.
CREATE FUNCTION suspended_at(held duty, moment timestamptz, with_decisions boolean) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = held.person
                AND m.organisation = held.organisation AND m.started_at <= moment
                AND (m.ended_at IS NULL OR m.ended_at > moment))
            THEN 'membership_ended'
        WHEN EXISTS (SELECT 1 FROM duty o JOIN duty_default f
                ON f.one = held.duty AND f.other = o.duty
                WHERE o.tender = held.tender AND o.person = held.person AND o.assigned_at <= moment
                AND NOT exempted_at(held.tender, held.person, held.duty, o.duty, moment))
            THEN 'exemption_missing'
        WHEN is_award_duty(held.duty) AND NOT EXISTS (
                SELECT 1 FROM tender_buyer b LEFT JOIN award_delegation g
                    ON g.delegator = b.organisation AND g.delegate = held.organisation
                    AND g.recorded_at <= moment
                    AND (moment AT TIME ZONE 'Europe/London')::date BETWEEN g.starts_on AND g.ends_on
                    AND NOT EXISTS (SELECT 1 FROM award_delegation_ending n
                                    WHERE n.delegation = g.id AND n.ended_at <= moment)
                WHERE b.tender = held.tender
                  AND (b.organisation = held.organisation OR g.id IS NOT NULL))
            THEN 'delegation_missing'
        WHEN with_decisions AND EXISTS (SELECT 1 FROM conflict_decision c
                WHERE c.tender = held.tender AND c.person = held.person AND c.outcome = 'removed'
                AND c.decided_at <= moment)
            THEN 'removed' END
$$;

-- When a duty was taken up: by the first declaration after it was given; authorship by the edit.
CREATE FUNCTION taken_up_at(held duty) RETURNS timestamptz LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN held.duty = 'author' AND held.assigned_by = held.person THEN held.assigned_at
        ELSE (SELECT min(x.declared_at) FROM duty_declaration x WHERE x.tender = held.tender
              AND x.person = held.person AND x.declared_at >= held.assigned_at) END
$$;

CREATE FUNCTION assurance_duties(of_tender uuid)
RETURNS TABLE (person uuid, name text, duty text, organisation uuid, organisation_name text,
    given_at timestamptz, given_by_name text, taken_up_at timestamptz, released_at timestamptz,
    suspended_because text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person, p.name, d.duty, d.organisation, o.name, d.assigned_at, g.name, taken_up_at(d),
        d.released_at, CASE WHEN d.released_at IS NULL
                       THEN suspended_at(d, market_now(), r.names_bidders OR r.told) END
    FROM assurance_reader(of_tender) r CROSS JOIN duty d JOIN person p ON p.id = d.person
    JOIN organisation o ON o.id = d.organisation LEFT JOIN person g ON g.id = d.assigned_by
    WHERE d.tender = of_tender
$$;

-- -- declarations and decisions -------------------------------------------------------------------

-- Of bidders the public learns those alone who won a lot.
CREATE FUNCTION shown_bidder(of_tender uuid, of_bidder uuid, everyone boolean) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT of_bidder WHERE everyone OR EXISTS (
        SELECT 1 FROM award a JOIN standstill s ON s.award = a.id JOIN bid b ON b.id = a.bid
        WHERE b.tender = of_tender AND b.organisation = of_bidder)
$$;

CREATE FUNCTION assurance_duty_declarations(of_tender uuid)
RETURNS TABLE (person uuid, statement text, details text, declared_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person, d.statement, CASE WHEN r.reads_registers THEN d.details END, d.declared_at
    FROM assurance_reader(of_tender) r CROSS JOIN duty_declaration d WHERE d.tender = of_tender
$$;

CREATE FUNCTION assurance_declarations(of_tender uuid)
RETURNS TABLE (person uuid, bidder uuid, interest text, details text, declared_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person, shown_bidder(of_tender, d.bidder, r.names_bidders), d.interest,
        CASE WHEN r.names_bidders THEN d.details END, d.declared_at
    FROM assurance_reader(of_tender) r CROSS JOIN declaration d
    WHERE d.tender = of_tender AND (r.names_bidders OR r.told)
$$;

CREATE FUNCTION assurance_decisions(of_tender uuid)
RETURNS TABLE (person uuid, bidder uuid, outcome text, reason text, mitigation text,
               decided_by_name text, decided_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.person, shown_bidder(of_tender, c.bidder, r.names_bidders), c.outcome,
        CASE WHEN r.names_bidders THEN c.reason END, c.mitigation, g.name, c.decided_at
    FROM assurance_reader(of_tender) r CROSS JOIN conflict_decision c
    JOIN person g ON g.id = c.decided_by
    WHERE c.tender = of_tender AND (r.names_bidders OR r.told)
$$;

-- Entries in the register of interests that counted here. Guardian and auditors read all; others
-- what the public register would show: by consent, as it stands, until six months after its end.
CREATE FUNCTION assurance_interests(of_tender uuid)
RETURNS TABLE (person uuid, kind text, relationship text, counterparty text, withheld boolean,
    starts_on date, ends_on date, declared_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT h.person, CASE WHEN seen THEN i.kind END, CASE WHEN seen THEN i.relationship END,
        CASE WHEN seen THEN i.counterparty END, NOT seen, CASE WHEN seen THEN i.starts_on END,
        CASE WHEN seen THEN coalesce(e.ended_on, i.ends_on) END, i.declared_at
    FROM assurance_reader(of_tender) r
    CROSS JOIN (SELECT DISTINCT d.person FROM duty d WHERE d.tender = of_tender) h
    CROSS JOIN LATERAL interests_counted(h.person, of_tender) i
    LEFT JOIN interest_ending e ON e.interest = i.id
    LEFT JOIN consent_decision c ON c.interest = i.id
    CROSS JOIN LATERAL (SELECT r.reads_registers OR i.consents
                               OR coalesce(NOT c.withhold, false) AS seen) s
    WHERE r.reads_registers OR NOT EXISTS (SELECT 1 FROM interest l WHERE l.supersedes = i.id)
      AND coalesce(public_until(coalesce(e.ended_on, i.ends_on)) >= register_day(market_now()), true)
$$;

-- -- refusals -------------------------------------------------------------------------------------

-- Refusals recorded in the tender: to those inside as the record shows them; to the public, what was
-- refused and to whom of those with a duty, without its reason in words.
CREATE FUNCTION assurance_refusals(of_tender uuid)
RETURNS TABLE (person uuid, name text, operation text, refusal text, reason text, times integer,
    first_at timestamptz, last_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT named.person, named.name, e.details ->> 'operation', e.details ->> 'refusal',
        CASE WHEN r.inside THEN v.details ->> 'reason' END AS reason, count(*)::integer,
        min(e.occurred_at), max(e.occurred_at)
    FROM assurance_reader(of_tender) r CROSS JOIN event e
    LEFT JOIN event_private v ON v.event = e.id
    LEFT JOIN LATERAL (
        SELECT p.id AS person, p.name FROM person p WHERE p.id = e.person AND (r.inside OR EXISTS (
            SELECT 1 FROM duty d WHERE d.tender = of_tender AND d.person = p.id))) named ON true
    WHERE e.tender = of_tender AND e.action = 'request.refused'
      AND (r.told AND NOT r.inside
           OR r.inside AND NOT withholds_event(of_tender, e.organisation, e.action, e.occurred_at))
    GROUP BY named.person, named.name, 3, 4, 5
$$;

GRANT EXECUTE ON FUNCTION assurance_reader(uuid), assurance_acts(uuid), assurance_duties(uuid),
    assurance_duty_declarations(uuid), assurance_declarations(uuid), assurance_decisions(uuid),
    assurance_interests(uuid), assurance_refusals(uuid) TO market_app;
