-- Prices that appear abnormally low: flagged by the published indicators, explained by their bidder
-- through questions about the bid, and decided with a reason. Nothing follows of itself.

SELECT keep_append_only('low_price_decision');
SELECT keep_recorded('low_price_decision');
SELECT keep_to_persons('low_price_decision');

-- Which bids of the latest ranking are flagged, by multiplication alone, so exactly. A bid without
-- another is compared with nothing; bids of one price have the same next one above them.
CREATE FUNCTION low_price_flags(of_lot uuid) RETURNS TABLE (bid uuid, indicator text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH published AS (
        SELECT (r.content -> 'abnormally_low' ->> 'below_mean')::numeric AS below_mean,
               (r.content -> 'abnormally_low' ->> 'below_next')::numeric AS below_next
        FROM lot l JOIN tender t ON t.id = l.tender
        JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
        WHERE l.id = of_lot
    ), priced AS MATERIALIZED (
        SELECT b.bid, b.price, sum(b.price) OVER () - b.price AS others,
               count(*) OVER () - 1 AS many
        FROM ranked_bid b WHERE b.ranking = latest_ranking(of_lot)
    )
    SELECT p.bid, 'below_mean' FROM priced p, published s
    WHERE p.many > 0 AND p.price * 100 * p.many <= (100 - s.below_mean) * p.others
    UNION ALL
    SELECT p.bid, 'below_next' FROM priced p, published s
    WHERE p.price * 100 <= (100 - s.below_next)
                           * (SELECT min(o.price) FROM priced o WHERE o.price > p.price)
$$;

-- Flagged or asked about, and not decided.
CREATE FUNCTION low_price_undecided(of_lot uuid, of_bid uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (EXISTS (SELECT 1 FROM low_price_flags(of_lot) f WHERE f.bid = of_bid)
            OR EXISTS (SELECT 1 FROM bid_question q WHERE q.bid = of_bid
                       AND q.about = 'low_price'))
       AND NOT EXISTS (SELECT 1 FROM low_price_decision d WHERE d.bid = of_bid)
$$;

-- Whether the bidder was asked, and has answered everything or let the time pass.
CREATE FUNCTION low_price_explained(of_bid uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(bool_and(a.id IS NOT NULL OR q.answer_by < market_now()), false)
    FROM bid_question q LEFT JOIN bid_answer a ON a.question = q.id
    WHERE q.bid = of_bid AND q.about = 'low_price'
$$;

CREATE FUNCTION guard_low_price_question() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ranked_bid b
                   WHERE b.ranking = latest_ranking(NEW.lot) AND b.bid = NEW.bid) THEN
        PERFORM refuse('low_price_ranked', 'Only the price of a ranked bid is explained.');
    END IF;
    IF EXISTS (SELECT 1 FROM low_price_decision d WHERE d.bid = NEW.bid) THEN
        PERFORM refuse('low_price_asked_before_decision', 'It is decided; nothing more is asked.');
    END IF;
    RETURN NEW;
END $$;
-- after the guard of every question, which holds the lot
CREATE TRIGGER guard_low_price_question AFTER INSERT ON bid_question
    FOR EACH ROW WHEN (NEW.about = 'low_price') EXECUTE FUNCTION guard_low_price_question();

CREATE FUNCTION guard_low_price_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'ranked');
    PERFORM ensure_may_act(NEW.decided_by, held.tender, 'tender_manager');
    IF NOT EXISTS (SELECT 1 FROM ranked_bid b
                   WHERE b.ranking = latest_ranking(NEW.lot) AND b.bid = NEW.bid) THEN
        PERFORM refuse('low_price_ranked', 'Only the price of a ranked bid is decided about.');
    END IF;
    IF NOT low_price_explained(NEW.bid) THEN
        PERFORM refuse('low_price_explained',
            'Ask the bidder, and wait for the answer or the end of its time.');
    END IF;
    NEW.decided_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_low_price_decision BEFORE INSERT ON low_price_decision
    FOR EACH ROW EXECUTE FUNCTION guard_low_price_decision();

-- What is rejected is out, in the same transaction.
CREATE FUNCTION guard_low_price_followed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM drop_out d WHERE d.bid = NEW.bid) THEN
        PERFORM refuse('low_price_rejected_is_out', 'A bid whose price is rejected drops out.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_low_price_followed AFTER INSERT ON low_price_decision
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.outcome = 'rejected')
    EXECUTE FUNCTION guard_low_price_followed();

-- named to come after `guard_recommendation`, which holds the lot: what is asked waits for it
CREATE FUNCTION guard_recommended_price() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF low_price_undecided(NEW.lot, NEW.bid) THEN
        PERFORM refuse('low_price_decided',
            'The price appears abnormally low, and nobody has decided whether it is explained.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_recommended_price BEFORE INSERT ON recommendation
    FOR EACH ROW EXECUTE FUNCTION guard_recommended_price();

-- -- reading --------------------------------------------------------------------------------------

-- What was asked and answered, for those who act on it; costs are no business of the others.
CREATE FUNCTION price_explanations(of_lot uuid)
RETURNS TABLE (pseudonym text, number integer, question text, asked_at timestamptz,
    answer_by timestamptz, answer text, answered_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.pseudonym::text, q.number, q.question, q.asked_at, q.answer_by, a.answer, a.answered_at
    FROM bid_question q JOIN manifest_entry m ON m.bid = q.bid JOIN lot l ON l.id = q.lot
    LEFT JOIN bid_answer a ON a.question = q.id
    WHERE q.lot = of_lot AND q.about = 'low_price' AND of_lot IN (SELECT evaluated_lots())
      AND holds_duty(acting_person(), l.tender, 'price_evaluator', 'tender_manager', 'moderator',
                     'award_approver', 'guardian')
    ORDER BY length(m.pseudonym), m.pseudonym, q.number
$$;

ALTER TABLE low_price_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON low_price_decision FOR SELECT TO market_guard USING (true);
CREATE POLICY low_price_read ON low_price_decision FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY low_price_made ON low_price_decision FOR INSERT TO market_app
    WITH CHECK (decided_by = acting_person());

GRANT SELECT, INSERT ON low_price_decision TO market_app;
GRANT SELECT ON low_price_decision TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION price_explanations(uuid), low_price_undecided(uuid, uuid),
    low_price_explained(uuid) TO market_app;
