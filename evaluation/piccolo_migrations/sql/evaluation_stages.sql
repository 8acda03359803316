-- A lot moves along lawful transitions only, and only when what its next stage needs was done.

CREATE FUNCTION guard_lot() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE lawful boolean;
BEGIN
    IF NEW.version <> OLD.version + 1 THEN
        PERFORM refuse('lot_version_counts', 'The version goes up by one with every change.');
    END IF;
    IF NEW.stage = OLD.stage AND amended_now(NEW.tender) THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM lot_transition
                   WHERE earlier = OLD.stage AND later = NEW.stage) THEN
        PERFORM refuse('lot_transition', format('A lot cannot go from %s to %s.',
            replace(OLD.stage, '_', ' '), replace(NEW.stage, '_', ' ')));
    END IF;
    CASE NEW.stage
    WHEN 'quality_scoring' THEN
        lawful := (SELECT stage FROM tender WHERE id = NEW.tender) = 'opened'
            AND (OLD.stage = 'bidding' OR challenge_ordered(NEW.id, 'upheld_reevaluate')
                 AND latest_ranking(NEW.id) IS NULL);
    WHEN 'quality_locked' THEN
        lawful := NOT EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.id AND NOT EXISTS (
                      SELECT 1 FROM current_quality_decision q WHERE q.bid = m.bid));
    WHEN 'price_opened' THEN
        lawful := EXISTS (SELECT 1 FROM current_quality_decision q WHERE q.lot = NEW.id AND q.passed)
            AND NOT EXISTS (SELECT 1 FROM current_quality_decision q WHERE q.lot = NEW.id AND q.passed
                AND NOT EXISTS (SELECT 1 FROM opened_envelope o
                                WHERE o.bid = q.bid AND o.kind = 'price'));
    WHEN 'ranked' THEN
        lawful := CASE OLD.stage
            WHEN 'price_opened' THEN ranking_whole(NEW.id)
            ELSE reranked_now(NEW.id) OR OLD.stage = 'recommended' AND EXISTS (SELECT 1 FROM approval a WHERE a.outcome = 'returned'
                         AND a.recommendation = latest_recommendation(NEW.id)) END;
    WHEN 'recommended' THEN
        lawful := EXISTS (SELECT 1 FROM recommendation r WHERE r.lot = NEW.id AND NOT EXISTS (
                      SELECT 1 FROM approval a WHERE a.recommendation = r.id
                      AND a.outcome = 'returned') AND r.id = latest_recommendation(NEW.id)
                      AND r.ranking = latest_ranking(NEW.id));
    WHEN 'awarded' THEN
        lawful := latest_award(NEW.id) IS NOT NULL;
    WHEN 'notified' THEN
        lawful := EXISTS (SELECT 1 FROM standstill s WHERE s.award = latest_award(NEW.id))
            AND NOT EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.id AND NOT EXISTS (
                SELECT 1 FROM award_notice n
                WHERE n.bid = m.bid AND n.award = latest_award(NEW.id)));
    WHEN 'contracted' THEN
        lawful := EXISTS (SELECT 1 FROM contract c WHERE c.lot = NEW.id);
    WHEN 'abandoned' THEN
        -- with its tender, or by the tender manager; who bids is known to them after the opening
        IF (SELECT stage FROM tender WHERE id = NEW.tender) = 'abandoned' THEN
            lawful := true;
        ELSIF challenge_ordered(NEW.id, 'upheld_abandon') THEN
            lawful := true;
        ELSIF OLD.stage = 'bidding' THEN
            lawful := holds_duty(acting_person(), NEW.tender, 'tender_manager');
        ELSE
            PERFORM ensure_may_act(acting_person(), NEW.tender, 'tender_manager');
            lawful := true;
        END IF;
    ELSE
        lawful := false;
    END CASE;
    IF NOT coalesce(lawful, false) THEN
        PERFORM refuse('lot_stage_earned', format('What the stage %s needs has not been done.',
            replace(NEW.stage, '_', ' ')));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_lot BEFORE UPDATE ON lot FOR EACH ROW EXECUTE FUNCTION guard_lot();
