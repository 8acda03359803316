-- The evaluation's promises: scored alone and with reasons, price unread until quality is locked,
-- exact sums, award by those who may, no contract before the standstill is over.

SELECT keep_append_only('score', 'score_lock', 'agreed_score', 'dissent', 'quality_decision',
    'ranking', 'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
    'contract');
SELECT keep_recorded('score', 'score_lock', 'agreed_score', 'dissent', 'quality_decision',
    'ranking', 'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
    'contract');
SELECT keep_to_persons('score', 'score_lock', 'agreed_score', 'dissent', 'quality_decision',
    'ranking', 'ranked_bid', 'drop_out', 'recommendation', 'approval', 'award', 'award_notice', 'standstill',
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

-- What is passed or failed is scored 1 or 0, everything else on the published scale.
CREATE FUNCTION ensure_scorable(held lot, of_bid uuid, of_criterion uuid, given numeric)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE passed_or_failed boolean;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
                   WHERE m.bid = of_bid AND m.lot = held.id AND o.kind = 'quality'
                     AND o.content IS NOT NULL) THEN
        PERFORM refuse('scored_bid_opened', 'Only bids of this lot that opened are scored.');
    END IF;
    SELECT pass_fail INTO passed_or_failed FROM criterion
        WHERE id = of_criterion AND lot = held.id;
    IF passed_or_failed IS NULL THEN
        PERFORM refuse('scored_by_published_criteria', 'That is no criterion of this lot.');
    END IF;
    IF passed_or_failed THEN
        IF given IS NULL OR NOT given IN (0, 1) THEN
            PERFORM refuse('scored_on_published_scale', 'That criterion is passed or failed.');
        END IF;
    ELSIF NOT EXISTS (SELECT 1 FROM scale_value WHERE tender = held.tender AND value = given) THEN
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
    IF EXISTS (SELECT 1 FROM current_score_lock WHERE lot = NEW.lot AND evaluator = NEW.evaluator) THEN
        PERFORM refuse('locked_scores_stay', 'You have locked your scores of this lot.');
    END IF;
    PERFORM ensure_scorable(held, NEW.bid, NEW.criterion, NEW.value);
    IF NOT EXISTS (SELECT 1 FROM seats_of(NEW.lot) s
                   WHERE s.evaluator = NEW.evaluator AND s.criterion = NEW.criterion) THEN
        PERFORM refuse('scored_as_assigned', 'You are not assigned to that criterion.');
    END IF;
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
    IF NOT NEW.evaluator IN (SELECT evaluators_of_lot(NEW.lot)) THEN
        PERFORM refuse('scored_as_assigned', 'You are not assigned to any criterion of this lot.');
    END IF;
    IF EXISTS (
        SELECT 1 FROM scored_bids(NEW.lot) b CROSS JOIN seats_of(NEW.lot) c
        WHERE c.evaluator = NEW.evaluator AND NOT EXISTS (
            SELECT 1 FROM current_score s WHERE s.bid = b AND s.criterion = c.criterion
            AND s.evaluator = NEW.evaluator)) THEN
        PERFORM refuse('locked_scores_complete',
            'Score every criterion of every bid before locking.');
    END IF;
    NEW.locked_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_score_lock BEFORE INSERT ON score_lock
    FOR EACH ROW EXECUTE FUNCTION guard_score_lock();

-- Every evaluator of the lot has finished, and of each criterion enough have.
CREATE FUNCTION all_scores_locked(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH seated AS MATERIALIZED (
        SELECT s.criterion, EXISTS (SELECT 1 FROM current_score_lock k WHERE k.lot = held.id
            AND k.evaluator = s.evaluator) AS locked
        FROM seats_of(held.id) s)
    SELECT NOT EXISTS (SELECT 1 FROM seated WHERE NOT locked) AND NOT EXISTS (
        SELECT 1 FROM criterion c WHERE c.lot = held.id AND held.evaluators_minimum
            > (SELECT count(*) FROM seated s WHERE s.criterion = c.id))
$$;

-- Whether the scores of a lot can be read by the panel: locked by all, or decided upon.
CREATE FUNCTION all_scores_closed(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT held.stage <> 'quality_scoring' OR all_scores_locked(held)
$$;

-- The mean, where it is published, is computed here and typed by nobody. On whose scores the agreed
-- one stands is kept with it: when that changes, it is agreed anew.
CREATE FUNCTION guard_agreed_score() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    total numeric;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.moderator, held.tender, 'moderator');
    IF NOT all_scores_locked(held) THEN
        PERFORM refuse('moderated_after_locking',
            'Moderation begins when every evaluator has locked, and enough have.');
    END IF;
    IF EXISTS (SELECT 1 FROM current_quality_decision WHERE bid = NEW.bid) THEN
        PERFORM refuse('locked_scores_stay', 'The quality of this bid is decided.');
    END IF;
    SELECT sum(s.value), coalesce(array_agg(s.evaluator ORDER BY s.evaluator), '{}')
        INTO total, NEW.counted FROM counting_scores(NEW.lot, NEW.bid, NEW.criterion) s;
    NEW.divisor := 1;
    IF (SELECT mean FROM panel_rules(held.tender))
       AND EXISTS (SELECT 1 FROM criterion WHERE id = NEW.criterion AND NOT pass_fail) THEN
        IF NEW.value IS NOT NULL THEN
            PERFORM refuse('mean_is_computed',
                'The published rule is the mean of the scores: give the reason alone.');
        END IF;
        PERFORM ensure_scorable(held, NEW.bid, NEW.criterion,
            (SELECT max(value) FROM scale_value WHERE tender = held.tender));
        NEW.value := total;
        NEW.divisor := cardinality(NEW.counted);
    ELSE
        PERFORM ensure_scorable(held, NEW.bid, NEW.criterion, NEW.value);
    END IF;
    IF NEW.discussion IS NULL AND is_flagged(NEW.lot, NEW.bid, NEW.criterion) THEN
        PERFORM refuse('spread_discussed',
            'The scores lie further apart than was published: say how the panel discussed them.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM agreed_score WHERE bid = NEW.bid
        AND criterion = NEW.criterion), 0);
    NEW.agreed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_agreed_score BEFORE INSERT ON agreed_score
    FOR EACH ROW EXECUTE FUNCTION guard_agreed_score();

-- Dissent is an evaluator's whose score counts, from the agreed score that stands.
CREATE FUNCTION guard_dissent() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    agreed agreed_score;
BEGIN
    SELECT * INTO agreed FROM current_agreed_score WHERE id = NEW.agreed_score;
    IF NOT FOUND THEN
        PERFORM refuse('dissent_from_agreed', 'There is no such agreed score.');
    END IF;
    held := ensure_lot_stage(agreed.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.evaluator, held.tender, 'quality_evaluator');
    IF NOT NEW.evaluator = ANY (agreed.counted) OR EXISTS (
        SELECT 1 FROM current_agreed_score a WHERE a.bid = agreed.bid AND a.criterion = agreed.criterion
        AND a.number > agreed.number) THEN
        PERFORM refuse('dissent_from_agreed',
            'Those dissent whose scores count, from the agreed score that stands.');
    END IF;
    NEW.dissented_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_dissent BEFORE INSERT ON dissent
    FOR EACH ROW EXECUTE FUNCTION guard_dissent();

-- The agreed score of each criterion of a bid that stands: the last one.
CREATE FUNCTION standing_agreed(of_bid uuid) RETURNS SETOF agreed_score LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (a.criterion) a.* FROM current_agreed_score a WHERE a.bid = of_bid
    ORDER BY a.criterion, a.number DESC
$$;

-- What a bid fails by: a criterion it failed, one below its minimum, the minimum over all.
CREATE FUNCTION failings_of(of_bid uuid, enough boolean) RETURNS text[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(f.failing), '{}') FROM (
        SELECT CASE WHEN c.pass_fail THEN 'failed:' ELSE 'below_minimum:' END || c.code AS failing
        FROM standing_agreed(of_bid) a JOIN criterion c ON c.id = a.criterion
        WHERE CASE WHEN c.pass_fail THEN a.value = 0 ELSE a.value < c.minimum * a.divisor END
        UNION ALL SELECT 'minimum_quality' WHERE NOT enough) f
$$;

CREATE AGGREGATE lcm_of (bigint) (SFUNC = lcm, STYPE = bigint, INITCOND = '1');

-- The sum is done again here, by multiplication alone, so that it is exact:
-- points = sum(weight x agreed / highest); enough = points / quality weight >= minimum / 100, and a
-- bid passes that fails by nothing else either. Means are brought to one divisor.
-- A bid whose quality envelope did not open gets no points and has not passed, whatever the minimum.
CREATE FUNCTION guard_quality_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    agreed numeric;
    highest numeric;
    scored integer;
    common bigint := 1;
    failings text[];
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
        IF NEW.points_numerator <> 0 OR NEW.passed OR NEW.failed_because <> '{not_opened}' THEN
            PERFORM refuse('quality_adds_up', 'A bid that did not open gets no points.');
        END IF;
        RETURN NEW;
    END IF;
    SELECT max(value) INTO highest FROM scale_value WHERE tender = held.tender;
    SELECT coalesce(lcm_of(a.divisor::bigint), 1) INTO common FROM standing_agreed(NEW.bid) a;
    SELECT coalesce(sum(c.weight * a.value * (common / a.divisor)), 0), count(a.value)
        INTO agreed, scored
        FROM criterion c JOIN standing_agreed(NEW.bid) a ON a.criterion = c.id
        WHERE c.lot = NEW.lot;
    IF scored <> (SELECT count(*) FROM criterion WHERE lot = NEW.lot) THEN
        PERFORM refuse('quality_fully_moderated', 'A criterion has no agreed score yet.');
    END IF;
    -- everybody has locked, so whoever has a seat has scored the bid
    IF EXISTS (
        WITH seated AS MATERIALIZED (SELECT * FROM counting_seats(NEW.lot))
        SELECT 1 FROM standing_agreed(NEW.bid) a WHERE a.counted IS DISTINCT FROM (
            SELECT array_agg(t.evaluator ORDER BY t.evaluator) FROM seated t
            WHERE t.criterion = a.criterion)) THEN
        PERFORM refuse('moderated_on_counting_scores',
            'The panel has changed since a score was agreed: agree on it anew.');
    END IF;
    failings := failings_of(NEW.bid,
        agreed * 100 >= held.minimum_quality * held.quality_weight * highest * common);
    IF NEW.points_numerator * highest * common <> agreed * NEW.points_denominator
       OR NEW.passed <> (failings = '{}')
       OR NOT (NEW.failed_because @> failings AND NEW.failed_because <@ failings) THEN
        PERFORM refuse('quality_adds_up', 'The quality points do not follow from the scores.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_quality_decision BEFORE INSERT ON quality_decision
    FOR EACH ROW EXECUTE FUNCTION guard_quality_decision();

CREATE OR REPLACE FUNCTION quality_passed(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT passed FROM current_quality_decision WHERE bid = of_bid), false)
$$;
