-- What the report on a recommendation tells that its readers find in no table of theirs.

-- What the guardian decided of interests in the bidders of a lot: for who recommends, who approves,
-- and the guardian.
CREATE FUNCTION conflicts_handled(of_lot uuid)
RETURNS TABLE (person text, bidder text, outcome text, reason text, mitigation text,
    decided_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.name::text, o.name::text, d.outcome::text, d.reason::text,
           coalesce(d.mitigation, '')::text, d.decided_at
    FROM lot l CROSS JOIN LATERAL decisions_about(l.id) d
    JOIN person p ON p.id = d.person JOIN organisation o ON o.id = d.bidder
    WHERE l.id = of_lot AND l.id IN (SELECT evaluated_lots())
      AND NOT l.id IN (SELECT lots_kept_fresh())
      AND holds_duty(acting_person(), l.tender, 'moderator', 'award_approver', 'guardian')
    ORDER BY p.name, o.name, p.id, o.id
$$;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION conflicts_handled(uuid) TO market_app;
