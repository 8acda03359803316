-- The evaluation's promises: scored alone and with reasons, price unread until quality is locked,
-- exact sums, award by those who may, no contract before the standstill is over.

SELECT keep_append_only('score', 'score_lock', 'agreed_score', 'quality_decision', 'ranking',
    'ranked_bid', 'recommendation', 'approval', 'award', 'award_notice', 'standstill', 'contract');
SELECT keep_recorded('score', 'score_lock', 'agreed_score', 'quality_decision', 'ranking',
    'ranked_bid', 'recommendation', 'approval', 'award', 'award_notice', 'standstill', 'contract');

-- Lock a lot for an act of its evaluation, and refuse at any other stage.
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

-- -- quality --------------------------------------------------------------------------------------

CREATE FUNCTION ensure_scorable(held lot, of_bid uuid, of_criterion uuid, given numeric)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
                   WHERE m.bid = of_bid AND m.lot = held.id AND o.kind = 'quality') THEN
        PERFORM refuse('scored_bid_opened', 'Only opened bids of this lot are scored.');
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
    -- the person is held for update: scores of the same evaluator wait, so none slips in after
    PERFORM 1 FROM person WHERE id = NEW.evaluator FOR NO KEY UPDATE;
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.evaluator, held.tender, 'quality_evaluator');
    IF EXISTS (
        SELECT 1 FROM manifest_entry m CROSS JOIN criterion c
        WHERE m.lot = NEW.lot AND c.lot = NEW.lot AND NOT EXISTS (
            SELECT 1 FROM score s WHERE s.bid = m.bid AND s.criterion = c.id
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
        AND d.released_at IS NULL
        AND EXISTS (SELECT 1 FROM tender t WHERE t.id = of_tender AND t.stage = 'opened')
        AND (why_not_unconflicted(d.person, of_tender) IS NULL
             OR why_not_unconflicted(d.person, of_tender) = 'declaration_missing')
$$;

CREATE FUNCTION all_scores_locked(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM evaluators_of(held.tender) e
            WHERE EXISTS (SELECT 1 FROM score_lock s WHERE s.lot = held.id AND s.evaluator = e))
           >= held.evaluators_minimum
       AND NOT EXISTS (SELECT 1 FROM evaluators_of(held.tender) e WHERE NOT EXISTS (
            SELECT 1 FROM score_lock s WHERE s.lot = held.id AND s.evaluator = e))
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
CREATE FUNCTION guard_quality_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    agreed numeric;
    highest numeric;
    scored integer;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'quality_scoring');
    PERFORM ensure_may_act(NEW.decided_by, held.tender, 'moderator');
    IF NOT EXISTS (SELECT 1 FROM manifest_entry WHERE bid = NEW.bid AND lot = NEW.lot) THEN
        PERFORM refuse('scored_bid_opened', 'Only bids of this lot are decided.');
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
    NEW.decided_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_quality_decision BEFORE INSERT ON quality_decision
    FOR EACH ROW EXECUTE FUNCTION guard_quality_decision();

CREATE OR REPLACE FUNCTION quality_passed(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT passed FROM quality_decision WHERE bid = of_bid), false)
$$;

-- -- ranking and award ------------------------------------------------------------------------------

CREATE FUNCTION guard_ranking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'price_opened');
    PERFORM ensure_may_act(NEW.ranked_by, held.tender, 'price_evaluator');
    NEW.ranked_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ranking BEFORE INSERT ON ranking
    FOR EACH ROW EXECUTE FUNCTION guard_ranking();

-- A ranked bid passed, its price was opened, and its total is the sum of its parts.
CREATE FUNCTION guard_ranked_bid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_lot_stage((SELECT lot FROM ranking WHERE id = NEW.ranking), 'price_opened');
    IF NOT EXISTS (
        SELECT 1 FROM quality_decision q JOIN opened_envelope o ON o.bid = q.bid
        JOIN ranking r ON r.lot = q.lot
        WHERE q.bid = NEW.bid AND r.id = NEW.ranking AND q.passed AND o.kind = 'price'
          AND o.content IS NOT NULL
          AND q.points_numerator * NEW.quality_denominator
              = NEW.quality_numerator * q.points_denominator) THEN
        PERFORM refuse('ranked_bid_passed', 'Only bids that met the minimum are ranked.');
    END IF;
    IF NEW.total_numerator * NEW.quality_denominator * NEW.price_denominator
       <> NEW.total_denominator * (NEW.quality_numerator * NEW.price_denominator
                                   + NEW.price_numerator * NEW.quality_denominator) THEN
        PERFORM refuse('ranking_adds_up', 'A total is not the sum of its points.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ranked_bid BEFORE INSERT ON ranked_bid
    FOR EACH ROW EXECUTE FUNCTION guard_ranked_bid();

CREATE FUNCTION guard_recommendation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'ranked');
    PERFORM ensure_may_act(NEW.recommended_by, held.tender, 'moderator');
    IF NOT EXISTS (SELECT 1 FROM ranked_bid b JOIN ranking r ON r.id = b.ranking
                   WHERE r.lot = NEW.lot AND b.bid = NEW.bid AND b.place = 1 AND NOT b.tied) THEN
        PERFORM refuse('recommended_bid_ranks_first',
            'Only the bid that alone ranks first can be recommended.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM recommendation WHERE lot = NEW.lot), 0);
    NEW.recommended_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_recommendation BEFORE INSERT ON recommendation
    FOR EACH ROW EXECUTE FUNCTION guard_recommendation();

CREATE FUNCTION latest_recommendation(of_lot uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM recommendation WHERE lot = of_lot ORDER BY number DESC LIMIT 1
$$;

CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    of_lot uuid;
BEGIN
    SELECT lot INTO STRICT of_lot FROM recommendation WHERE id = NEW.recommendation;
    held := ensure_lot_stage(of_lot, 'recommended');
    PERFORM ensure_may_act(NEW.approver, held.tender, 'award_approver');
    IF NEW.recommendation IS DISTINCT FROM latest_recommendation(of_lot) THEN
        PERFORM refuse('approves_latest', 'There is a later recommendation.');
    END IF;
    NEW.lay := EXISTS (SELECT 1 FROM membership m JOIN duty d ON d.organisation = m.organisation
        AND d.person = m.person WHERE m.person = NEW.approver AND m.role = 'lay_member'
        AND m.ended_at IS NULL AND d.tender = held.tender AND d.duty = 'award_approver');
    NEW.decided_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_approval BEFORE INSERT ON approval
    FOR EACH ROW EXECUTE FUNCTION guard_approval();

-- The quorum counts approvers who still hold the duty and still have no interest; one is lay.
CREATE FUNCTION award_approved(held lot) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE a.outcome = 'approved') >= held.approval_quorum
       AND coalesce(bool_or(a.lay) FILTER (WHERE a.outcome = 'approved'), false)
       AND NOT coalesce(bool_or(a.outcome = 'returned'), false)
    FROM approval a WHERE a.recommendation = latest_recommendation(held.id)
      AND holds_duty(a.approver, held.tender, 'award_approver')
      AND why_not_unconflicted(a.approver, held.tender) IS NULL
$$;

CREATE FUNCTION guard_award() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'recommended');
    IF NOT award_approved(held) OR NOT EXISTS (
        SELECT 1 FROM recommendation r WHERE r.id = NEW.recommendation AND r.bid = NEW.bid
        AND r.id = latest_recommendation(NEW.lot)) THEN
        PERFORM refuse('award_approved',
            'The quorum of approvers, a lay member among them, has not approved this award.');
    END IF;
    NEW.awarded_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_award BEFORE INSERT ON award FOR EACH ROW EXECUTE FUNCTION guard_award();

CREATE FUNCTION guard_notice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'awarded');
    PERFORM ensure_may_act(NEW.sent_by, held.tender, 'tender_manager');
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN bid b ON b.id = m.bid
                   WHERE m.lot = NEW.lot AND b.id = NEW.bid AND b.organisation = NEW.recipient) THEN
        PERFORM refuse('notice_to_bidder', 'Notices go to the bidders of the lot.');
    END IF;
    NEW.sent_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_notice BEFORE INSERT ON award_notice
    FOR EACH ROW EXECUTE FUNCTION guard_notice();

CREATE FUNCTION guard_standstill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'awarded');
    IF NEW.rule_set IS DISTINCT FROM (SELECT rule_set FROM tender WHERE id = held.tender) THEN
        PERFORM refuse('standstill_by_rule_set', 'The standstill follows the tender''s rule set.');
    END IF;
    NEW.began_at := market_now();
    -- whatever a programme computed, no rule set knows a standstill of under eight days
    IF NEW.ends_at < NEW.began_at + interval '8 days' THEN
        PERFORM refuse('standstill_long_enough', 'The standstill is too short.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_standstill BEFORE INSERT ON standstill
    FOR EACH ROW EXECUTE FUNCTION guard_standstill();

CREATE FUNCTION guard_contract() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_lot_stage(NEW.lot, 'notified');
    PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'contract_manager', 'tender_manager');
    PERFORM hold_clock();
    NEW.made_at := market_now();
    IF NOT EXISTS (SELECT 1 FROM standstill s WHERE s.lot = NEW.lot
                   AND s.ends_at <= NEW.made_at) THEN
        PERFORM refuse('no_contract_in_standstill',
            'No contract can be made before the standstill is over.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM award WHERE id = NEW.award AND lot = NEW.lot) THEN
        PERFORM refuse('contract_follows_award', 'A contract follows the award of its lot.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_contract();

-- -- the lot's stages -------------------------------------------------------------------------------

CREATE FUNCTION guard_lot() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE lawful boolean;
BEGIN
    IF NEW.version <> OLD.version + 1 THEN
        PERFORM refuse('lot_version_counts', 'The version goes up by one with every change.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM lot_transition
                   WHERE earlier = OLD.stage AND later = NEW.stage) THEN
        PERFORM refuse('lot_transition', format('A lot cannot go from %s to %s.',
            replace(OLD.stage, '_', ' '), replace(NEW.stage, '_', ' ')));
    END IF;
    CASE NEW.stage
    WHEN 'quality_scoring' THEN
        lawful := (SELECT stage FROM tender WHERE id = NEW.tender) = 'opened';
    WHEN 'quality_locked' THEN
        lawful := NOT EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.id AND NOT EXISTS (
                      SELECT 1 FROM quality_decision q WHERE q.bid = m.bid));
    WHEN 'price_opened' THEN
        lawful := EXISTS (SELECT 1 FROM quality_decision q WHERE q.lot = NEW.id AND q.passed)
            AND NOT EXISTS (SELECT 1 FROM quality_decision q WHERE q.lot = NEW.id AND q.passed
                AND NOT EXISTS (SELECT 1 FROM opened_envelope o
                                WHERE o.bid = q.bid AND o.kind = 'price'));
    WHEN 'ranked' THEN
        lawful := CASE OLD.stage
            WHEN 'price_opened' THEN
                EXISTS (SELECT 1 FROM ranked_bid b JOIN ranking r ON r.id = b.ranking
                        WHERE r.lot = NEW.id)
            ELSE EXISTS (SELECT 1 FROM approval a WHERE a.outcome = 'returned'
                         AND a.recommendation = latest_recommendation(NEW.id)) END;
    WHEN 'recommended' THEN
        lawful := EXISTS (SELECT 1 FROM recommendation r WHERE r.lot = NEW.id AND NOT EXISTS (
                      SELECT 1 FROM approval a WHERE a.recommendation = r.id
                      AND a.outcome = 'returned') AND r.id = latest_recommendation(NEW.id));
    WHEN 'awarded' THEN
        lawful := EXISTS (SELECT 1 FROM award a WHERE a.lot = NEW.id);
    WHEN 'notified' THEN
        lawful := EXISTS (SELECT 1 FROM standstill s WHERE s.lot = NEW.id)
            AND NOT EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.id AND NOT EXISTS (
                SELECT 1 FROM award_notice n WHERE n.bid = m.bid));
    WHEN 'contracted' THEN
        lawful := EXISTS (SELECT 1 FROM contract c WHERE c.lot = NEW.id);
    ELSE
        lawful := true;
    END CASE;
    IF NOT lawful THEN
        PERFORM refuse('lot_stage_earned', format('What the stage %s needs has not been done.',
            replace(NEW.stage, '_', ' ')));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_lot BEFORE UPDATE ON lot FOR EACH ROW EXECUTE FUNCTION guard_lot();

-- -- who sees what ----------------------------------------------------------------------------------

-- Scores are their evaluator's alone until every evaluator has locked.
CREATE FUNCTION reads_score(of_lot uuid, by uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT by = acting_person() OR EXISTS (
        SELECT 1 FROM lot l WHERE l.id = of_lot
        AND (l.stage <> 'quality_scoring' OR all_scores_locked(l))
        AND holds_duty(acting_person(), l.tender, 'quality_evaluator', 'moderator',
                       'award_approver', 'guardian', 'price_evaluator', 'tender_manager')
        AND (why_not_unconflicted(acting_person(), l.tender) IS NULL))
$$;

CREATE FUNCTION reads_evaluation(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM lot l WHERE l.id = of_lot
        AND holds_duty(acting_person(), l.tender, 'quality_evaluator', 'moderator',
                       'award_approver', 'guardian', 'price_evaluator', 'tender_manager',
                       'contract_manager', 'outcome_reviewer')
        AND why_not_unconflicted(acting_person(), l.tender) IS NULL)
$$;

ALTER TABLE score ENABLE ROW LEVEL SECURITY;
ALTER TABLE agreed_score ENABLE ROW LEVEL SECURITY;
ALTER TABLE ranked_bid ENABLE ROW LEVEL SECURITY;
ALTER TABLE award_notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON score FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON agreed_score FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON ranked_bid FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON award_notice FOR SELECT TO market_guard USING (true);
CREATE POLICY score_read ON score FOR SELECT TO market_app USING (reads_score(lot, evaluator));
CREATE POLICY score_made ON score FOR INSERT TO market_app
    WITH CHECK (evaluator = acting_person());
CREATE POLICY agreed_read ON agreed_score FOR SELECT TO market_app USING (reads_evaluation(lot));
CREATE POLICY agreed_made ON agreed_score FOR INSERT TO market_app
    WITH CHECK (moderator = acting_person());
CREATE POLICY ranked_read ON ranked_bid FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM ranking r WHERE r.id = ranked_bid.ranking
                   AND reads_evaluation(r.lot)));
CREATE POLICY ranked_made ON ranked_bid FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY notice_read ON award_notice FOR SELECT TO market_app
    USING (recipient = acting_organisation() OR reads_evaluation(lot));
CREATE POLICY notice_made ON award_notice FOR INSERT TO market_app WITH CHECK (true);

GRANT SELECT, INSERT ON score, score_lock, agreed_score, quality_decision, ranking, ranked_bid,
    recommendation, approval, award, award_notice, standstill, contract TO market_app;
GRANT SELECT ON score, score_lock, agreed_score, quality_decision, ranking, ranked_bid,
    recommendation, approval, award, award_notice, standstill, contract TO market_guard;
GRANT EXECUTE ON FUNCTION evaluators_of(uuid), all_scores_locked(lot), award_approved(lot),
    latest_recommendation(uuid), reads_score(uuid, uuid), reads_evaluation(uuid),
    quality_passed(uuid) TO market_app;

SELECT seal_guards();
