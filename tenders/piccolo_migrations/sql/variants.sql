-- Variants (Public Contracts Regulations 2015, regulation 45): only where the requirement takes them,
-- and, unless it says otherwise, only beside a main bid of the same bidder that stands.

-- How many variants a published lot takes of each bidder, and whether one stands alone.
CREATE FUNCTION variants_of(of_lot uuid) RETURNS TABLE (most integer, alone boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((e -> 'variants' ->> 'most')::integer, 0),
           coalesce((e -> 'variants' ->> 'alone')::boolean, false)
    FROM lot l JOIN tender t ON t.id = l.tender
    JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
    CROSS JOIN LATERAL jsonb_array_elements(r.content -> 'lots') e
    WHERE l.id = of_lot AND (e ->> 'number')::integer = l.number
$$;

-- Whether a submitted variant wants a main bid that stands. Not a definer and without a search path:
-- the bidder sees its own bids by it, the guard all.
CREATE FUNCTION lacks_main_bid(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.bid b JOIN LATERAL (
            SELECT act FROM public.bid_version WHERE bid = b.id ORDER BY number DESC LIMIT 1
        ) v ON v.act = 'submitted'
        WHERE b.id = of_bid AND b.variant > 0
          AND NOT (SELECT alone FROM public.variants_of(b.lot)) AND NOT EXISTS (
            SELECT 1 FROM public.bid m JOIN LATERAL (
                SELECT act FROM public.bid_version WHERE bid = m.id ORDER BY number DESC LIMIT 1
            ) w ON w.act = 'submitted'
            WHERE m.lot = b.lot AND m.organisation = b.organisation AND m.variant = 0
              AND NOT public.needs_confirmation(m.id)))
$$;

GRANT EXECUTE ON FUNCTION variants_of(uuid) TO market_app;
