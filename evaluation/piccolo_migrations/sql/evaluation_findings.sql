-- What should not be: pairs of duties that nobody may hold, acts without a duty that was in force,
-- acts by those who had not declared or had an interest, bidders who helped. All of it is computed
-- from rows and times again, whatever the guards were when the rows came.

-- -- who stood where, and since when --------------------------------------------------------------

-- The nodes at which a person stands, as `serves` and `stands_at` find them, with when the market
-- came to know of it and how long it lasted.
CREATE FUNCTION where_stood(holder uuid, of_tender uuid)
RETURNS TABLE (party uuid, kind text, through text, service boolean, known_at timestamptz,
               starts_at timestamptz, ends_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT unnest(parties_of(m.organisation, NULL, NULL)), 'membership', o.name, true,
        m.started_at, m.started_at, m.ended_at
    FROM membership m JOIN organisation o ON o.id = m.organisation
    WHERE m.person = holder AND (m.ended_at IS NULL OR m.ended_at >=
            (SELECT published_at FROM tender WHERE id = of_tender))
      AND NOT EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = of_tender
                      AND b.organisation = m.organisation)
    UNION ALL
    SELECT unnest(parties_of(i.organisation, i.scheme, i.identifier)), i.kind, i.counterparty,
        i.kind <> 'indirect' AND i.relationship IN ('employee', 'director', 'member'),
        i.declared_at, i.starts_on::timestamp AT TIME ZONE 'Europe/London',
        (least(e.ended_on, i.ends_on) + 1)::timestamp AT TIME ZONE 'Europe/London'
    FROM interests_counted(holder, of_tender) i LEFT JOIN interest_ending e ON e.interest = i.id
    UNION ALL
    SELECT p.party, 'ownership', n.name, false, p.stated_at, NULL, p.ended_at
    FROM tender t, ownership_person p JOIN ownership_party n ON n.id = p.party
    WHERE t.id = of_tender AND p.person = holder
      AND (p.ended_at IS NULL OR p.ended_at >= t.published_at)
    UNION ALL
    SELECT l.subject, 'directorship', n.name, true, greatest(p.stated_at, l.recorded_at),
        l.starts_on::timestamp AT TIME ZONE 'Europe/London', least(p.ended_at, l.superseded_at,
            (l.ends_on + 1)::timestamp AT TIME ZONE 'Europe/London')
    FROM tender t, ownership_person p
    JOIN ownership_link l ON l.holder = p.party AND l.kind = 'directorship'
    JOIN ownership_party n ON n.id = l.subject
    WHERE t.id = of_tender AND p.person = holder
      AND (p.ended_at IS NULL OR p.ended_at >= t.published_at)
      AND (l.superseded_at IS NULL OR l.superseded_at >= t.published_at)
      AND (l.ends_on IS NULL OR l.ends_on >= (t.published_at AT TIME ZONE 'Europe/London')::date)
$$;

-- Since when links of ownership lead from a node to one of others, for the market to know: the first
-- moment at which the links recorded by then are enough. NULL where nothing leads there.
CREATE FUNCTION connected_since(origin uuid, known_at timestamptz, named uuid[])
RETURNS timestamptz LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE moment timestamptz;
BEGIN
    IF origin = ANY (named) THEN
        RETURN known_at;
    ELSIF NOT EXISTS (SELECT 1 FROM connected_parties(ARRAY[origin], named, most_links())) THEN
        RETURN NULL;
    END IF;
    FOR moment IN
        SELECT DISTINCT greatest(l.recorded_at, known_at)
        FROM links_between(ARRAY[origin], named, most_links()) l ORDER BY 1
    LOOP
        IF EXISTS (
            WITH RECURSIVE edge AS MATERIALIZED (
                SELECT l.holder AS one, l.subject AS other
                FROM links_between(ARRAY[origin], named, most_links()) l
                WHERE l.recorded_at <= moment
            ), reached (party, links) AS (
                SELECT origin, 0
                UNION
                SELECT CASE e.one WHEN r.party THEN e.other ELSE e.one END, r.links + 1
                FROM reached r JOIN edge e ON r.party IN (e.one, e.other)
                WHERE r.links < most_links()
            )
            SELECT 1 FROM reached r WHERE r.party = ANY (named)) THEN
            RETURN moment;
        END IF;
    END LOOP;
    RETURN known_at;
END $$;

-- What connects a person with the bidders, each with when it was known: `conflicts_of`, one by one.
-- `finding` is what the market found it by. What the person is in a bidder nobody can excuse.
CREATE FUNCTION connections_of(candidate uuid, of_tender uuid)
RETURNS TABLE (bidder uuid, finding text, kind text, through text, excusable boolean,
               known_at timestamptz, starts_at timestamptz, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH stood AS MATERIALIZED (
        SELECT DISTINCT s.* FROM where_stood(candidate, of_tender) s
    ), bidding AS MATERIALIZED (
        SELECT b.organisation, bidder_parties(of_tender, b.organisation, true) AS named,
            ARRAY(SELECT group_parties(bidder_parties(of_tender, b.organisation, false))) AS grouped
        FROM (SELECT DISTINCT organisation FROM standing_bids(of_tender)) b
        WHERE EXISTS (SELECT 1 FROM stood)
    )
    SELECT d.bidder, 'declared', d.interest, NULL, true, d.declared_at, NULL, NULL
    FROM declaration d
    WHERE d.tender = of_tender AND d.person = candidate AND d.interest <> 'none'
    UNION ALL
    SELECT f.organisation, f.finding, f.kind, f.through, f.finding <> 'service', f.known_at,
        f.starts_at, f.ends_at
    FROM (
        SELECT b.organisation, s.kind, s.through, s.starts_at, s.ends_at,
            CASE WHEN s.service AND s.party = ANY (b.grouped) THEN 'service'
                 WHEN s.party = ANY (b.named) THEN 'registered' ELSE 'connected' END AS finding,
            CASE WHEN s.service AND s.party = ANY (b.grouped) THEN s.known_at
                 ELSE connected_since(s.party, s.known_at, b.named) END AS known_at
        FROM bidding b CROSS JOIN stood s
    ) f WHERE f.known_at IS NOT NULL
$$;

CREATE FUNCTION assurance_connections(of_tender uuid)
RETURNS TABLE (person uuid, bidder uuid, finding text, kind text, through text,
               known_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT h.person, shown_bidder(of_tender, c.bidder, r.names_bidders), c.finding,
        c.kind, CASE WHEN r.reads_registers AND r.names_bidders THEN c.through END, c.known_at
    FROM assurance_reader(of_tender) r
    CROSS JOIN (SELECT DISTINCT d.person FROM duty d WHERE d.tender = of_tender) h
    CROSS JOIN LATERAL connections_of(h.person, of_tender) c
    WHERE (r.names_bidders OR r.told) AND c.finding <> 'declared'
$$;

-- -- what should not be ---------------------------------------------------------------------------

-- The duty that an act takes. Whoever edits is an author, whatever else they are.
CREATE FUNCTION duty_of_act(act text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN act = 'wrote' THEN 'author'
        WHEN act IN ('approved_requirement', 'returned_requirement') THEN 'reviewer'
        WHEN act IN ('confirmed_opening', 'opened_quality') THEN 'opener'
        WHEN act IN ('scored', 'locked_scores', 'dissented') THEN 'quality_evaluator'
        WHEN act IN ('moderated', 'decided_quality', 'recommended') THEN 'moderator'
        WHEN act IN ('opened_price', 'asked_about_price', 'asked_about_low_price',
            'ranked') THEN 'price_evaluator'
        WHEN act IN ('approved_award', 'returned_award', 'decided_for_buyer') THEN 'award_approver'
        WHEN act IN ('published', 'amended', 'gave_duty', 'set_panel', 'asked_about_quality',
            'decided_low_price', 'recorded_drop_out', 'verified_winner', 'sent_notices',
            'recorded_challenge', 'disclosed') THEN 'tender_manager'
        WHEN act IN ('granted_exemption', 'revoked_exemption', 'decided_conflict',
            'decided_challenge') THEN 'guardian'
        WHEN act = 'reviewed_outcome' THEN 'outcome_reviewer'
        WHEN act IN ('made_contract', 'set_kpi', 'recorded_baseline', 'assessed_kpi',
            'published_kpis', 'changed_contract', 'set_milestone', 'met_milestone')
            THEN 'contract_manager' END
$$;

-- Every duty that somebody was given or, whatever they were given, exercised, since when.
CREATE FUNCTION duties_exercised(of_tender uuid)
RETURNS TABLE (person uuid, duty text, since timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.person, f.duty, min(f.since) FROM (
        SELECT d.person, d.duty, d.assigned_at AS since FROM duty d WHERE d.tender = of_tender
        UNION ALL
        SELECT a.person, duty_of_act(a.act), a.at FROM acts_in(of_tender) a
        WHERE duty_of_act(a.act) IS NOT NULL) f
    GROUP BY f.person, f.duty
$$;

-- Pairs on the floor that one person ever held, and those by default without an exemption that
-- covered the moment at which the second duty was given.
CREATE FUNCTION forbidden_pairs(of_tender uuid)
RETURNS TABLE (kind text, person uuid, one text, other text, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS MATERIALIZED (SELECT * FROM duties_exercised(of_tender))
    SELECT 'floor_pair', h.person, h.duty, o.duty, greatest(h.since, o.since)
    FROM held h JOIN held o ON o.person = h.person AND h.duty < o.duty
    JOIN duty_floor f ON f.one = h.duty AND f.other = o.duty
    UNION ALL
    SELECT 'default_pair', h.person, h.duty, o.duty, greatest(h.since, o.since)
    FROM held h JOIN held o ON o.person = h.person AND h.duty < o.duty
    JOIN duty_default f ON f.one = h.duty AND f.other = o.duty
    WHERE NOT exempted_at(of_tender, h.person, h.duty, o.duty, greatest(h.since, o.since))
$$;

-- Acts of those whose duty it was not then: never given or released before, not taken up by a
-- declaration, or suspended. A draft is written by its manager too, who becomes an author by it.
CREATE FUNCTION acts_out_of_duty(of_tender uuid)
RETURNS TABLE (kind text, person uuid, act text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT judged.kind, judged.person, judged.act, judged.at FROM (
        SELECT a.person, a.act, a.at, CASE
            WHEN a.act = 'wrote' AND NOT EXISTS (
                SELECT 1 FROM duty d WHERE d.tender = of_tender AND d.person = a.person
                AND d.duty = 'author')
              OR count(h.duty) = 0 THEN 'acted_without_duty'
            WHEN NOT coalesce(bool_or(h.declared), false) THEN 'acted_before_declaring'
            WHEN NOT bool_or(h.declared AND h.sound) THEN 'acted_while_suspended' END AS kind
        FROM acts_in(of_tender) a LEFT JOIN LATERAL (
            SELECT d.duty, coalesce(taken_up_at(d) <= a.at, false) AS declared,
                suspended_at(d, a.at, true) IS NULL AS sound
            FROM duty d WHERE d.tender = of_tender AND d.person = a.person
              AND (d.duty = duty_of_act(a.act) OR a.act = 'wrote' AND d.duty = 'tender_manager')
              AND d.assigned_at <= a.at AND (d.released_at IS NULL OR d.released_at > a.at)) h ON true
        WHERE duty_of_act(a.act) IS NOT NULL
        GROUP BY a.person, a.act, a.lot, a.number, a.at) judged
    WHERE judged.kind IS NOT NULL
$$;

-- Acts for which nobody may have an interest in a bidder: from the names on, and once the bids are
-- open what managers and guardians do besides.
CREATE FUNCTION acts_on_bids(of_tender uuid)
RETURNS TABLE (person uuid, act text, at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.person, a.act, a.at FROM acts_in(of_tender) a, tender t
    WHERE t.id = of_tender AND (a.act IN ('confirmed_opening', 'opened_quality', 'opened_price',
        'scored', 'locked_scores', 'dissented', 'asked_about_quality', 'asked_about_price',
        'asked_about_low_price', 'decided_low_price', 'moderated', 'decided_quality', 'ranked',
        'recorded_drop_out', 'verified_winner', 'recommended', 'approved_award', 'returned_award',
        'sent_notices', 'disclosed', 'made_contract', 'decided_conflict', 'recorded_challenge',
        'decided_challenge', 'decided_for_buyer', 'set_kpi', 'recorded_baseline', 'assessed_kpi',
        'published_kpis', 'changed_contract', 'set_milestone', 'met_milestone', 'reviewed_outcome')
        OR a.act IN ('gave_duty', 'set_panel', 'granted_exemption', 'revoked_exemption')
           AND a.at >= t.opened_at)
$$;

-- Such acts of those who had not declared against every bidder, or whose interest in one, known
-- then, the guardian had not decided to leave without consequence.
CREATE FUNCTION acts_on_bids_amiss(of_tender uuid)
RETURNS TABLE (kind text, person uuid, act text, bidder uuid, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH done AS MATERIALIZED (SELECT * FROM acts_on_bids(of_tender)
    ), bidding AS MATERIALIZED (
        SELECT DISTINCT s.organisation FROM standing_bids(of_tender) s
    ), connection AS MATERIALIZED (
        SELECT p.person, c.* FROM (SELECT DISTINCT person FROM done) p
        CROSS JOIN LATERAL connections_of(p.person, of_tender) c
    )
    SELECT 'acted_undeclared', a.person, a.act, NULL::uuid, a.at FROM done a
    WHERE EXISTS (SELECT 1 FROM bidding b WHERE NOT EXISTS (
        SELECT 1 FROM declaration d WHERE d.tender = of_tender AND d.person = a.person
        AND d.bidder = b.organisation AND d.declared_at <= a.at))
    UNION ALL
    SELECT DISTINCT 'acted_with_interest', a.person, a.act, c.bidder, a.at
    FROM done a JOIN connection c ON c.person = a.person AND c.known_at <= a.at
    LEFT JOIN LATERAL (
        SELECT x.outcome, x.decided_at FROM conflict_decision x WHERE x.tender = of_tender
        AND x.person = a.person AND x.bidder = c.bidder AND x.decided_at <= a.at
        ORDER BY x.decided_at DESC, x.id LIMIT 1) decision ON true
    WHERE NOT (c.excusable AND decision.outcome IS NOT DISTINCT FROM 'no_action'
               AND decision.decided_at >= c.known_at)
$$;

-- People who held a duty while they were a member, employee or director of a bidder or its group:
-- known or not, and whether or not they did anything in it. What came after the last contract, or
-- after the duty was released, is another matter.
CREATE FUNCTION members_of_bidders(of_tender uuid)
RETURNS TABLE (person uuid, duty text, bidder uuid, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS MATERIALIZED (
        SELECT f.person, f.duty, min(f.since) AS since, max(f.until) AS until FROM (
            SELECT d.person, d.duty, d.assigned_at AS since,
                coalesce(d.released_at, (
                    SELECT max(c.made_at) FROM contract c JOIN lot l ON l.id = c.lot
                    WHERE l.tender = of_tender AND NOT EXISTS (
                        SELECT 1 FROM lot o WHERE o.tender = of_tender
                        AND o.stage NOT IN ('contracted', 'abandoned'))),
                    t.abandoned_at, 'infinity') AS until
            FROM duty d JOIN tender t ON t.id = d.tender WHERE d.tender = of_tender
            UNION ALL
            SELECT a.person, duty_of_act(a.act), a.at, a.at FROM acts_in(of_tender) a
            WHERE duty_of_act(a.act) IS NOT NULL) f
        GROUP BY f.person, f.duty
    )
    SELECT h.person, h.duty, c.bidder, min(greatest(h.since, c.starts_at))
    FROM held h JOIN (
        SELECT p.person, c.* FROM (SELECT DISTINCT person FROM held) p
        CROSS JOIN LATERAL connections_of(p.person, of_tender) c WHERE c.finding = 'service'
    ) c ON c.person = h.person AND coalesce(c.starts_at, '-infinity') < h.until
       AND coalesce(c.ends_at, 'infinity') > h.since
    GROUP BY h.person, h.duty, c.bidder
$$;

-- Bidders, leads and participants, that buy in the tender or had people in it, or whose group does.
CREATE FUNCTION helpers_that_bid(of_tender uuid)
RETURNS TABLE (bidder uuid, participant text, helper uuid) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT c.bidder, c.participant, h.organisation
    FROM (
        SELECT s.organisation AS bidder, NULL::text AS participant,
            ARRAY(SELECT group_parties(parties_of(s.organisation, NULL, NULL))) AS grouped
        FROM standing_bids(of_tender) s
        UNION ALL
        SELECT s.organisation, p.name,
            ARRAY(SELECT group_parties(parties_of(p.organisation, p.scheme, p.identifier)))
        FROM standing_bids(of_tender) s JOIN bid_participant p ON p.bid_version = s.bid_version
    ) c JOIN (
        SELECT d.organisation FROM duty d WHERE d.tender = of_tender
        UNION SELECT b.organisation FROM tender_buyer b WHERE b.tender = of_tender
    ) h ON parties_of(h.organisation, NULL, NULL) && c.grouped
$$;

-- All of it in one list, with what tells of bidders left out until it may be known.
CREATE FUNCTION assurance_findings(of_tender uuid)
RETURNS TABLE (kind text, person uuid, name text, duties text[], act text, bidder uuid,
               participant text, helper_name text, times integer, first_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH reader AS MATERIALIZED (
        SELECT r.*, r.names_bidders OR r.told AS shows FROM assurance_reader(of_tender) r
    ), found AS (
        SELECT f.kind, f.person, ARRAY[f.one, f.other] AS duties, NULL AS act, NULL::uuid AS bidder,
            NULL AS participant, NULL::uuid AS helper, 1 AS times, f.since AS first_at
        FROM reader CROSS JOIN forbidden_pairs(of_tender) f
        UNION ALL
        SELECT f.kind, f.person, ARRAY[duty_of_act(f.act)], f.act, NULL, NULL, NULL,
            count(*)::integer, min(f.at)
        FROM reader CROSS JOIN acts_out_of_duty(of_tender) f
        WHERE reader.shows OR f.act <> 'decided_conflict'
        GROUP BY f.kind, f.person, f.act
        UNION ALL
        SELECT f.kind, f.person, ARRAY[duty_of_act(f.act)], f.act, f.bidder, NULL, NULL,
            count(*)::integer, min(f.at)
        FROM reader CROSS JOIN acts_on_bids_amiss(of_tender) f WHERE reader.shows
        GROUP BY f.kind, f.person, f.act, f.bidder
        UNION ALL
        SELECT 'member_of_bidder', f.person, array_agg(f.duty ORDER BY f.duty), NULL, f.bidder,
            NULL, NULL, (SELECT count(*)::integer FROM acts_on_bids(of_tender) a
                         WHERE a.person = f.person AND a.at >= min(f.since)), min(f.since)
        FROM reader CROSS JOIN members_of_bidders(of_tender) f WHERE reader.shows
        GROUP BY f.person, f.bidder
        UNION ALL
        SELECT 'helper_bid', NULL, '{}', NULL, f.bidder, f.participant, f.helper, 1, NULL
        FROM reader CROSS JOIN helpers_that_bid(of_tender) f WHERE reader.shows
    )
    SELECT f.kind, f.person, p.name, f.duties, f.act,
        shown_bidder(of_tender, f.bidder, reader.names_bidders),
        CASE WHEN reader.names_bidders THEN f.participant END, h.name, f.times, f.first_at
    FROM reader CROSS JOIN found f LEFT JOIN person p ON p.id = f.person
    LEFT JOIN organisation h ON h.id = f.helper
$$;

-- How much was looked at, so that "nothing was found" says in how much.
CREATE FUNCTION assurance_counts(of_tender uuid)
RETURNS TABLE (people integer, duties integer, pairs integer, acts integer, bidders integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS MATERIALIZED (SELECT * FROM duties_exercised(of_tender)),
    done AS MATERIALIZED (SELECT * FROM acts_in(of_tender))
    SELECT (SELECT count(DISTINCT person)::integer FROM (
                SELECT person FROM held UNION SELECT person FROM done) everybody),
        (SELECT count(*)::integer FROM held),
        (SELECT count(*)::integer FROM held h JOIN held o
            ON o.person = h.person AND h.duty < o.duty),
        (SELECT count(*)::integer FROM done a WHERE duty_of_act(a.act) IS NOT NULL
            AND (a.act <> 'decided_conflict' OR r.names_bidders OR r.told)),
        CASE WHEN r.names_bidders OR r.told THEN (
            SELECT count(DISTINCT s.organisation)::integer FROM standing_bids(of_tender) s) END
    FROM assurance_reader(of_tender) r
$$;

GRANT EXECUTE ON FUNCTION assurance_connections(uuid), assurance_findings(uuid),
    assurance_counts(uuid) TO market_app;
