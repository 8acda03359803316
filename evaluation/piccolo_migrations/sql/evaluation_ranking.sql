-- Rankings: by the published method, out of what was offered and decided, with every place earned.
-- A lot's rankings are numbered; the latest counts. A later one follows a bid that dropped out.

-- The method of a lot, as its requirement was last published.
CREATE FUNCTION award_method_of(held lot) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.content -> 'award_method' FROM tender t
    JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
    WHERE t.id = held.tender
$$;

-- The methods that rank by one figure; all others add price points to quality points. Tests hold
-- both lists against the rules.
CREATE FUNCTION ranks_by_index(method text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT method IN ('price_per_quality_point', 'value_index', 'weighted_value_index',
                      'monetised_quality', 'utility_index', 'coefficient_normalised_price')
$$;
CREATE FUNCTION lowest_figure_wins(method text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT method IN ('price_per_quality_point', 'monetised_quality',
                      'coefficient_normalised_price')
$$;

CREATE FUNCTION latest_ranking(of_lot uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM current_ranking WHERE lot = of_lot ORDER BY number DESC LIMIT 1
$$;

-- Whether a ranking is the first of its round; later ones follow bids that dropped out.
CREATE FUNCTION first_of_round(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT 1 FROM ranking r WHERE r.lot = made.lot AND r.round = made.round
                       AND r.number < made.number)
$$;

-- -- dropping out ---------------------------------------------------------------------------------

CREATE FUNCTION guard_drop_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    SELECT * INTO STRICT held FROM lot WHERE id = NEW.lot FOR NO KEY UPDATE;
    IF held.stage NOT IN ('ranked', 'recommended', 'awarded', 'notified') THEN
        PERFORM refuse('lot_stage', 'Bids drop out between the ranking and the contract.');
    END IF;
    PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'tender_manager');
    NEW.ranking := latest_ranking(NEW.lot);
    IF NOT EXISTS (SELECT 1 FROM ranked_bid b
                   WHERE b.ranking = NEW.ranking AND b.bid = NEW.bid) THEN
        PERFORM refuse('dropped_out_of_ranking', 'Only a bid that is ranked can drop out.');
    END IF;
    NEW.recorded_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_drop_out BEFORE INSERT ON drop_out
    FOR EACH ROW EXECUTE FUNCTION guard_drop_out();

-- Nobody drops out without the ranking that follows, in the same transaction.
CREATE FUNCTION guard_drop_out_followed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF latest_ranking(NEW.lot) = NEW.ranking THEN
        PERFORM refuse('drop_out_followed', 'The bids that are left were not ranked anew.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_drop_out_followed AFTER INSERT ON drop_out
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_drop_out_followed();

-- -- one ranking ----------------------------------------------------------------------------------

-- The first is the price evaluator's; the next follows a bid that dropped out of the one before.
CREATE FUNCTION guard_ranking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    earlier ranking;
    published jsonb;
    seed_due boolean;
BEGIN
    SELECT * INTO STRICT held FROM lot WHERE id = NEW.lot FOR NO KEY UPDATE;
    SELECT * INTO earlier FROM ranking WHERE id = latest_ranking(NEW.lot);
    NEW.number := coalesce((SELECT max(number) FROM ranking WHERE lot = NEW.lot), 0) + 1;
    IF earlier.id IS NULL THEN
        PERFORM ensure_lot_stage(NEW.lot, 'price_opened');
        PERFORM ensure_may_act(NEW.ranked_by, held.tender, 'price_evaluator');
        -- in a later round, because a challenge was upheld
        NEW.because := (SELECT e.reason FROM lot_round r
            JOIN challenge_end e ON e.challenge = r.challenge
            WHERE r.lot = NEW.lot AND r.number = NEW.round);
    ELSE
        PERFORM ensure_may_act(NEW.ranked_by, held.tender, 'tender_manager');
        SELECT d.reason INTO NEW.because FROM drop_out d WHERE d.ranking = earlier.id;
        IF NEW.because IS NULL THEN
            PERFORM refuse('reranked_after_drop_out',
                'A lot is ranked again only when a bid of its ranking dropped out.');
        END IF;
    END IF;
    published := award_method_of(held);
    IF NEW.method IS DISTINCT FROM published ->> 'name'
       OR NEW.method_version IS DISTINCT FROM (published ->> 'version')::integer THEN
        PERFORM refuse('ranked_by_published_method',
            'A lot is ranked by the method its requirement published.');
    END IF;
    seed_due := published ->> 'tie_rule' = 'committed_draw';
    IF seed_due <> (NEW.draw_seed IS NOT NULL) OR seed_due AND NOT EXISTS (
        SELECT 1 FROM tender_draw d WHERE d.tender = held.tender
        AND d.commitment = sha256('commissioning-support-market/draw/v1\000'::bytea
                                  || NEW.draw_seed)) THEN
        PERFORM refuse('draw_as_committed',
            'The seed of a draw is the one committed to at publication, revealed with the ranking.');
    END IF;
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

-- Whether the figures of a ranking stand as they were in the one before.
CREATE FUNCTION figures_stand(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT first_of_round(made) AND award_method_of(l) ->> 'when_a_bid_drops_out' <> 'rescore'
    FROM lot l WHERE l.id = made.lot
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
    SELECT * INTO STRICT held FROM lot WHERE id = made.lot;
    PERFORM ensure_may_act(made.ranked_by, held.tender,
        CASE WHEN first_of_round(made) THEN 'price_evaluator' ELSE 'tender_manager' END);
    IF NOT made_now(made) THEN
        PERFORM refuse('ranked_at_once', 'A ranking is made in one act.');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM current_quality_decision q JOIN opened_envelope o ON o.bid = q.bid
        WHERE q.bid = NEW.bid AND q.lot = made.lot AND q.passed AND o.kind = 'price'
          AND o.content IS NOT NULL
          AND q.points_numerator * NEW.quality_denominator
              = NEW.quality_numerator * q.points_denominator) THEN
        PERFORM refuse('ranked_bid_passed', 'Only bids that met the minimum are ranked.');
    END IF;
    IF NEW.price IS DISTINCT FROM offered_price(held, NEW.bid) THEN
        PERFORM refuse('ranked_price_adds_up',
            'A price is not what the bid''s unit prices come to.');
    END IF;
    IF ranks_by_index(made.method) <> (NEW.price_numerator IS NULL)
       OR NOT ranks_by_index(made.method) AND award_method_of(held) ->> 'quality' = 'as_scored'
          AND NEW.total_numerator * NEW.quality_denominator * NEW.price_denominator
              <> NEW.total_denominator * (NEW.quality_numerator * NEW.price_denominator
                                          + NEW.price_numerator * NEW.quality_denominator) THEN
        PERFORM refuse('ranking_adds_up', 'A total is not the sum of its points.');
    END IF;
    IF figures_stand(made) AND NOT EXISTS (
        SELECT 1 FROM ranked_bid b JOIN ranking r ON r.id = b.ranking
        WHERE r.lot = made.lot AND r.number = made.number - 1 AND b.bid = NEW.bid
          AND b.total_numerator * NEW.total_denominator = NEW.total_numerator * b.total_denominator
          AND (b.price_numerator * NEW.price_denominator)
              IS NOT DISTINCT FROM (NEW.price_numerator * b.price_denominator)) THEN
        PERFORM refuse('frozen_figures_stand',
            'By the published rule the figures of the bids that are left stay as they were.');
    END IF;
    RETURN NEW;
END $$;

-- Whether a ranking was made by this very transaction.
CREATE FUNCTION made_now(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM ranking r
                   WHERE r.id = made.id AND r.xmin = pg_current_xact_id()::xid)
$$;
CREATE TRIGGER guard_ranked_bid BEFORE INSERT ON ranked_bid
    FOR EACH ROW EXECUTE FUNCTION guard_ranked_bid();

-- -- the ranking as a whole -----------------------------------------------------------------------

-- Every bid whose price was found is ranked, unless it dropped out; the first ranking has one.
CREATE FUNCTION ranking_complete(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (NOT first_of_round(made) OR EXISTS (SELECT 1 FROM ranked_bid b WHERE b.ranking = made.id))
       AND NOT EXISTS (SELECT 1 FROM current_quality_decision q JOIN opened_envelope o ON o.bid = q.bid
                       LEFT JOIN drop_out d ON d.bid = q.bid
                       WHERE q.lot = made.lot AND q.passed AND o.kind = 'price'
                         AND o.content IS NOT NULL AND (d.id IS NULL) <> EXISTS (
                             SELECT 1 FROM ranked_bid b
                             WHERE b.ranking = made.id AND b.bid = q.bid))
$$;

-- Where quality is relative to the best: points as taken, times the best, are weight times points.
CREATE FUNCTION ranking_relative(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT ranks_by_index(made.method) OR award_method_of(l) ->> 'quality' = 'as_scored'
        OR figures_stand(made) OR NOT EXISTS (
            SELECT 1 FROM ranked_bid b CROSS JOIN LATERAL (
                SELECT o.quality_numerator AS points, o.quality_denominator AS parts
                FROM ranked_bid o WHERE o.ranking = made.id AND NOT EXISTS (
                    SELECT 1 FROM ranked_bid better WHERE better.ranking = made.id
                      AND better.quality_numerator * o.quality_denominator
                          > o.quality_numerator * better.quality_denominator) LIMIT 1) best
            WHERE b.ranking = made.id AND CASE WHEN best.points = 0
                THEN b.total_numerator * b.price_denominator
                     <> b.price_numerator * b.total_denominator
                ELSE (b.total_numerator * b.price_denominator
                      - b.price_numerator * b.total_denominator)
                     * best.points * b.quality_denominator
                     <> l.quality_weight * b.quality_numerator * best.parts
                        * b.total_denominator * b.price_denominator END)
    FROM lot l WHERE l.id = made.lot
$$;

-- Whether price points, or the figure of an index, are what the published method makes of the offers:
-- by multiplication, so exactly. Bands, logarithms, real powers, the utility index, and an index of
-- relative quality are the programme's alone to compute.
CREATE FUNCTION ranking_figures(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH known AS (
        SELECT l.price_weight AS weight, l.quality_weight AS quality,
               award_method_of(l) ->> 'quality' = 'as_scored' AS as_scored,
               (figure ->> 'floor')::numeric AS floor, (figure ->> 'ceiling')::numeric AS ceiling,
               (figure ->> 'price')::numeric AS fixed,
               (figure ->> 'quality_value')::numeric AS worth,
               (figure ->> 'largest_coefficient')::numeric AS largest,
               (SELECT min(price) FROM ranked_bid WHERE ranking = made.id) AS low,
               (SELECT max(price) FROM ranked_bid WHERE ranking = made.id) AS high,
               (SELECT sum(price) FROM ranked_bid WHERE ranking = made.id) AS whole,
               (SELECT count(*) FROM ranked_bid WHERE ranking = made.id) AS bids
        FROM lot l, jsonb_extract_path(award_method_of(l), 'parameters') figure
        WHERE l.id = made.lot
    )
    SELECT figures_stand(made) OR NOT EXISTS (
        SELECT 1 FROM ranked_bid b, known k WHERE b.ranking = made.id AND NOT CASE made.method
        WHEN 'lowest_price_ratio' THEN
            b.price_numerator * b.price = k.weight * k.low * b.price_denominator
        WHEN 'linear_between_bounds' THEN
            b.price_numerator * (k.ceiling - k.floor) = b.price_denominator * k.weight
                * greatest(0, least(k.ceiling - k.floor, k.ceiling - b.price))
        WHEN 'one_sided_interpolation' THEN
            b.price_numerator * k.low
            = b.price_denominator * k.weight * greatest(0, 2 * k.low - b.price)
        WHEN 'two_sided_interpolation' THEN
            CASE WHEN k.low = k.high THEN b.price_numerator = k.weight * b.price_denominator
            ELSE b.price_numerator * (k.high - k.low)
                 = b.price_denominator * k.weight * (k.high - b.price) END
        WHEN 'deviation_from_mean' THEN
            b.price_numerator * 2 * k.whole = b.price_denominator * k.weight
                * greatest(0, least(2 * k.whole, 3 * k.whole - 2 * k.bids * b.price))
        WHEN 'fixed_price' THEN
            b.price = k.fixed AND b.price_numerator = k.weight * b.price_denominator
        WHEN 'price_per_quality_point' THEN NOT k.as_scored
            OR b.total_numerator * 100 * b.quality_numerator
               = b.total_denominator * b.price * k.quality * b.quality_denominator
        WHEN 'value_index' THEN NOT k.as_scored
            OR b.total_numerator * b.price * k.quality * b.quality_denominator
               = b.total_denominator * 100 * b.quality_numerator
        WHEN 'monetised_quality' THEN NOT k.as_scored
            OR b.total_numerator * k.quality * b.quality_denominator
               = b.total_denominator * (b.price * k.quality * b.quality_denominator
                                        - k.worth * b.quality_numerator)
        WHEN 'coefficient_normalised_price' THEN NOT k.as_scored
            OR b.total_numerator * ((1 - k.largest) * k.quality * b.quality_denominator
                                    + k.largest * b.quality_numerator)
               = b.total_denominator * b.price * (1 - k.largest) * k.quality
                 * b.quality_denominator
        ELSE true END)
$$;

-- What the published tie rule compares; the smaller comes first.
CREATE FUNCTION tie_figures(made ranking) RETURNS TABLE (bid uuid, figure numeric, parts numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH rule AS (SELECT l.number, award_method_of(l) AS published FROM lot l WHERE l.id = made.lot)
    SELECT b.bid, CASE rule.published ->> 'tie_rule'
        WHEN 'higher_quality' THEN -b.quality_numerator
        WHEN 'lower_price' THEN b.price
        WHEN 'named_criterion' THEN -(
            SELECT a.value FROM current_agreed_score a JOIN criterion c ON c.id = a.criterion
            WHERE a.bid = b.bid AND c.code = rule.published ->> 'tie_criterion'
            ORDER BY a.number DESC LIMIT 1)
        WHEN 'earliest_submission' THEN extract(epoch FROM v.received_at)
        WHEN 'committed_draw' THEN rank() OVER (ORDER BY sha256(
            'commissioning-support-market/draw/v1\000'::bytea || made.draw_seed
            || convert_to(rule.number || '/' || m.pseudonym, 'UTF8')))
        END, CASE rule.published ->> 'tie_rule'
        WHEN 'higher_quality' THEN b.quality_denominator ELSE 1 END
    FROM ranked_bid b CROSS JOIN rule JOIN manifest_entry m ON m.bid = b.bid
    JOIN bid_version v ON v.id = m.bid_version WHERE b.ranking = made.id
$$;

-- Each bid has the place after all that are ahead of it, by its figure and then by the tie rule; it
-- is tied where both are equal. By multiplication alone, so exactly.
CREATE FUNCTION ranking_in_order(made ranking) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH placed AS MATERIALIZED (
        SELECT b.bid, b.place, b.tied,
               CASE WHEN lowest_figure_wins(made.method) THEN b.total_numerator
                    ELSE -b.total_numerator END AS total, b.total_denominator AS of_total,
               t.figure, t.parts
        FROM ranked_bid b JOIN tie_figures(made) t ON t.bid = b.bid WHERE b.ranking = made.id
    ), counted AS (
        SELECT one.place, one.tied,
               count(other.bid) FILTER (
                   WHERE other.total * one.of_total < one.total * other.of_total
                      OR other.total * one.of_total = one.total * other.of_total
                         AND other.figure * one.parts < one.figure * other.parts) AS ahead,
               count(other.bid) FILTER (
                   WHERE other.total * one.of_total = one.total * other.of_total
                     AND other.figure * one.parts = one.figure * other.parts) AS beside
        FROM placed one LEFT JOIN placed other ON other.bid <> one.bid
        GROUP BY one.bid, one.place, one.tied
    )
    SELECT NOT EXISTS (SELECT 1 FROM counted
                       WHERE place <> ahead + 1 OR tied <> (beside > 0))
$$;

-- A lot is ranked when its latest ranking is whole; one that follows a drop-out is of this act.
CREATE FUNCTION ranking_whole(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT ranking_complete(r) AND ranking_relative(r) AND ranking_figures(r)
                            AND ranking_in_order(r)
                     FROM ranking r WHERE r.id = latest_ranking(of_lot)), false)
$$;
CREATE FUNCTION reranked_now(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM ranking r WHERE r.id = latest_ranking(of_lot) AND NOT first_of_round(r)
                   AND made_now(r)) AND ranking_whole(of_lot)
$$;

-- No ranking is left behind that is not whole, or of a lot that is not at the stage for it.
CREATE FUNCTION guard_ranking_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT ranking_whole(NEW.lot)
       OR (SELECT stage FROM lot WHERE id = NEW.lot) <> 'ranked' THEN
        PERFORM refuse('ranking_whole', 'A ranking holds every bid that is left, in order.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_ranking_whole AFTER INSERT ON ranking
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_ranking_whole();
