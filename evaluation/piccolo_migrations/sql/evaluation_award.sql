-- From the opened prices to the contract: exact totals, award by those who may, no contract before
-- the standstill is over.

CREATE FUNCTION guard_ranking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'price_opened');
    PERFORM ensure_may_act(NEW.ranked_by, held.tender, 'price_evaluator');
    NEW.ranked_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ranking BEFORE INSERT ON ranking
    FOR EACH ROW EXECUTE FUNCTION guard_ranking();

-- What a bid costs: the published quantities times the unit prices it gave, exactly. Unknown (NULL)
-- unless every published item is priced once.
CREATE FUNCTION offered_price(held lot, of_bid uuid) RETURNS numeric LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH given AS (
        SELECT line ->> 'item' AS code, (line ->> 'unit_price')::numeric AS unit_price
        FROM opened_envelope o, jsonb_array_elements(o.content -> 'prices') line
        WHERE o.bid = of_bid AND o.kind = 'price' AND o.content IS NOT NULL
    ), asked AS (
        SELECT item ->> 'code' AS code, (item ->> 'quantity')::numeric AS quantity
        FROM tender t
        JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement,
            jsonb_array_elements(r.content -> 'lots') part,
            jsonb_array_elements(part -> 'price_items') item
        WHERE t.id = held.tender AND (part ->> 'number')::integer = held.number
    )
    SELECT CASE WHEN bool_and(asked.code IS NOT NULL AND given.code IS NOT NULL)
                     AND count(*) = (SELECT count(*) FROM asked)
           THEN sum(asked.quantity * given.unit_price) END
    FROM asked FULL JOIN given ON given.code = asked.code
$$;

-- A ranked bid passed, its price was opened and follows from what it offered, and its total is the
-- sum of its parts. Denominators are positive by the table's own checks.
CREATE FUNCTION guard_ranked_bid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    made ranking;
BEGIN
    SELECT * INTO STRICT made FROM ranking WHERE id = NEW.ranking;
    held := ensure_lot_stage(made.lot, 'price_opened');
    PERFORM ensure_may_act(made.ranked_by, held.tender, 'price_evaluator');
    IF NOT EXISTS (
        SELECT 1 FROM quality_decision q JOIN opened_envelope o ON o.bid = q.bid
        JOIN ranking r ON r.lot = q.lot
        WHERE q.bid = NEW.bid AND r.id = NEW.ranking AND q.passed AND o.kind = 'price'
          AND o.content IS NOT NULL
          AND q.points_numerator * NEW.quality_denominator
              = NEW.quality_numerator * q.points_denominator) THEN
        PERFORM refuse('ranked_bid_passed', 'Only bids that met the minimum are ranked.');
    END IF;
    IF NEW.price IS DISTINCT FROM offered_price(held, NEW.bid) THEN
        PERFORM refuse('ranked_price_adds_up',
            'A price is not what the bid''s unit prices come to.');
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
    held := hold_lot_stage(NEW.lot, 'ranked');
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
    held := hold_lot_stage(NEW.lot, 'awarded');
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
    held := hold_lot_stage(NEW.lot, 'awarded');
    PERFORM ensure_may_act(acting_person(), held.tender, 'tender_manager');
    IF NEW.rule_set IS DISTINCT FROM (SELECT rule_set FROM tender WHERE id = held.tender) THEN
        PERFORM refuse('standstill_by_rule_set', 'The standstill follows the tender''s rule set.');
    END IF;
    IF EXISTS (SELECT 1 FROM manifest_entry m WHERE m.lot = NEW.lot AND NOT EXISTS (
                   SELECT 1 FROM award_notice n WHERE n.bid = m.bid)) THEN
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
