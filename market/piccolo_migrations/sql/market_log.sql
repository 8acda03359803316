-- The order of the log, and what makes it tamper-evident. Nothing here is on the way of an act: the
-- worker numbers what has been committed, hashes it, and signs.

SELECT keep_append_only('event_position', 'event_leaf', 'event_blinding', 'merkle_node', 'checkpoint',
    'checkpoint_stamp', 'log_restart');
SELECT keep_recorded('log_restart');

-- No gap, neither in the market nor in a tender: each position but the first stands on the one
-- before it. The database holds this, whoever writes.
ALTER TABLE event_position
    ADD COLUMN former bigint GENERATED ALWAYS AS (nullif(position - 1, 0)) STORED
        CONSTRAINT position_without_gap REFERENCES event_position (position),
    ADD COLUMN former_number bigint GENERATED ALWAYS AS (nullif(tender_number - 1, 0)) STORED,
    ADD CONSTRAINT position_from_one CHECK (position >= 1),
    ADD CONSTRAINT tender_number_from_one CHECK (tender_number >= 1),
    ADD CONSTRAINT tender_numbered CHECK ((tender IS NULL) = (tender_number IS NULL)),
    ADD CONSTRAINT tender_number_once UNIQUE (tender, tender_number),
    ADD CONSTRAINT tender_number_without_gap
        FOREIGN KEY (tender, former_number) REFERENCES event_position (tender, tender_number);
ALTER TABLE event_leaf
    ADD COLUMN former bigint GENERATED ALWAYS AS (nullif(position - 1, 0)) STORED
        CONSTRAINT leaf_without_gap REFERENCES event_leaf (position),
    ADD CONSTRAINT leaf_of_position FOREIGN KEY (position) REFERENCES event_position (position);

INSERT INTO sequencer (id, position, snapshot, passed_at) VALUES (1, 0, NULL, clock_timestamp());
INSERT INTO log_keeper (id, passed_at) VALUES (1, clock_timestamp());

-- Numbers what has been committed since the last pass, at most so many, and says how many: NULL
-- where another process holds the numbering at this moment.
--
-- A pass sees exactly what had been committed when its statement began, and keeps that snapshot:
-- new is what the former one did not see. What is in flight is left for a later pass and holds up
-- nothing. Of two events of one subject the first was committed before the second could be made, so
-- whoever sees the second sees the first, and its serial is lower. After a restore from a dump
-- transactions count anew: then everything without a position is looked for.
CREATE FUNCTION number_events(at_most integer) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    state sequencer;
    seen pg_snapshot;
    counted integer;
    from_transaction bigint := 0;
    in_flight bigint[] := '{}';
BEGIN
    SELECT * INTO state FROM sequencer WHERE id = 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF pg_snapshot_xmax(state.snapshot::pg_snapshot)
       <= pg_snapshot_xmax(pg_current_snapshot()) THEN
        from_transaction := pg_snapshot_xmax(state.snapshot::pg_snapshot)::text::bigint;
        in_flight := ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(state.snapshot::pg_snapshot) x);
    END IF;
    WITH fresh AS MATERIALIZED (
        SELECT e.id, e.tender, e.serial FROM event e
        WHERE (e.transaction >= from_transaction OR e.transaction = ANY (in_flight))
          AND NOT EXISTS (SELECT 1 FROM event_position p WHERE p.event = e.id)
        ORDER BY e.serial LIMIT at_most
    ), numbered AS (
        INSERT INTO event_position (position, event, tender, tender_number, numbered_at)
        SELECT state.position + row_number() OVER (ORDER BY f.serial), f.id, f.tender,
            CASE WHEN f.tender IS NOT NULL THEN
                coalesce((SELECT h.number FROM tender_head h WHERE h.tender = f.tender), 0)
                + row_number() OVER (PARTITION BY f.tender ORDER BY f.serial) END,
            clock_timestamp()
        FROM fresh f
        RETURNING position, tender, tender_number
    ), headed AS (
        INSERT INTO tender_head AS h (tender, number, position)
        SELECT n.tender, max(n.tender_number), max(n.position) FROM numbered n
        WHERE n.tender IS NOT NULL GROUP BY n.tender
        ON CONFLICT (tender) DO UPDATE SET number = excluded.number, position = excluded.position
    )
    SELECT count(*), pg_current_snapshot() INTO counted, seen FROM numbered;
    UPDATE sequencer SET position = state.position + counted, passed_at = clock_timestamp(),
        snapshot = CASE WHEN counted < at_most THEN seen::text ELSE snapshot END
    WHERE id = 1;
    RETURN counted;
END $$;

-- A checkpoint tells of a log that is there, whole up to its size, and each is larger than the last.
CREATE FUNCTION guard_checkpoint() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM event_leaf l WHERE l.position = NEW.size) OR EXISTS (
        SELECT 1 FROM checkpoint c WHERE c.size >= NEW.size
    ) THEN
        PERFORM refuse('checkpoint_of_whole_log',
            'A checkpoint is of a log that is hashed up to its size, and larger than the last.');
    END IF;
    IF NEW.origin <> (SELECT r.origin FROM log_restart r ORDER BY r.declared_at DESC LIMIT 1) THEN
        PERFORM refuse('checkpoint_of_present_origin',
            'The log goes on under another origin: it is not signed under a former one.');
    END IF;
    NEW.signed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_checkpoint BEFORE INSERT ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION guard_checkpoint();

-- What was lost is declared by the operator alone, while nobody signs; and an origin is declared as
-- a whole, in one transaction.
CREATE FUNCTION guard_log_restart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM log_keeper WHERE id = 1 FOR UPDATE;
    NEW.declared_at := now();
    IF EXISTS (SELECT 1 FROM checkpoint c WHERE c.origin = NEW.origin)
       OR EXISTS (SELECT 1 FROM log_restart r WHERE r.former = NEW.origin
                  OR (r.origin = NEW.origin AND r.declared_at <> NEW.declared_at)) THEN
        PERFORM refuse('restart_under_new_origin', 'A restarted log has an origin it never had.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_log_restart BEFORE INSERT ON log_restart
    FOR EACH ROW EXECUTE FUNCTION guard_log_restart();

-- Whether the log knows of a tender, of whatever stage: for recording what was refused about it.
CREATE FUNCTION tender_is_known(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM event WHERE tender = of_tender)
$$;

-- The worker: reads every event, numbers, hashes and signs, and can change none.
GRANT USAGE ON SCHEMA public TO market_worker;
GRANT SELECT ON event, event_position, sequencer, tender_head, event_leaf, event_blinding,
    merkle_node, checkpoint, checkpoint_stamp, log_restart, log_keeper, installation, market_clock
    TO market_worker;
GRANT INSERT ON event_leaf, event_blinding, merkle_node, checkpoint, checkpoint_stamp
    TO market_worker;
GRANT UPDATE (passed_at) ON log_keeper TO market_worker;
CREATE POLICY worker_reads ON event FOR SELECT TO market_worker USING (true);
GRANT SELECT, UPDATE ON sequencer TO market_guard;
GRANT SELECT, INSERT, UPDATE ON tender_head TO market_guard;
GRANT SELECT, INSERT ON event_position TO market_guard;
GRANT SELECT ON event_leaf, checkpoint, log_restart TO market_guard;
GRANT SELECT, UPDATE ON log_keeper TO market_guard;

-- What everybody may know of the log: hashes and signed checkpoints. How many events a tender has
-- would tell how many bids: its numbers are shown by the query that knows whether it was opened.
GRANT SELECT ON event_leaf, merkle_node, checkpoint, checkpoint_stamp, log_restart TO market_app;
GRANT SELECT (position, event, tender_number, numbered_at) ON event_position TO market_app;
GRANT SELECT (position, passed_at) ON sequencer TO market_app;
-- whoever sees an event whole may check what it says
GRANT SELECT ON event_blinding TO market_app;
ALTER TABLE event_blinding ENABLE ROW LEVEL SECURITY;
CREATE POLICY blinding_of_seen ON event_blinding FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM event e WHERE e.id = event_blinding.event));
CREATE POLICY worker_reads ON event_blinding FOR SELECT TO market_worker USING (true);
CREATE POLICY worker_makes ON event_blinding FOR INSERT TO market_worker WITH CHECK (true);

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION number_events(integer) TO market_worker;
GRANT EXECUTE ON FUNCTION tender_is_known(uuid) TO market_app;
