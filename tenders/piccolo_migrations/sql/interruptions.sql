-- Nobody is to lose a bid by an outage of the market in the last hour: it becomes a proposal to extend,
-- which somebody decides before anything is fixed or opened.

SELECT keep_append_only('interruption', 'extension_proposal', 'extension_decision');
SELECT keep_recorded('interruption', 'extension_proposal', 'extension_decision');
SELECT keep_to_persons('extension_decision');
SELECT keep_undeleted('service_beat');
INSERT INTO service_beat (id, beaten_at, tolerated) VALUES (1, NULL, 30);

-- The last hour before a deadline, and whether a stretch of market time touches it.
CREATE FUNCTION touches_last_hour(deadline timestamptz, began timestamptz, ended timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT began <= deadline AND ended >= deadline - interval '1 hour'
$$;

-- An API process serves. Where none had for longer than is tolerated, that was an interruption; the
-- real clock measures it, so that the sandbox's shifts are none. Says whether it was one. Of two
-- processes that beat at once one does, and the other need not wait.
CREATE FUNCTION beat(tolerating integer) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    former timestamptz;
    gap interval;
    ended timestamptz;
    outage uuid := gen_random_uuid();
    near record;
    proposal uuid;
BEGIN
    SELECT beaten_at INTO former FROM service_beat WHERE id = 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE service_beat SET beaten_at = clock_timestamp(), tolerated = tolerating WHERE id = 1;
    gap := clock_timestamp() - former;
    IF gap IS NULL OR gap <= make_interval(secs => tolerating) THEN
        RETURN false;
    END IF;
    ended := market_now();
    INSERT INTO interruption (id, began_at, ended_at) VALUES (outage, ended - gap, ended);
    PERFORM record_of_tender('service.interrupted', 'interruption', outage, NULL,
        jsonb_build_object('seconds', extract(epoch FROM gap)::integer));
    FOR near IN
        SELECT t.id FROM tender t WHERE t.stage = 'published'
        AND touches_last_hour(t.deadline, ended - gap, ended) ORDER BY t.id FOR NO KEY UPDATE
    LOOP
        CONTINUE WHEN opening_begun(near.id);
        proposal := gen_random_uuid();
        INSERT INTO extension_proposal (id, tender, interruption, deadline, proposed_at)
            SELECT proposal, t.id, outage, t.deadline, ended FROM tender t WHERE t.id = near.id;
        PERFORM record_of_tender('extension.proposed', 'extension_proposal', proposal, near.id, '{}');
    END LOOP;
    RETURN true;
END $$;

-- Whether a proposal waits for a decision, or is about to be made: what is silent until now, and was
-- when the deadline passed, is an interruption as soon as it ends.
CREATE FUNCTION extension_undecided(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM extension_proposal p WHERE p.tender = of_tender AND NOT EXISTS (
               SELECT 1 FROM extension_decision d WHERE d.proposal = p.id))
        OR EXISTS (SELECT 1 FROM service_beat b JOIN tender t ON t.id = of_tender
                   WHERE clock_timestamp() - b.beaten_at > make_interval(secs => b.tolerated)
                     AND touches_last_hour(t.deadline,
                         market_now() - (clock_timestamp() - b.beaten_at), market_now()))
$$;

CREATE FUNCTION ensure_extension_decided(of_tender uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF extension_undecided(of_tender) THEN
        PERFORM refuse('proposal_undecided', 'The market was interrupted in the last hour before'
            ' the deadline. The tender''s manager decides first whether to put the deadline off.');
    END IF;
END $$;

-- Only to put the deadline off, and only by accepting a proposal (guard_late_amendment).
CREATE OR REPLACE FUNCTION may_extend_late(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM extension_proposal p WHERE p.tender = of_tender AND NOT EXISTS (
        SELECT 1 FROM extension_decision d WHERE d.proposal = p.id))
$$;

CREATE FUNCTION guard_late_amendment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM extension_decision d WHERE d.amendment = NEW.id) THEN
        PERFORM refuse('amendment_in_time', 'After the deadline it is put off by accepting a'
            ' proposal to extend, and by nothing else.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_late_amendment AFTER INSERT ON amendment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.published_at >= NEW.deadline_before) EXECUTE FUNCTION guard_late_amendment();

CREATE FUNCTION guard_extension_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    proposed extension_proposal;
    held tender;
BEGIN
    SELECT * INTO STRICT proposed FROM extension_proposal WHERE id = NEW.proposal;
    SELECT * INTO held FROM tender WHERE id = proposed.tender FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id = NEW.decided_by FOR SHARE;
    NEW.decided_at := market_now();
    IF NEW.decided_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can decide in another person''s name.');
    END IF;
    PERFORM ensure_may_manage(held.id, held.stage, 'tender_manager');
    IF held.stage <> 'published' THEN
        PERFORM refuse('extension_of_published', 'The tender takes no bids any more.');
    END IF;
    IF NEW.outcome = 'accepted' AND NOT EXISTS (
        SELECT 1 FROM amendment a WHERE a.id = NEW.amendment AND a.tender = held.id
        AND a.deadline_after > a.deadline_before AND a.xmin = pg_current_xact_id()::xid) THEN
        PERFORM refuse('extension_by_amendment', 'A proposal is accepted by an amendment that puts'
            ' the deadline off.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_extension_decision BEFORE INSERT ON extension_decision
    FOR EACH ROW EXECUTE FUNCTION guard_extension_decision();

GRANT SELECT ON interruption, extension_proposal TO market_app;
GRANT SELECT, INSERT ON extension_decision TO market_app;
GRANT SELECT, INSERT ON interruption, extension_proposal TO market_guard;
GRANT SELECT, UPDATE ON service_beat TO market_guard;
GRANT SELECT ON extension_decision TO market_guard;
GRANT SELECT ON interruption, extension_proposal TO market_worker;
SELECT seal_guards();
GRANT EXECUTE ON FUNCTION beat(integer), fix_manifest(uuid), minutes_manifest(uuid),
    manifest_faults(uuid), count_manifest_faults(uuid) TO market_app;
GRANT EXECUTE ON FUNCTION fix_one_manifest() TO market_worker;
