-- Disclosure of a lot's record in one act: what was handed over, to whom and why, kept as it was.

SELECT keep_append_only('disclosure_bundle');
SELECT keep_recorded('disclosure_bundle');
SELECT keep_to_persons('disclosure_bundle');

-- Not before the bidders were told: a bundle names the winner. Lots that were given up have none.
CREATE FUNCTION may_be_disclosed(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT held.stage = 'abandoned' AND EXISTS (
               SELECT 1 FROM tender t WHERE t.id = held.tender AND t.opened_at IS NOT NULL)
        OR EXISTS (SELECT 1 FROM standstill s WHERE s.lot = held.id)
$$;

CREATE FUNCTION guard_disclosure_bundle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    SELECT * INTO STRICT held FROM lot WHERE id = NEW.lot FOR NO KEY UPDATE;
    PERFORM ensure_may_act(NEW.disclosed_by, held.tender, 'tender_manager');
    IF NOT may_be_disclosed(held) THEN
        PERFORM refuse('disclosed_once_told',
            'The record of an evaluation is disclosed once the bidders were told.');
    END IF;
    IF NEW.recipient = 'bidder' AND NOT EXISTS (
        SELECT 1 FROM manifest_entry m JOIN bid b ON b.id = m.bid
        WHERE m.lot = NEW.lot AND b.organisation = NEW.organisation) THEN
        PERFORM refuse('disclosed_to_bidder', 'That organisation did not bid for the lot.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(b.number) FROM disclosure_bundle b
                                WHERE b.lot = NEW.lot), 0);
    NEW.disclosed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_disclosure_bundle BEFORE INSERT ON disclosure_bundle
    FOR EACH ROW EXECUTE FUNCTION guard_disclosure_bundle();

-- What makes the header of an event's leaf, for the acts that a record tells of.
CREATE FUNCTION recorded_leaves(of_lot uuid, up_to bigint)
RETURNS TABLE ("position" bigint, id uuid, action text, occurred_at timestamptz,
    recorded_at timestamptz, subject_kind text, subject uuid, tender uuid, hash bytea,
    content bytea, number bytea) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.position, e.id, e.action, e.occurred_at, e.recorded_at, e.subject_kind, e.subject,
        e.tender, f.hash, f.content, f.number
    FROM lot l JOIN event e ON e.tender = l.tender
        AND (e.subject = l.id OR e.details ->> 'lot' = l.number::text)
    JOIN event_position p ON p.event = e.id JOIN event_leaf f ON f.position = p.position
    WHERE l.id = of_lot AND p.position <= up_to AND reads_record(l.id)
      AND e.action NOT LIKE '%.read' AND e.action <> 'request.refused'
    ORDER BY p.position
$$;

ALTER TABLE disclosure_bundle ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON disclosure_bundle FOR SELECT TO market_guard USING (true);
CREATE POLICY disclosure_read ON disclosure_bundle FOR SELECT TO market_app
    USING (reads_record(lot));
CREATE POLICY disclosure_made ON disclosure_bundle FOR INSERT TO market_app
    WITH CHECK (disclosed_by = acting_person());
GRANT SELECT, INSERT ON disclosure_bundle TO market_app;
GRANT SELECT ON disclosure_bundle TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION recorded_leaves(uuid, bigint) TO market_app;
