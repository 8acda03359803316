-- The evaluation's promises: scored alone and with reasons, price unread until quality is locked,
-- exact sums, award by those who may, no contract before the standstill is over.

SELECT keep_append_only('score', 'score_lock', 'agreed_score', 'quality_decision', 'ranking',
    'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
    'contract');
SELECT keep_recorded('score', 'score_lock', 'agreed_score', 'quality_decision', 'ranking',
    'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
    'contract');
SELECT keep_to_persons('score', 'score_lock', 'agreed_score', 'quality_decision', 'ranking',
    'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
    'contract');

-- Scores share a lot; what decides about it holds it alone (below), so that no score, approval or
-- notice slips in between a decision's look at the rows and its commit. Always the lot before the
-- person, so that two acts never wait for each other.
CREATE FUNCTION ensure_lot_stage(of_lot uuid, VARIADIC stages text[]) RETURNS lot
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    SELECT * INTO STRICT held FROM lot WHERE id = of_lot FOR SHARE;
    IF NOT held.stage = ANY (stages) THEN
        PERFORM refuse('lot_stage', format('The lot is at the stage %s; this needs %s.',
            replace(held.stage, '_', ' '), replace(array_to_string(stages, ' or '), '_', ' ')));
    END IF;
    RETURN held;
END $$;

CREATE FUNCTION hold_lot_stage(of_lot uuid, VARIADIC stages text[]) RETURNS lot
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM lot WHERE id = of_lot FOR NO KEY UPDATE;
    RETURN ensure_lot_stage(of_lot, VARIADIC stages);
END $$;

-- -- quality --------------------------------------------------------------------------------------

-- What is scored: every bid of the lot but those whose quality envelope was found not to open.
-- One that nobody has opened yet counts, so that nothing is decided before the opening is complete.
CREATE FUNCTION scored_bids(of_lot uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.bid FROM manifest_entry m WHERE m.lot = of_lot AND NOT EXISTS (
        SELECT 1 FROM opened_envelope o WHERE o.bid = m.bid AND o.kind = 'quality'
        AND o.content IS NULL)
$$;

CREATE FUNCTION ensure_scorable(held lot, of_bid uuid, of_criterion uuid, given numeric)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
                   WHERE m.bid = of_bid AND m.lot = held.id AND o.kind = 'quality'
                     AND o.content IS NOT NULL) THEN
        PERFORM refuse('scored_bid_opened', 'Only bids of this lot that opened are scored.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM criterion WHERE id = of_criterion AND lot = held.id) THEN
        PERFORM refuse('scored_by_published_criteria', 'That is no criterion of this lot.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM scale_value WHERE tender = held.tender AND value = given) THEN
        PERFORM refuse('scored_on_published_scale',
            'That value is not on the published scale: only its values can be given.');
    END IF;
END $$;

CREATE FUNCTION guard_score() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.evaluator, held.tender, 'quality_evaluator');
    IF EXISTS (SELECT 1 FROM score_lock WHERE lot = NEW.lot AND evaluator = NEW.evaluator) THEN
        PERFORM refuse('locked_scores_stay', 'You have locked your scores of this lot.');
    END IF;
    PERFORM ensure_scorable(held, NEW.bid, NEW.criterion, NEW.value);
    NEW.number := 1 + coalesce((SELECT max(number) FROM score WHERE bid = NEW.bid
        AND criterion = NEW.criterion AND evaluator = NEW.evaluator), 0);
    NEW.scored_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_score BEFORE INSERT ON score FOR EACH ROW EXECUTE FUNCTION guard_score();

CREATE FUNCTION guard_score_lock() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    -- the person is held for update: scores of the same evaluator wait, so none slips in after
    PERFORM 1 FROM person WHERE id = NEW.evaluator FOR NO KEY UPDATE;
    PERFORM ensure_may_act(NEW.evaluator, held.tender, 'quality_evaluator');
    IF EXISTS (
        SELECT 1 FROM scored_bids(NEW.lot) b CROSS JOIN criterion c
        WHERE c.lot = NEW.lot AND NOT EXISTS (
            SELECT 1 FROM score s WHERE s.bid = b AND s.criterion = c.id
            AND s.evaluator = NEW.evaluator)) THEN
        PERFORM refuse('locked_scores_complete',
            'Score every criterion of every bid before locking.');
    END IF;
    NEW.locked_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_score_lock BEFORE INSERT ON score_lock
    FOR EACH ROW EXECUTE FUNCTION guard_score_lock();

-- Those who must score a lot and those who have finished.
CREATE FUNCTION evaluators_of(of_tender uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person FROM duty d WHERE d.tender = of_tender AND d.duty = 'quality_evaluator'
        AND holds_duty(d.person, of_tender, 'quality_evaluator')
        AND EXISTS (SELECT 1 FROM tender t WHERE t.id = of_tender AND t.stage = 'opened')
        AND coalesce(why_not_unconflicted(d.person, of_tender), 'declaration_missing')
            = 'declaration_missing'
$$;

CREATE FUNCTION all_scores_locked(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM evaluators_of(held.tender) e
            WHERE EXISTS (SELECT 1 FROM score_lock s WHERE s.lot = held.id AND s.evaluator = e))
           >= held.evaluators_minimum
       AND NOT EXISTS (SELECT 1 FROM evaluators_of(held.tender) e WHERE NOT EXISTS (
            SELECT 1 FROM score_lock s WHERE s.lot = held.id AND s.evaluator = e))
$$;

-- Whether the scores of a lot can be read by the panel: locked by all, or decided upon.
CREATE FUNCTION all_scores_closed(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT held.stage <> 'quality_scoring' OR all_scores_locked(held)
$$;

CREATE FUNCTION guard_agreed_score() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.moderator, held.tender, 'moderator');
    IF NOT all_scores_locked(held) THEN
        PERFORM refuse('moderated_after_locking',
            'Moderation begins when every evaluator has locked, and enough have.');
    END IF;
    IF EXISTS (SELECT 1 FROM quality_decision WHERE bid = NEW.bid) THEN
        PERFORM refuse('locked_scores_stay', 'The quality of this bid is decided.');
    END IF;
    PERFORM ensure_scorable(held, NEW.bid, NEW.criterion, NEW.value);
    NEW.number := 1 + coalesce((SELECT max(number) FROM agreed_score WHERE bid = NEW.bid
        AND criterion = NEW.criterion), 0);
    NEW.agreed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_agreed_score BEFORE INSERT ON agreed_score
    FOR EACH ROW EXECUTE FUNCTION guard_agreed_score();

-- The sum is done again here, by multiplication alone, so that it is exact:
-- points = sum(weight x agreed / highest); passed = points / quality weight >= minimum / 100.
-- A bid whose quality envelope did not open gets no points and has not passed, whatever the minimum.
CREATE FUNCTION guard_quality_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    agreed numeric;
    highest numeric;
    scored integer;
BEGIN
    held := hold_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.decided_by, held.tender, 'moderator');
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
                   WHERE m.bid = NEW.bid AND m.lot = NEW.lot AND o.kind = 'quality') THEN
        PERFORM refuse('scored_bid_opened', 'Only opened bids of this lot are decided.');
    END IF;
    IF NOT all_scores_locked(held) THEN
        PERFORM refuse('moderated_after_locking',
            'Quality is decided when every evaluator has locked, and enough have.');
    END IF;
    NEW.decided_at := market_now();
    IF NOT NEW.bid IN (SELECT scored_bids(NEW.lot)) THEN
        IF NEW.points_numerator <> 0 OR NEW.passed THEN
            PERFORM refuse('quality_adds_up', 'A bid that did not open gets no points.');
        END IF;
        RETURN NEW;
    END IF;
    SELECT max(value) INTO highest FROM scale_value WHERE tender = held.tender;
    SELECT coalesce(sum(c.weight * a.value), 0), count(a.value) INTO agreed, scored
        FROM criterion c LEFT JOIN LATERAL (
            SELECT value FROM agreed_score WHERE bid = NEW.bid AND criterion = c.id
            ORDER BY number DESC LIMIT 1) a ON true
        WHERE c.lot = NEW.lot;
    IF scored <> (SELECT count(*) FROM criterion WHERE lot = NEW.lot) THEN
        PERFORM refuse('quality_fully_moderated', 'A criterion has no agreed score yet.');
    END IF;
    IF NEW.points_numerator * highest <> agreed * NEW.points_denominator
       OR NEW.passed <> (agreed * 100 >= held.minimum_quality * held.quality_weight * highest) THEN
        PERFORM refuse('quality_adds_up', 'The quality points do not follow from the scores.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_quality_decision BEFORE INSERT ON quality_decision
    FOR EACH ROW EXECUTE FUNCTION guard_quality_decision();

CREATE OR REPLACE FUNCTION quality_passed(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT passed FROM quality_decision WHERE bid = of_bid), false)
$$;
