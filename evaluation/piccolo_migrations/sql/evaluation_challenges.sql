-- Challenges of an award: while one is open its lot is on hold, and no contract comes of it. Under the
-- Public Contracts Regulations 2015 (regulation 95) and the Procurement Act 2023 (section 101) a claim
-- suspends the making of the contract by itself.

SELECT keep_append_only('lot_challenge', 'challenge_end');
SELECT keep_recorded('lot_challenge', 'challenge_end');
SELECT keep_to_persons('lot_challenge', 'challenge_end');

-- A challenge is open while it is not ended and the award that it is of stands.
CREATE FUNCTION challenge_is_open(asked lot_challenge) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(asked.award = latest_award(asked.lot), false)
       AND EXISTS (SELECT 1 FROM lot WHERE id = asked.lot AND stage = 'notified')
       AND NOT EXISTS (SELECT 1 FROM challenge_end e WHERE e.challenge = asked.id)
$$;

CREATE FUNCTION lot_on_hold(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM lot_challenge c WHERE c.lot = of_lot AND challenge_is_open(c))
$$;

-- Whether a decision on a challenge of the lot orders this, in this very transaction.
CREATE FUNCTION challenge_ordered(of_lot uuid, what text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM challenge_end e JOIN lot_challenge c ON c.id = e.challenge
                   WHERE c.lot = of_lot AND e.outcome = what
                     AND e.xmin = pg_current_xact_id()::xid)
$$;

-- The acting person manages the bids of an organisation; held, so that the membership cannot end
-- between what the door saw and this.
CREATE FUNCTION ensure_bids_for(one uuid, of_organisation uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF of_organisation IS DISTINCT FROM acting_organisation()
       OR one IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can act in another''s name.');
    END IF;
    PERFORM 1 FROM person WHERE id = one FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = one
                   AND m.organisation = of_organisation AND m.role = 'bid_manager'
                   AND m.ended_at IS NULL) THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation acts for it.');
    END IF;
END $$;

-- The lot is held alone: of a challenge and a contract at once the second finds what the first did.
CREATE FUNCTION guard_lot_challenge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    told_at timestamptz;
BEGIN
    held := hold_lot_stage(NEW.lot, 'notified');
    NEW.recorded_at := market_now();
    IF NEW.reference IS NULL THEN
        PERFORM ensure_bids_for(NEW.recorded_by, NEW.challenger);
        NEW.received_at := NEW.recorded_at;
    ELSE
        PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'tender_manager');
    END IF;
    NEW.award := latest_award(NEW.lot);
    SELECT min(n.sent_at) INTO told_at FROM award_notice n
        WHERE n.award = NEW.award AND n.recipient = NEW.challenger;
    IF told_at IS NULL THEN
        PERFORM refuse('challenge_of_bidder', 'Those challenge an award who bid for the lot.');
    END IF;
    IF NEW.received_at IS NULL OR NEW.received_at < told_at OR NEW.received_at > NEW.recorded_at THEN
        PERFORM refuse('challenge_received_since_notices',
            'A challenge is received between the notices and now.');
    END IF;
    IF EXISTS (SELECT 1 FROM lot_challenge c WHERE c.lot = NEW.lot
               AND c.challenger = NEW.challenger AND challenge_is_open(c)) THEN
        PERFORM refuse('challenge_open_once', 'This bidder''s challenge is not decided yet.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM lot_challenge WHERE lot = NEW.lot), 0);
    RETURN NEW;
END $$;
CREATE TRIGGER guard_lot_challenge BEFORE INSERT ON lot_challenge
    FOR EACH ROW EXECUTE FUNCTION guard_lot_challenge();

-- A decision ends what a bidder can do alone: who could challenge again at once would keep a lot on
-- hold for ever. A claim goes to a court, and its hold is recorded as received from there.
CREATE FUNCTION guard_challenge_again() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.reference IS NULL AND EXISTS (
        SELECT 1 FROM lot_challenge c JOIN challenge_end e ON e.challenge = c.id
        WHERE c.award = NEW.award AND c.challenger = NEW.challenger AND e.outcome = 'rejected')
    THEN
        PERFORM refuse('challenge_decided_once',
            'The challenge of this award by this bidder has been decided.');
    END IF;
    RETURN NEW;
END $$;
-- named to come after the guard that says which award it is of
CREATE TRIGGER guard_lot_challenge_again BEFORE INSERT ON lot_challenge
    FOR EACH ROW EXECUTE FUNCTION guard_challenge_again();

-- The guardian decides: everybody else with a duty evaluated, ran or decided what is challenged.
CREATE FUNCTION guard_challenge_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    asked lot_challenge;
BEGIN
    SELECT * INTO asked FROM lot_challenge WHERE id = NEW.challenge;
    SELECT * INTO held FROM lot WHERE id = asked.lot FOR NO KEY UPDATE;
    IF NEW.outcome = 'withdrawn' THEN
        PERFORM ensure_bids_for(NEW.ended_by, asked.challenger);
    ELSE
        PERFORM ensure_may_act(NEW.ended_by, held.tender, 'guardian');
    END IF;
    IF asked.id IS NULL OR NOT challenge_is_open(asked) THEN
        PERFORM refuse('challenge_open', 'That challenge is not open any more.');
    END IF;
    NEW.ended_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_challenge_end BEFORE INSERT ON challenge_end
    FOR EACH ROW EXECUTE FUNCTION guard_challenge_end();

-- What a decision orders is done by its end.
CREATE FUNCTION guard_challenge_followed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM lot_challenge c JOIN lot l ON l.id = c.lot
                   WHERE c.id = NEW.challenge AND CASE NEW.outcome
                       WHEN 'upheld_abandon' THEN l.stage = 'abandoned'
                       WHEN 'upheld_reevaluate' THEN l.stage = 'quality_scoring' AND EXISTS (
                           SELECT 1 FROM lot_round r WHERE r.challenge = c.id)
                       ELSE true END) THEN
        PERFORM refuse('challenge_followed', 'The lot did not follow the decision.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_challenge_followed AFTER INSERT ON challenge_end
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_challenge_followed();

-- -- on hold --------------------------------------------------------------------------------------

CREATE FUNCTION guard_on_hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM lot WHERE id = NEW.lot FOR NO KEY UPDATE;
    IF lot_on_hold(NEW.lot) THEN
        IF TG_TABLE_NAME = 'contract' THEN
            PERFORM refuse('no_contract_while_challenged',
                'No contract can be made while its award is challenged.');
        END IF;
        PERFORM refuse('lot_on_hold', 'The lot is on hold: its award is challenged.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_on_hold BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();
CREATE TRIGGER guard_on_hold BEFORE INSERT ON ranking
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();
CREATE TRIGGER guard_on_hold BEFORE INSERT ON drop_out
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();
CREATE TRIGGER guard_on_hold BEFORE INSERT ON recommendation
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();
CREATE TRIGGER guard_on_hold BEFORE INSERT ON award
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();

-- -- reading --------------------------------------------------------------------------------------

-- Whether the acting person reads all challenges of a lot: by duty, or as the buyers' auditor, without
-- an interest.
CREATE FUNCTION reads_challenges(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM lot l JOIN tender t ON t.id = l.tender
        WHERE l.id = of_lot AND t.opened_at IS NOT NULL
          AND l.id NOT IN (SELECT lots_kept_fresh())
          AND (l.id IN (SELECT evaluated_lots())
               OR audits_tender(t.id)
                  AND coalesce(why_not_unconflicted(acting_person(), t.id), 'declaration_missing')
                      = 'declaration_missing'))
$$;

-- The challenges of a lot: all of them, or those of the organisation one acts for.
CREATE FUNCTION challenges_shown(of_lot uuid)
RETURNS TABLE (id uuid, number integer, challenger uuid, challenger_name text, grounds text,
    reference text, received_at timestamptz, recorded_at timestamptz, open boolean,
    outcome text, reason text, ended_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.id, c.number, c.challenger, o.name, c.grounds, c.reference::text, c.received_at,
        c.recorded_at, challenge_is_open(c), e.outcome::text, e.reason, e.ended_at
    FROM lot_challenge c JOIN organisation o ON o.id = c.challenger
    LEFT JOIN challenge_end e ON e.challenge = c.id
    WHERE c.lot = of_lot
      AND (c.challenger = acting_organisation() OR reads_challenges(of_lot))
    ORDER BY c.number
$$;

ALTER TABLE lot_challenge ENABLE ROW LEVEL SECURITY;
ALTER TABLE challenge_end ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON lot_challenge FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON challenge_end FOR SELECT TO market_guard USING (true);
CREATE POLICY challenge_read ON lot_challenge FOR SELECT TO market_app
    USING (challenger = acting_organisation() OR lot IN (SELECT evaluated_lots()));
-- what a challenge says of scores and prices is no business of those who are to score anew
CREATE POLICY kept_fresh ON lot_challenge AS RESTRICTIVE FOR SELECT TO market_app
    USING (challenger = acting_organisation() OR lot NOT IN (SELECT lots_kept_fresh()));
CREATE POLICY challenge_made ON lot_challenge FOR INSERT TO market_app
    WITH CHECK (recorded_by = acting_person());
CREATE POLICY end_read ON challenge_end FOR SELECT TO market_app
    USING (challenge IN (SELECT c.id FROM lot_challenge c));
CREATE POLICY end_made ON challenge_end FOR INSERT TO market_app
    WITH CHECK (ended_by = acting_person());
CREATE POLICY worker_reads ON lot_challenge FOR SELECT TO market_worker USING (true);
CREATE POLICY worker_reads ON challenge_end FOR SELECT TO market_worker USING (true);

GRANT SELECT, INSERT ON lot_challenge, challenge_end TO market_app;
GRANT SELECT ON lot_challenge, challenge_end TO market_guard;
GRANT SELECT (id, lot, number, challenger, received_at) ON lot_challenge TO market_worker;
GRANT SELECT (id, challenge, outcome) ON challenge_end TO market_worker;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION lot_on_hold(uuid), reads_challenges(uuid), challenges_shown(uuid)
    TO market_app;
GRANT EXECUTE ON FUNCTION lot_on_hold(uuid), round_of(uuid) TO market_worker;
