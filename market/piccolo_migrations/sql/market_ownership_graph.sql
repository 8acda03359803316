-- The questions. Parties are walked over links in force today in London, in either direction.

-- What bids wait for is in plpgsql, which plans it once a session and not at each call.
CREATE FUNCTION ownership_today() RETURNS date LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (market_now() AT TIME ZONE 'Europe/London')::date;
END $$;

-- The nodes of the ownership graph at which each of those named is found, however it was named: an
-- organisation of the market, or a scheme and identifier. For many at once, since the bidders of a
-- tender are asked about together; OFFSET 0 is a fence, see neighbours_of.
CREATE FUNCTION parties_of_each(organisations uuid[], schemes text[], identifiers text[])
RETURNS TABLE (place bigint, party uuid) LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- where nobody is named by a number, which is when bids wait for this, half of it is not asked
    IF array_remove(schemes, NULL) = '{}' THEN
        RETURN QUERY
        SELECT n.place, n.organisation FROM unnest(organisations)
            WITH ORDINALITY AS n (organisation, place) WHERE n.organisation IS NOT NULL
        UNION
        SELECT n.place, f.party FROM unnest(organisations)
            WITH ORDINALITY AS n (organisation, place) CROSS JOIN LATERAL (
            SELECT p.party FROM organisation_identifier o
            JOIN ownership_identifier p ON p.scheme = o.scheme AND p.identifier = o.identifier
            WHERE o.organisation = n.organisation
            UNION ALL
            SELECT p.merged_into FROM ownership_party p
            WHERE p.id = n.organisation AND p.merged_into IS NOT NULL OFFSET 0) f;
        RETURN;
    END IF;
    RETURN QUERY
    WITH named AS MATERIALIZED (
        SELECT * FROM unnest(organisations, schemes, identifiers)
            WITH ORDINALITY AS n (organisation, scheme, identifier, place)
    )
    -- an organisation without statements is a node too: its own id
    SELECT n.place, n.organisation FROM named n WHERE n.organisation IS NOT NULL
    UNION
    SELECT n.place, f.party FROM named n CROSS JOIN LATERAL (
        SELECT p.party FROM organisation_identifier o
        JOIN ownership_identifier p ON p.scheme = o.scheme AND p.identifier = o.identifier
        WHERE o.organisation = n.organisation OFFSET 0) f
    UNION
    SELECT n.place, f.merged_into FROM named n CROSS JOIN LATERAL (
        SELECT p.merged_into FROM ownership_party p
        WHERE p.id = n.organisation AND p.merged_into IS NOT NULL OFFSET 0) f
    UNION
    SELECT n.place, f.party FROM named n CROSS JOIN LATERAL (
        SELECT p.party FROM ownership_identifier p
        WHERE p.scheme = n.scheme AND p.identifier = n.identifier OFFSET 0) f
    UNION
    SELECT n.place, f.organisation FROM named n CROSS JOIN LATERAL (
        SELECT i.organisation FROM organisation_identifier i
        WHERE i.scheme = n.scheme AND i.identifier = n.identifier OFFSET 0) f
    UNION
    -- and a number that neither market nor statements know is a node of its own, so that an
    -- interest and a participant of that number are found to be one
    SELECT n.place, md5(n.scheme || ' ' || n.identifier)::uuid FROM named n
    WHERE n.scheme IS NOT NULL;
END $$;

CREATE FUNCTION parties_of_organisation(of_organisation uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.party FROM parties_of_each(ARRAY[of_organisation], '{}', '{}') p
$$;

CREATE FUNCTION parties_of_identifier(of_scheme text, of_identifier text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT party FROM ownership_identifier
    WHERE scheme = of_scheme AND identifier = of_identifier
$$;

CREATE FUNCTION parties_of_person(of_person uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT party FROM ownership_person WHERE person = of_person AND ended_at IS NULL
$$;

-- What parties are called now: those that were merged by what they were merged into.
CREATE FUNCTION standing_parties(of_parties uuid[]) RETURNS uuid[] LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(DISTINCT coalesce(p.merged_into, given)), '{}')
        FROM unnest(of_parties) AS given LEFT JOIN ownership_party p ON p.id = given
        WHERE given IS NOT NULL);
END $$;

-- OFFSET 0 is a fence: whoever is asked about is looked up by index, one by one. Without it, and
-- before the first statistics of a register just imported, the whole of it is compared with them.
CREATE FUNCTION neighbours_of(of_parties uuid[], today date) RETURNS SETOF uuid LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT n.party FROM unnest(of_parties) AS o(party) CROSS JOIN LATERAL (
        SELECT l.subject AS party FROM ownership_link l WHERE l.holder = o.party
        AND l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= today)
        AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
    ) n
    UNION
    SELECT n.party FROM unnest(of_parties) AS o(party) CROSS JOIN LATERAL (
        SELECT l.holder AS party FROM ownership_link l WHERE l.subject = o.party
        AND l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= today)
        AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
    ) n
$$;

-- Arrays of parties are compared by set operations and by grouping, never joined with each other:
-- PostgreSQL takes an array for a handful of rows and would compare every one with every other.

-- Searched from both sides at once, always on where fewer parties wait: two searches of three links
-- meet over a handful of parties where one of six would visit half the register. Two sets that hold
-- everything within a and b links of their ends meet exactly if there is a path of a + b links.
CREATE FUNCTION connected_parties(from_parties uuid[], to_parties uuid[], most_links integer)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    today date := ownership_today();
    seen uuid[] := standing_parties(from_parties);
    frontier uuid[] := seen;
    -- of the targets: which target, and a party within so many links of it
    back_target uuid[];
    back_party uuid[];
    edge_target uuid[];
    edge_party uuid[];
    met uuid[];
    found uuid[];
    forward boolean := false;
    links integer := 0;
BEGIN
    SELECT coalesce(array_agg(t.target), '{}'), coalesce(array_agg(t.party), '{}')
    INTO back_target, back_party
    FROM (
        SELECT DISTINCT given AS target, coalesce(p.merged_into, given) AS party
        FROM unnest(to_parties) AS given LEFT JOIN ownership_party p ON p.id = given
        WHERE given IS NOT NULL
    ) t;
    edge_target := back_target;
    edge_party := back_party;
    LOOP
        SELECT coalesce(array_agg(m), '{}') INTO met
        FROM (SELECT unnest(edge_party) INTERSECT SELECT unnest(seen)) AS both_sides(m);
        IF met = '{}' AND forward THEN
            SELECT coalesce(array_agg(m), '{}') INTO met
            FROM (SELECT unnest(back_party) INTERSECT SELECT unnest(frontier)) AS both_sides(m);
        END IF;
        IF met <> '{}' THEN
            SELECT array_agg(DISTINCT b.target) INTO found
            FROM unnest(back_target, back_party) AS b(target, party)
            WHERE b.party = ANY (met);
            RETURN QUERY SELECT unnest(found);
            SELECT coalesce(array_agg(b.target), '{}'), coalesce(array_agg(b.party), '{}')
            INTO back_target, back_party
            FROM unnest(back_target, back_party) AS b(target, party)
            WHERE b.target NOT IN (SELECT unnest(found));
            SELECT coalesce(array_agg(e.target), '{}'), coalesce(array_agg(e.party), '{}')
            INTO edge_target, edge_party
            FROM unnest(edge_target, edge_party) AS e(target, party)
            WHERE e.target NOT IN (SELECT unnest(found));
        END IF;
        EXIT WHEN links >= most_links OR frontier = '{}' OR edge_party = '{}';
        links := links + 1;
        forward := cardinality(frontier) <= cardinality(edge_party);
        IF forward THEN
            SELECT coalesce(array_agg(n), '{}') INTO frontier
            FROM (SELECT neighbours_of(frontier, today) EXCEPT SELECT unnest(seen)) AS new(n);
            seen := seen || frontier;
        ELSE
            SELECT coalesce(array_agg(new.target), '{}'), coalesce(array_agg(new.party), '{}')
            INTO edge_target, edge_party
            FROM (
                SELECT e.target, n.party
                FROM unnest(edge_target, edge_party) AS e(target, party) CROSS JOIN LATERAL (
                    SELECT l.subject AS party FROM ownership_link l WHERE l.holder = e.party
                    AND l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= today)
                    AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
                ) n
                UNION
                SELECT e.target, n.party
                FROM unnest(edge_target, edge_party) AS e(target, party) CROSS JOIN LATERAL (
                    SELECT l.holder AS party FROM ownership_link l WHERE l.subject = e.party
                    AND l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= today)
                    AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
                ) n
                EXCEPT
                SELECT b.target, b.party FROM unnest(back_target, back_party) AS b(target, party)
            ) new;
            back_target := back_target || edge_target;
            back_party := back_party || edge_party;
        END IF;
    END LOOP;
END $$;

-- A group after section 1159 of the Companies Act 2006: up to every parent by majority, then down to
-- every subsidiary of each. People have no group, so nobody is walked through who is one; the
-- person who holds a majority belongs to it. At most ten links each way and 5,000 parties.
CREATE FUNCTION group_parties(of_parties uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    most_links CONSTANT integer := 10;
    most_parties CONSTANT integer := 5000;
    today date;
    start uuid[] := standing_parties(of_parties);
    seen uuid[] := start;
    frontier uuid[] := start;
BEGIN
    -- most have no parent and no subsidiary, and never had: they are their own group
    IF cardinality(start) < most_parties AND NOT EXISTS (
        SELECT FROM unnest(start) AS s(party) CROSS JOIN LATERAL (
            (SELECT FROM ownership_link l WHERE l.subject = s.party AND l.majority
             AND l.superseded_at IS NULL LIMIT 1)
            UNION ALL
            (SELECT FROM ownership_link l WHERE l.holder = s.party AND l.majority
             AND l.superseded_at IS NULL LIMIT 1)) linked) THEN
        RETURN QUERY SELECT g FROM unnest(of_parties) AS own(g) WHERE g IS NOT NULL
            UNION SELECT unnest(start);
        RETURN;
    END IF;
    today := ownership_today();
    FOR turn IN 1..most_links LOOP
        EXIT WHEN frontier = '{}' OR cardinality(seen) >= most_parties;
        SELECT coalesce(array_agg(n), '{}') INTO frontier
        FROM (
            SELECT m.party FROM unnest(frontier) AS f(party) CROSS JOIN LATERAL (
                SELECT l.holder AS party FROM ownership_link l WHERE l.subject = f.party
                AND l.majority AND l.superseded_at IS NULL
                AND (l.starts_on IS NULL OR l.starts_on <= today)
                AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
            ) m
            EXCEPT SELECT unnest(seen)
        ) AS new(n);
        seen := seen || frontier;
    END LOOP;
    -- down from all of them, but not from people, unless they were asked about
    SELECT coalesce(array_agg(s.party), '{}') INTO frontier
    FROM unnest(seen) AS s(party) LEFT JOIN ownership_party p ON p.id = s.party
    WHERE p.kind IS DISTINCT FROM 'person' OR s.party IN (SELECT unnest(start));
    FOR turn IN 1..most_links LOOP
        EXIT WHEN frontier = '{}' OR cardinality(seen) >= most_parties;
        SELECT coalesce(array_agg(n), '{}') INTO frontier
        FROM (
            SELECT m.party FROM unnest(frontier) AS f(party) CROSS JOIN LATERAL (
                SELECT l.subject AS party FROM ownership_link l WHERE l.holder = f.party
                AND l.majority AND l.superseded_at IS NULL
                AND (l.starts_on IS NULL OR l.starts_on <= today)
                AND (l.ends_on IS NULL OR l.ends_on > today) OFFSET 0
            ) m
            EXCEPT SELECT unnest(seen)
        ) AS new(n);
        seen := seen || frontier;
    END LOOP;
    -- what is asked about is of its own group, by the id it was asked by too
    RETURN QUERY SELECT g FROM (
        SELECT unnest(of_parties) UNION (SELECT unnest(seen) LIMIT most_parties)
    ) AS all_of_it(g) WHERE g IS NOT NULL;
END $$;

-- The links on some path of at most so many: those of which the distances of their two ends, from
-- the one side and from the other, and the link itself come to no more. Each side is searched half
-- the way; the other half of the distances is searched among the parties found already, which hold
-- every party of every such path.
CREATE FUNCTION links_between(from_parties uuid[], to_parties uuid[], most_links integer)
RETURNS SETOF ownership_link LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    today date := ownership_today();
    near_party uuid[] := standing_parties(from_parties);
    far_party uuid[] := standing_parties(to_parties);
    near_links integer[] := array_fill(0, ARRAY[cardinality(near_party)]);
    far_links integer[] := array_fill(0, ARRAY[cardinality(far_party)]);
    near_edge uuid[] := near_party;
    far_edge uuid[] := far_party;
    near_half integer := 0;
    far_half integer := 0;
    edge uuid[];
BEGIN
    WHILE near_half + far_half < most_links LOOP
        IF cardinality(near_edge) <= cardinality(far_edge) THEN
            near_half := near_half + 1;
            SELECT coalesce(array_agg(n), '{}') INTO near_edge
            FROM (SELECT neighbours_of(near_edge, today) EXCEPT SELECT unnest(near_party)) AS new(n);
            near_party := near_party || near_edge;
            near_links := near_links || array_fill(near_half, ARRAY[cardinality(near_edge)]);
        ELSE
            far_half := far_half + 1;
            SELECT coalesce(array_agg(n), '{}') INTO far_edge
            FROM (SELECT neighbours_of(far_edge, today) EXCEPT SELECT unnest(far_party)) AS new(n);
            far_party := far_party || far_edge;
            far_links := far_links || array_fill(far_half, ARRAY[cardinality(far_edge)]);
        END IF;
    END LOOP;
    -- nothing in common: no path, and no need to look further
    IF NOT EXISTS (SELECT unnest(near_party) INTERSECT SELECT unnest(far_party)) THEN
        RETURN;
    END IF;
    edge := near_edge;
    FOR depth IN near_half + 1..most_links LOOP
        EXIT WHEN edge = '{}';
        SELECT coalesce(array_agg(n), '{}') INTO edge
        FROM (
            (SELECT neighbours_of(edge, today) EXCEPT SELECT unnest(near_party))
            INTERSECT
            SELECT k.party FROM unnest(far_party, far_links) AS k(party, links)
            WHERE k.links <= most_links - depth
        ) AS new(n);
        near_party := near_party || edge;
        near_links := near_links || array_fill(depth, ARRAY[cardinality(edge)]);
    END LOOP;
    edge := far_edge;
    FOR depth IN far_half + 1..most_links LOOP
        EXIT WHEN edge = '{}';
        SELECT coalesce(array_agg(n), '{}') INTO edge
        FROM (
            (SELECT neighbours_of(edge, today) EXCEPT SELECT unnest(far_party))
            INTERSECT
            SELECT k.party FROM unnest(near_party, near_links) AS k(party, links)
            WHERE k.links <= most_links - depth
        ) AS new(n);
        far_party := far_party || edge;
        far_links := far_links || array_fill(depth, ARRAY[cardinality(edge)]);
    END LOOP;
    RETURN QUERY
    WITH kept AS MATERIALIZED (
        SELECT e.party, min(e.near) AS near, min(e.far) AS far
        FROM (
            SELECT n.party, n.links AS near, NULL::integer AS far
            FROM unnest(near_party, near_links) AS n(party, links)
            UNION ALL
            SELECT f.party, NULL, f.links FROM unnest(far_party, far_links) AS f(party, links)
        ) e
        GROUP BY e.party HAVING min(e.near) + min(e.far) <= most_links
    ), ends AS (
        SELECT h.id, k.near AS near_holder, k.far AS far_holder,
            NULL::integer AS near_subject, NULL::integer AS far_subject
        FROM kept k CROSS JOIN LATERAL (
            SELECT l.id FROM ownership_link l WHERE l.holder = k.party OFFSET 0
        ) h
        UNION ALL
        SELECT h.id, NULL, NULL, k.near, k.far
        FROM kept k CROSS JOIN LATERAL (
            SELECT l.id FROM ownership_link l WHERE l.subject = k.party OFFSET 0
        ) h
    ), chosen AS (
        SELECT e.id FROM ends e GROUP BY e.id
        HAVING least(min(near_holder) + min(far_subject), min(near_subject) + min(far_holder))
            < most_links AND count(*) = 2
    )
    SELECT l.* FROM chosen c CROSS JOIN LATERAL (
        SELECT * FROM ownership_link WHERE id = c.id OFFSET 0
    ) l
    WHERE l.superseded_at IS NULL AND (l.starts_on IS NULL OR l.starts_on <= today)
      AND (l.ends_on IS NULL OR l.ends_on > today);
END $$;

-- ------------------------------------------------------------------------------------------------

GRANT SELECT, INSERT ON ownership_import, ownership_party, ownership_identifier,
    ownership_reference, ownership_replacement, ownership_link, ownership_person TO market_app;
-- statements say where people live and when they were born: kept whole, read by no API process
GRANT INSERT, SELECT (id, imported_in, statement, version, kind, scope, record, dated, digest)
    ON ownership_statement TO market_app;
GRANT UPDATE (kind, name, named_on) ON ownership_party TO market_app;
GRANT UPDATE (ends_on, superseded_at, superseded_by) ON ownership_link TO market_app;
GRANT UPDATE (ended_at) ON ownership_person TO market_app;
GRANT SELECT ON ownership_import, ownership_party, ownership_identifier, ownership_reference,
    ownership_statement, ownership_link, ownership_person, organisation_identifier TO market_guard;
GRANT SELECT, UPDATE ON ownership_turn TO market_guard;
GRANT UPDATE (merged_into) ON ownership_party TO market_guard;
GRANT UPDATE (party) ON ownership_identifier, ownership_reference TO market_guard;
GRANT UPDATE (holder, subject) ON ownership_link TO market_guard;
GRANT UPDATE (party, ended_at) ON ownership_person TO market_guard;

-- A large import is followed by fresh statistics, where the guard may make them: from PostgreSQL 17
-- on. Elsewhere the server makes them by itself within a minute or so.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON ownership_link, ownership_party, ownership_identifier,'
            ' ownership_reference, ownership_statement TO market_guard';
    END IF;
END $$;
CREATE FUNCTION count_ownership_anew() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        ANALYZE ownership_link, ownership_party, ownership_identifier, ownership_reference,
            ownership_statement;
    END IF;
END $$;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION hold_ownership(), count_ownership_anew(), merge_ownership_parties(uuid, uuid),
    parties_of_organisation(uuid), parties_of_identifier(text, text), parties_of_person(uuid),
    connected_parties(uuid[], uuid[], integer), group_parties(uuid[]),
    links_between(uuid[], uuid[], integer) TO market_app;
