-- From the ranking to the contract: award by those who may, no contract before the standstill is
-- over. A lot whose winner drops out is awarded again: the latest award counts.

-- The bid that is recommended for a lot now, by the latest ranking and with no approver against it.
CREATE FUNCTION standing_recommendation(of_lot uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.bid FROM recommendation r JOIN lot l ON l.id = r.lot
    WHERE r.lot = of_lot AND r.ranking = latest_ranking(of_lot)
      AND l.stage IN ('recommended', 'awarded', 'notified', 'contracted')
    ORDER BY r.number DESC LIMIT 1
$$;

-- Where lots are limited: all are ranked before one is recommended, nobody gets more than the limit,
-- and nobody is passed over who could not have enough other lots. Lot by lot in order the database
-- follows the rule itself; the least sum of ranks is solved by the rule in Python.
CREATE FUNCTION ensure_within_lot_limit(held lot, of_bid uuid, allowed jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    most integer := (allowed ->> 'lots')::integer;
    chosen ranked_bid;
    bidder uuid := (SELECT organisation FROM bid WHERE id = of_bid);
    part lot;
    given uuid;
    won uuid[];
BEGIN
    -- two lots are not recommended at once: each would miss the other
    PERFORM pg_advisory_xact_lock(hashtextextended('lot_limit ' || held.tender, 0));
    IF EXISTS (SELECT 1 FROM lot l WHERE l.tender = held.tender AND l.stage <> 'abandoned'
               AND latest_ranking(l.id) IS NULL) THEN
        PERFORM refuse('lots_ranked_first', 'Lots are allocated once all are ranked.');
    END IF;
    SELECT * INTO chosen FROM ranked_bid WHERE ranking = latest_ranking(held.id) AND bid = of_bid;
    IF chosen.id IS NULL OR chosen.tied THEN
        PERFORM refuse('recommended_bid_ranks_first', 'Only a bid whose place is its own.');
    END IF;
    won := ARRAY(SELECT b.organisation FROM lot l JOIN bid b ON b.id = standing_recommendation(l.id)
                 WHERE l.tender = held.tender AND l.id <> held.id);
    IF (SELECT count(*) FROM unnest(won) o WHERE o = bidder) >= most THEN
        PERFORM refuse('lot_limit_kept', 'One supplier would have more lots than may be.');
    END IF;
    IF EXISTS (SELECT 1 FROM ranked_bid ahead JOIN bid b ON b.id = ahead.bid
               WHERE ahead.ranking = chosen.ranking AND ahead.place < chosen.place AND most > (
                   SELECT count(*) FROM lot l JOIN ranked_bid r ON r.ranking = latest_ranking(l.id)
                   JOIN bid o ON o.id = r.bid WHERE l.tender = held.tender AND l.id <> held.id
                     AND l.stage <> 'abandoned' AND o.organisation = b.organisation)) THEN
        PERFORM refuse('lot_allocation_followed',
            'A bid is passed over whose supplier cannot have its number of other lots.');
    END IF;
    IF allowed ->> 'rule' = 'in_order_of_lots' THEN
        FOR part IN SELECT * FROM lot l WHERE l.tender = held.tender AND l.stage <> 'abandoned'
                    AND (l.id = held.id OR standing_recommendation(l.id) IS NULL)
                    AND l.number <= held.number ORDER BY l.number LOOP
            SELECT b.organisation INTO given FROM ranked_bid r JOIN bid b ON b.id = r.bid
                WHERE r.ranking = latest_ranking(part.id)
                  AND (SELECT count(*) FROM unnest(won) o WHERE o = b.organisation) < most
                ORDER BY r.place LIMIT 1;
            won := array_append(won, given);
        END LOOP;
        IF given IS DISTINCT FROM bidder THEN
            PERFORM refuse('lot_allocation_followed', 'By the rule the lot goes to another bid.');
        END IF;
    END IF;
END $$;

CREATE FUNCTION guard_recommendation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    allowed jsonb;
BEGIN
    held := hold_lot_stage(NEW.lot, 'ranked');
    PERFORM ensure_may_act(NEW.recommended_by, held.tender, 'moderator');
    SELECT nullif(r.content -> 'lot_limit', 'null') INTO allowed FROM tender t
        JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
        WHERE t.id = held.tender;
    IF allowed IS NOT NULL THEN
        PERFORM ensure_within_lot_limit(held, NEW.bid, allowed);
    ELSIF NOT EXISTS (SELECT 1 FROM ranked_bid b WHERE b.ranking = latest_ranking(NEW.lot)
                   AND b.bid = NEW.bid AND b.place = 1 AND NOT b.tied) THEN
        PERFORM refuse('recommended_bid_ranks_first',
            'Only the bid that alone ranks first can be recommended.');
    END IF;
    NEW.ranking := latest_ranking(NEW.lot);
    NEW.number := 1 + coalesce((SELECT max(number) FROM recommendation WHERE lot = NEW.lot), 0);
    NEW.recommended_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_recommendation BEFORE INSERT ON recommendation
    FOR EACH ROW EXECUTE FUNCTION guard_recommendation();

CREATE FUNCTION latest_recommendation(of_lot uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.id FROM recommendation r JOIN current_ranking k ON k.id = r.ranking
    WHERE r.lot = of_lot ORDER BY r.number DESC LIMIT 1
$$;

-- The award that stands: the latest out of the latest ranking.
CREATE FUNCTION latest_award(of_lot uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.id FROM award a JOIN recommendation r ON r.id = a.recommendation
    WHERE a.lot = of_lot AND r.ranking = latest_ranking(of_lot) ORDER BY r.number DESC LIMIT 1
$$;

CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    of_lot uuid;
BEGIN
    SELECT lot INTO STRICT of_lot FROM recommendation WHERE id = NEW.recommendation;
    held := hold_lot_stage(of_lot, 'recommended');
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
CREATE TRIGGER fresh_approval BEFORE INSERT ON approval
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

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
    held := hold_lot_stage(NEW.lot, 'recommended');
    IF NOT award_approved(held) OR NOT EXISTS (
        SELECT 1 FROM recommendation r WHERE r.id = NEW.recommendation AND r.bid = NEW.bid
        AND r.id = latest_recommendation(NEW.lot)
        AND r.ranking = latest_ranking(NEW.lot)) THEN
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
    held := hold_lot_stage(NEW.lot, 'awarded');
    PERFORM ensure_may_act(NEW.sent_by, held.tender, 'tender_manager');
    NEW.award := latest_award(NEW.lot);
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
    held := hold_lot_stage(NEW.lot, 'awarded');
    PERFORM ensure_may_act(acting_person(), held.tender, 'tender_manager');
    NEW.award := latest_award(NEW.lot);
    IF NEW.rule_set IS DISTINCT FROM (SELECT rule_set FROM tender WHERE id = held.tender) THEN
        PERFORM refuse('standstill_by_rule_set', 'The standstill follows the tender''s rule set.');
    END IF;
    IF EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.lot AND NOT EXISTS (
                   SELECT 1 FROM award_notice n
                   WHERE n.bid = m.bid AND n.award = NEW.award)) THEN
        PERFORM refuse('standstill_after_notices',
            'The standstill begins when every bidder of the lot has its notice.');
    END IF;
    PERFORM hold_clock();
    NEW.began_at := market_now();
    -- Whatever a programme computed: ten whole London days after today (regulation 87 of 2015), or
    -- eight working days, of which two are never working days, from today (section 51 of 2023).
    IF NEW.ends_at < ((NEW.began_at AT TIME ZONE 'Europe/London')::date
                      + CASE NEW.rule_set WHEN 'pcr_2015' THEN 11 ELSE 10 END)::timestamp
                     AT TIME ZONE 'Europe/London' THEN
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
    held := hold_lot_stage(NEW.lot, 'notified');
    PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'contract_manager');
    PERFORM hold_clock();
    NEW.made_at := market_now();
    IF NEW.award IS DISTINCT FROM latest_award(NEW.lot) THEN
        PERFORM refuse('contract_follows_award', 'A contract follows the award of its lot.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM standstill s WHERE s.award = NEW.award
                   AND s.ends_at <= NEW.made_at) THEN
        PERFORM refuse('no_contract_in_standstill',
            'No contract can be made before the standstill is over.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_contract();
