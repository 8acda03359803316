-- Who bids, without content, and what connects a person with a bidder: membership, employment, a
-- declaration, the register of interests, and links of ownership between companies.

-- -- who bids ------------------------------------------------------------------------------------

-- The last version before the deadline, where it is a submission, is what stands; from the deadline
-- on without those that were not confirmed after a material amendment, and without variants whose
-- main bid does not stand.
CREATE FUNCTION standing_bids(of_tender uuid)
RETURNS TABLE (bid uuid, lot uuid, organisation uuid, bid_version uuid) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.id, b.lot, b.organisation, v.id FROM bid b JOIN tender t ON t.id = b.tender
    JOIN LATERAL (SELECT id, act FROM bid_version WHERE bid = b.id
                  ORDER BY number DESC LIMIT 1) v ON v.act = 'submitted'
    WHERE b.tender = of_tender AND (t.deadline > market_now()
        OR (t.material_amendment IS NULL OR NOT needs_confirmation(b.id))
           AND (b.variant = 0 OR NOT lacks_main_bid(b.id)))
$$;

-- The nodes of the ownership graph at which somebody is found, however they were named.
CREATE FUNCTION parties_of(named uuid, of_scheme text, of_identifier text) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT p.party FROM parties_of_each(
        ARRAY[named], ARRAY[of_scheme], ARRAY[of_identifier]) p ORDER BY p.party);
END $$;

-- The nodes of every bidder of a tender: those who bid (the lead and members of its consortium), and
-- everybody who takes part, subcontractors included.
CREATE FUNCTION bidding_parties(of_tender uuid)
RETURNS TABLE (bidder uuid, party uuid, bids boolean) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    WITH standing AS MATERIALIZED (SELECT * FROM standing_bids(of_tender)),
    named AS MATERIALIZED (
        SELECT n.*, row_number() OVER () AS place FROM (
            SELECT s.organisation AS bidder, s.organisation, NULL::text AS scheme,
                   NULL::text AS identifier, true AS bids FROM standing s
            UNION
            SELECT s.organisation, p.organisation, p.scheme, p.identifier,
                   p.role = 'consortium_member'
            FROM standing s JOIN bid_participant p ON p.bid_version = s.bid_version) n
    )
    SELECT n.bidder, f.party, bool_or(n.bids) FROM named n
    JOIN parties_of_each(
        ARRAY(SELECT m.organisation FROM named m ORDER BY m.place),
        ARRAY(SELECT m.scheme::text FROM named m ORDER BY m.place),
        ARRAY(SELECT m.identifier::text FROM named m ORDER BY m.place)) f ON f.place = n.place
    GROUP BY n.bidder, f.party;
END $$;

-- The nodes of one bidder.
CREATE FUNCTION bidder_parties(of_tender uuid, of_bidder uuid, subcontractors boolean) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT p.party), '{}') FROM bidding_parties(of_tender) p
    WHERE p.bidder = of_bidder AND (subcontractors OR p.bids)
$$;

-- -- helpers do not bid ---------------------------------------------------------------------------

-- Whether a party, or its group, buys in a tender or has people with a duty in it.
CREATE FUNCTION helps_to_run(candidates uuid[], of_tender uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    helpers uuid[] := ARRAY(
        SELECT d.organisation FROM duty d WHERE d.tender = of_tender
        UNION SELECT b.organisation FROM tender_buyer b WHERE b.tender = of_tender);
BEGIN
    RETURN EXISTS (SELECT p.party FROM parties_of_each(helpers, '{}', '{}') p
                   INTERSECT SELECT group_parties(candidates));
END $$;

-- The same of an organisation. One that no statement of ownership names is nobody but itself, and
-- most are, so that this costs a bid one look.
CREATE FUNCTION organisation_helps_to_run(candidate uuid, of_tender uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE helps boolean;
BEGIN
    SELECT CASE WHEN NOT EXISTS (SELECT FROM ownership_party WHERE id = candidate)
        AND NOT EXISTS (SELECT FROM organisation_identifier o JOIN ownership_identifier p
                        ON p.scheme = o.scheme AND p.identifier = o.identifier
                        WHERE o.organisation = candidate)
        THEN EXISTS (SELECT FROM duty WHERE tender = of_tender AND organisation = candidate)
            OR EXISTS (SELECT FROM tender_buyer
                       WHERE tender = of_tender AND organisation = candidate) END INTO helps;
    RETURN coalesce(helps, helps_to_run(parties_of(candidate, NULL, NULL), of_tender));
END $$;

-- The same of the organisation one acts for, before it makes a bid.
CREATE FUNCTION i_help_to_run(of_tender uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN organisation_helps_to_run(acting_organisation(), of_tender);
END $$;

-- Whether somebody belongs to an admitted supplier, or to an organisation of its group.
CREATE FUNCTION belongs_to_any_supplier(candidate uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM membership m CROSS JOIN LATERAL (
            SELECT g AS party FROM group_parties(parties_of(m.organisation, NULL, NULL)) g
        ) near
        LEFT JOIN ownership_identifier o ON o.party = near.party
        LEFT JOIN organisation_identifier i
            ON i.scheme = o.scheme AND i.identifier = o.identifier
        WHERE m.person = candidate AND m.ended_at IS NULL
          AND (is_admitted_supplier(near.party) OR is_admitted_supplier(i.organisation)))
$$;

-- -- interests ------------------------------------------------------------------------------------

-- Those entered in the register and not over.
CREATE FUNCTION interests_in_force(holder uuid) RETURNS SETOF interest
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.* FROM interest i LEFT JOIN interest_ending e ON e.interest = i.id
    WHERE i.person = holder
      AND NOT EXISTS (SELECT 1 FROM interest later WHERE later.supersedes = i.id)
      AND coalesce(e.ended_on, i.ends_on, 'infinity')
          >= (market_now() AT TIME ZONE 'Europe/London')::date
$$;

-- Those that count in a tender: in force at its publication or within the six months before it. What
-- was taken out or corrected after publication still counts: no entry in the
-- register ever lets somebody back in.
CREATE FUNCTION interests_counted(holder uuid, of_tender uuid) RETURNS SETOF interest
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.* FROM interest i
    JOIN tender t ON t.id = of_tender
    LEFT JOIN interest_ending e ON e.interest = i.id
    WHERE i.person = holder
      AND NOT EXISTS (SELECT 1 FROM interest later WHERE later.supersedes = i.id
                      AND later.declared_at < t.published_at)
      AND (least(e.ended_on, i.ends_on) IS NULL OR e.recorded_at >= t.published_at
           OR least(e.ended_on, i.ends_on)
              >= (t.published_at AT TIME ZONE 'Europe/London')::date - interval '6 months')
$$;

-- How many links of ownership may lie between an interest and a bidder.
CREATE FUNCTION most_links() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 6 $$;

-- The nodes at which a person stands by what they are: member, employee or director. A membership
-- counts where it lasted into the time since publication.
CREATE FUNCTION serves(holder uuid, of_tender uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT party), '{}') FROM (
        SELECT unnest(parties_of(m.organisation, NULL, NULL)) AS party FROM membership m
        WHERE m.person = holder AND (m.ended_at IS NULL OR m.ended_at >=
            (SELECT published_at FROM tender WHERE id = of_tender))
          AND NOT EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = of_tender
                          AND b.organisation = m.organisation)
        UNION SELECT unnest(parties_of(i.organisation, i.scheme, i.identifier))
        FROM interests_counted(holder, of_tender) i
        WHERE i.kind <> 'indirect' AND i.relationship IN ('employee', 'director', 'member')
        UNION SELECT l.subject FROM tender t, ownership_person p
        JOIN ownership_link l ON l.holder = p.party AND l.kind = 'directorship'
        WHERE t.id = of_tender AND p.person = holder
          AND (p.ended_at IS NULL OR p.ended_at >= t.published_at)
          AND (l.superseded_at IS NULL OR l.superseded_at >= t.published_at)
          AND (l.ends_on IS NULL
               OR l.ends_on >= (t.published_at AT TIME ZONE 'Europe/London')::date)) found
$$;

-- All nodes from which a path to a bidder is looked for.
CREATE FUNCTION stands_at(holder uuid, of_tender uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT party), '{}') FROM (
        SELECT unnest(serves(holder, of_tender)) AS party
        UNION SELECT unnest(parties_of(i.organisation, i.scheme, i.identifier))
        FROM interests_counted(holder, of_tender) i
        UNION SELECT p.party FROM ownership_person p JOIN tender t ON t.id = of_tender
        WHERE p.person = holder AND (p.ended_at IS NULL OR p.ended_at >= t.published_at)) found
$$;

-- When the last interest or membership that leads to a bidder was entered; later links of ownership
-- are compared one by one (`decided`).
CREATE FUNCTION connection_known_at(holder uuid, of_tender uuid, named uuid[], links integer)
RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(max(entered), '-infinity') FROM (
        SELECT i.declared_at AS entered, parties_of(i.organisation, i.scheme, i.identifier) AS own
        FROM interests_counted(holder, of_tender) i
        UNION ALL
        SELECT m.started_at, parties_of(m.organisation, NULL, NULL) FROM membership m
        WHERE m.person = holder) known
    WHERE EXISTS (SELECT 1 FROM connected_parties(known.own, named, links))
$$;

-- Everything that stands between a person and the bidders of a tender. What the person is in the
-- bidder, its consortium or its group (source "service") nobody can excuse; the rest a conflicts
-- guardian decides upon. `known_at` is when the market came to know of the last of it.
CREATE FUNCTION conflicts_of(candidate uuid, of_tender uuid)
RETURNS TABLE (bidder uuid, source text, excusable boolean, known_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    served uuid[] := serves(candidate, of_tender);
    stood uuid[] := stands_at(candidate, of_tender);
    own_group uuid[];
    reached uuid[];
    item record;
BEGIN
    RETURN QUERY SELECT d.bidder, 'declared', true, d.declared_at FROM declaration d
        WHERE d.tender = of_tender AND d.person = candidate AND d.interest <> 'none';
    IF stood = '{}' THEN
        RETURN;
    END IF;
    -- one walk from the person for all bidders: to be of one group goes both ways
    own_group := ARRAY(SELECT group_parties(served));
    reached := stood || ARRAY(SELECT connected_parties(stood,
        ARRAY(SELECT p.party FROM bidding_parties(of_tender) p), most_links()));
    FOR item IN
        SELECT p.bidder, array_agg(p.party) AS named, coalesce(bool_or(p.bids AND g.party IS NOT NULL),
               false) AS serves_it
        FROM bidding_parties(of_tender) p
        LEFT JOIN (SELECT DISTINCT unnest(own_group) AS party) g ON g.party = p.party
        LEFT JOIN (SELECT DISTINCT unnest(reached) AS party) r ON r.party = p.party
        GROUP BY p.bidder
        HAVING bool_or(p.bids AND g.party IS NOT NULL) OR bool_or(r.party IS NOT NULL)
    LOOP
        bidder := item.bidder;
        excusable := NOT item.serves_it;
        IF item.serves_it THEN
            source := 'service';
            known_at := market_now();
        ELSIF stood && item.named THEN
            source := 'registered';
            known_at := connection_known_at(candidate, of_tender, item.named, 0);
        ELSE
            source := 'connected';
            known_at := connection_known_at(candidate, of_tender, item.named, most_links());
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- -- what the guardian decided --------------------------------------------------------------------

-- The links between a person and a bidder as they are now, kept with a decision: one that comes
-- later was not decided upon.
CREATE FUNCTION links_to_bidder(candidate uuid, of_tender uuid, of_bidder uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(DISTINCT l.id), '{}') FROM links_between(
        stands_at(candidate, of_tender), bidder_parties(of_tender, of_bidder, true),
        most_links()) l
$$;

CREATE FUNCTION decided(candidate uuid, of_tender uuid, of_bidder uuid, known_at timestamptz)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN c.outcome = 'must_leave' THEN c.outcome
                WHEN c.decided_at >= known_at
                     AND links_to_bidder(candidate, of_tender, of_bidder) <@ c.links
                THEN c.outcome END
    FROM conflict_decision c WHERE c.tender = of_tender AND c.person = candidate
      AND c.bidder = of_bidder ORDER BY c.decided_at DESC, c.id LIMIT 1
$$;

CREATE FUNCTION belongs_to_bidder(candidate uuid, of_tender uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM conflicts_of(candidate, of_tender) c WHERE NOT c.excusable)
$$;

-- Why a person may not decide on the bids of a tender, or NULL where nothing stands against it.
CREATE FUNCTION why_not_unconflicted(candidate uuid, of_tender uuid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    item record;
    outcome text;
    worst text;
BEGIN
    FOR item IN SELECT * FROM conflicts_of(candidate, of_tender) LOOP
        IF NOT item.excusable THEN
            RETURN 'belongs_to_bidder';
        END IF;
        outcome := decided(candidate, of_tender, item.bidder, item.known_at);
        IF outcome IS NULL AND worst IS DISTINCT FROM 'must_leave' THEN
            worst := 'interest_undecided';
        ELSIF outcome = 'must_leave' THEN
            worst := outcome;
        ELSIF outcome = 'may_discuss' AND worst IS NULL THEN
            worst := 'may_not_decide';
        END IF;
    END LOOP;
    -- what the guardian decided holds whether or not an interest is on record
    SELECT CASE WHEN bool_or(latest.decided = 'must_leave') THEN 'must_leave'
                WHEN worst IS NULL AND bool_or(latest.decided = 'may_discuss')
                THEN 'may_not_decide' ELSE worst END INTO worst
        FROM (SELECT DISTINCT ON (c.bidder) c.outcome AS decided FROM conflict_decision c
              WHERE c.tender = of_tender AND c.person = candidate
              ORDER BY c.bidder, c.decided_at DESC, c.id) latest;
    IF worst IN ('interest_undecided', 'must_leave') THEN
        RETURN worst;
    END IF;
    IF EXISTS (SELECT 1 FROM standing_bids(of_tender) s WHERE NOT EXISTS (
               SELECT 1 FROM declaration d WHERE d.tender = of_tender
               AND d.person = candidate AND d.bidder = s.organisation)) THEN
        RETURN 'declaration_missing';
    END IF;
    RETURN worst;
END $$;

-- Who may discuss and not decide, reads; everybody else with something against them does not.
CREATE FUNCTION may_read_bids(candidate uuid, of_tender uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(why_not_unconflicted(candidate, of_tender) = 'may_not_decide', true)
$$;

CREATE FUNCTION guard_conflict_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    NEW.decided_at := market_now();
    IF NEW.decided_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can decide in another person''s name.');
    END IF;
    IF NEW.person = NEW.decided_by THEN
        PERFORM refuse('decided_by_another', 'Nobody decides about their own interests.');
    END IF;
    PERFORM ensure_may_act(NEW.decided_by, NEW.tender, 'guardian');
    NEW.decided_at := market_now();  -- again: a declaration in flight was waited for meanwhile
    IF held.stage NOT IN ('published', 'opened') OR NEW.decided_at < held.deadline THEN
        PERFORM refuse('declaration_when_known',
            'Interests in bidders are decided upon once the bidders are known.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM standing_bids(NEW.tender) s WHERE s.organisation = NEW.bidder) THEN
        PERFORM refuse('declaration_about_bidder', 'That organisation does not bid here.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM duty d WHERE d.tender = NEW.tender AND d.person = NEW.person) THEN
        PERFORM refuse('decided_about_holder', 'That person never held a duty in this tender.');
    END IF;
    IF NEW.outcome IN ('no_action', 'may_discuss') AND EXISTS (
        SELECT 1 FROM conflicts_of(NEW.person, NEW.tender) c
        WHERE c.bidder = NEW.bidder AND NOT c.excusable) THEN
        PERFORM refuse('never_excusable', 'A member, employee or director of a bidder or its group'
            ' cannot be excused.');
    END IF;
    IF EXISTS (SELECT 1 FROM conflict_decision c WHERE c.tender = NEW.tender
               AND c.person = NEW.person AND c.outcome = 'removed') THEN
        PERFORM refuse('removed_for_good', 'That person was removed from this tender for good.');
    END IF;
    NEW.links := links_to_bidder(NEW.person, NEW.tender, NEW.bidder);
    RETURN NEW;
END $$;
CREATE TRIGGER guard_conflict_decision BEFORE INSERT ON conflict_decision
    FOR EACH ROW EXECUTE FUNCTION guard_conflict_decision();
