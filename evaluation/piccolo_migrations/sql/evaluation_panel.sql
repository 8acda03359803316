-- Who scores what: evaluators assigned to criteria of a lot, whose scores count, and the published
-- rules of the panel.

SELECT keep_append_only('panel', 'panel_seat', 'counted_seat');
SELECT keep_recorded('panel', 'panel_seat', 'counted_seat');
SELECT keep_to_persons('panel', 'panel_seat');

-- Whether the acting person has a duty in a tender that works.
CREATE FUNCTION has_duty(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM duties_in_force(of_tender, acting_person()))
$$;

-- What is scored: every bid of the lot but those whose quality envelope was found not to open.
-- One that nobody has opened yet counts, so that nothing is decided before the opening is complete.
CREATE FUNCTION scored_bids(of_lot uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.bid FROM manifest_entry m WHERE m.lot = of_lot AND NOT EXISTS (
        SELECT 1 FROM opened_envelope o WHERE o.bid = m.bid AND o.kind = 'quality'
        AND o.content IS NULL)
$$;

-- What the published requirement says of the panel.
CREATE FUNCTION panel_rules(of_tender uuid) RETURNS TABLE (spread_tolerance numeric, mean boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (r.content ->> 'spread_tolerance')::numeric,
           coalesce(r.content ->> 'consensus', 'agreed') = 'mean'
    FROM tender t JOIN requirement_version r
        ON r.tender = t.id AND r.number = t.published_requirement WHERE t.id = of_tender
$$;

-- The codes of what is scored in a lot, as it is published; there are rows from the opening on.
CREATE FUNCTION published_criteria(of_lot uuid) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.code FROM lot l JOIN tender t ON t.id = l.tender
    JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
    CROSS JOIN LATERAL jsonb_array_elements(r.content -> 'lots') e
    CROSS JOIN LATERAL scored_criteria(e) c
    WHERE l.id = of_lot AND (e ->> 'number')::integer = l.number
$$;

-- Evaluators of a tender who can act in it, as far as anybody knows.
CREATE FUNCTION evaluators_of(of_tender uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person FROM duty d WHERE d.tender = of_tender AND d.duty = 'quality_evaluator'
        AND holds_duty(d.person, of_tender, 'quality_evaluator')
        AND EXISTS (SELECT 1 FROM tender t WHERE t.id = of_tender AND t.stage = 'opened')
        AND coalesce(why_not_unconflicted(d.person, of_tender), 'declaration_missing')
            = 'declaration_missing'
$$;

-- The seats of a lot that are to be scored from: of the latest panel, or, where none was set, one of
-- every evaluator for every criterion; only of those who can act.
CREATE FUNCTION seats_of(of_lot uuid) RETURNS TABLE (evaluator uuid, criterion uuid, code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH latest AS (SELECT id FROM current_panel WHERE lot = of_lot ORDER BY number DESC LIMIT 1),
    able AS MATERIALIZED (
        SELECT DISTINCT e AS person FROM lot l CROSS JOIN evaluators_of(l.tender) e
        WHERE l.id = of_lot AND NOT saw_earlier_round(of_lot, e))
    SELECT a.person, c.id, c.code::text FROM able a CROSS JOIN criterion c
    WHERE c.lot = of_lot AND (NOT EXISTS (SELECT 1 FROM latest) OR EXISTS (
        SELECT 1 FROM panel_seat s JOIN latest p ON p.id = s.panel
        WHERE s.evaluator = a.person AND s.criterion = c.code))
$$;

CREATE FUNCTION evaluators_of_lot(of_lot uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT evaluator FROM seats_of(of_lot)
$$;

-- Whose scores count. Somebody who was recused, released or replaced leaves scores that do not;
-- once the quality of the lot is locked, it stays as it was then.
CREATE FUNCTION counting_seats(of_lot uuid) RETURNS TABLE (evaluator uuid, criterion uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.evaluator, k.criterion FROM current_counted_seat k WHERE k.lot = of_lot
    UNION ALL
    SELECT s.evaluator, s.criterion FROM seats_of(of_lot) s
    WHERE NOT EXISTS (SELECT 1 FROM current_counted_seat k WHERE k.lot = of_lot)
$$;

-- The scores that count for a criterion of a bid: the last one of each evaluator.
CREATE FUNCTION counting_scores(of_lot uuid, of_bid uuid, of_criterion uuid)
RETURNS TABLE (evaluator uuid, value numeric) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (s.evaluator) s.evaluator, s.value
    FROM counting_seats(of_lot) k
    JOIN current_score s ON s.evaluator = k.evaluator AND s.criterion = k.criterion
    WHERE k.criterion = of_criterion AND s.bid = of_bid ORDER BY s.evaluator, s.number DESC
$$;

-- Further apart than was published: the panel discusses it, and says what was discussed. Where
-- something is passed or failed, any difference is.
CREATE FUNCTION is_flagged(of_lot uuid, of_bid uuid, of_criterion uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT max(s.value) - min(s.value)
                     FROM counting_scores(of_lot, of_bid, of_criterion) s)
        > CASE WHEN c.pass_fail THEN least(0, r.spread_tolerance) ELSE r.spread_tolerance END,
        false)
    FROM criterion c JOIN lot l ON l.id = c.lot CROSS JOIN LATERAL panel_rules(l.tender) r
    WHERE c.id = of_criterion
$$;

-- -- setting the panel ----------------------------------------------------------------------------

-- The lot is held alone, so that no score slips in between the look at the scores and the panel.
CREATE FUNCTION guard_panel() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'bidding', 'quality_scoring');
    IF held.stage = 'bidding' THEN
        IF NEW.set_by IS DISTINCT FROM acting_person() THEN
            PERFORM refuse('acts_in_own_name', 'Nobody can act in another person''s name.');
        END IF;
        PERFORM ensure_holds(NEW.set_by, held.tender, 'tender_manager');
    ELSE
        PERFORM ensure_may_act(NEW.set_by, held.tender, 'tender_manager');
    END IF;
    IF NEW.because IS NULL AND EXISTS (SELECT 1 FROM current_score WHERE lot = NEW.lot) THEN
        PERFORM refuse('replacement_has_reason',
            'Scoring has begun: say why the panel changes.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM panel WHERE lot = NEW.lot), 0);
    NEW.set_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_panel BEFORE INSERT ON panel FOR EACH ROW EXECUTE FUNCTION guard_panel();

CREATE FUNCTION guard_panel_seat() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE of_panel panel;
BEGIN
    SELECT * INTO STRICT of_panel FROM panel WHERE id = NEW.panel;
    IF NOT EXISTS (SELECT 1 FROM panel WHERE id = NEW.panel
                   AND xmin = pg_current_xact_id()::xid) THEN
        PERFORM refuse('panel_set_whole', 'A panel is set whole: set another one.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM duty d JOIN lot l ON l.tender = d.tender
                   WHERE l.id = of_panel.lot AND d.person = NEW.evaluator
                     AND d.duty = 'quality_evaluator' AND d.released_at IS NULL) THEN
        PERFORM refuse('seat_of_evaluator', 'Only quality evaluators of the tender are assigned.');
    END IF;
    IF NOT NEW.criterion IN (SELECT published_criteria(of_panel.lot)) THEN
        PERFORM refuse('seat_of_published_criterion',
            'Evaluators are assigned to criteria that are published and scored.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_panel_seat BEFORE INSERT ON panel_seat
    FOR EACH ROW EXECUTE FUNCTION guard_panel_seat();

-- At its end, a panel is large enough for every criterion, keeps everybody's seat whose score of it
-- counts, and gives nobody more to score who has locked. Once the bids are open those who cannot act
-- do not make it larger.
CREATE FUNCTION guard_panel_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held lot;
    before uuid;
    small text;
BEGIN
    SELECT * INTO STRICT held FROM lot WHERE id = NEW.lot;
    SELECT c INTO small FROM published_criteria(NEW.lot) c
        WHERE (SELECT count(*) FROM panel_seat s WHERE s.panel = NEW.id AND s.criterion = c
               AND (held.stage = 'bidding'
                    OR s.evaluator IN (SELECT evaluators_of(held.tender))
                       AND NOT saw_earlier_round(NEW.lot, s.evaluator)))
              < held.evaluators_minimum LIMIT 1;
    IF small IS NOT NULL THEN
        PERFORM refuse('panel_large_enough', format('The published minimum is %s evaluators who can'
            ' act for every criterion; %s has fewer.', held.evaluators_minimum, small));
    END IF;
    SELECT id INTO before FROM current_panel WHERE lot = NEW.lot AND number = NEW.number - 1;
    IF EXISTS (
        SELECT 1 FROM current_score s JOIN criterion c ON c.id = s.criterion
        WHERE s.lot = NEW.lot AND s.evaluator IN (SELECT evaluators_of(held.tender))
          AND (before IS NULL OR EXISTS (SELECT 1 FROM panel_seat p WHERE p.panel = before
               AND p.evaluator = s.evaluator AND p.criterion = c.code))
          AND NOT EXISTS (SELECT 1 FROM panel_seat p WHERE p.panel = NEW.id
               AND p.evaluator = s.evaluator AND p.criterion = c.code)) THEN
        PERFORM refuse('scored_seats_stay',
            'An evaluator who can act and has scored a criterion keeps it.');
    END IF;
    IF EXISTS (
        SELECT 1 FROM panel_seat p JOIN current_score_lock k ON k.lot = NEW.lot
            AND k.evaluator = p.evaluator
        JOIN criterion c ON c.lot = NEW.lot AND c.code = p.criterion
        WHERE p.panel = NEW.id AND EXISTS (SELECT 1 FROM scored_bids(NEW.lot) b WHERE NOT EXISTS (
            SELECT 1 FROM current_score s WHERE s.bid = b AND s.evaluator = p.evaluator
            AND s.criterion = c.id))) THEN
        PERFORM refuse('locked_seats_stay',
            'An evaluator who has locked can be given nothing more to score.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_panel_whole AFTER INSERT ON panel
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_panel_whole();

-- Whose scores counted is written down as the quality of the lot is locked.
CREATE FUNCTION keep_counted_seats() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO counted_seat (id, lot, evaluator, criterion)
        SELECT gen_random_uuid(), NEW.id, s.evaluator, s.criterion FROM seats_of(NEW.id) s;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_counted_seats AFTER UPDATE ON lot FOR EACH ROW
    WHEN (OLD.stage = 'quality_scoring' AND NEW.stage = 'quality_locked')
    EXECUTE FUNCTION keep_counted_seats();

-- -- reading --------------------------------------------------------------------------------------

-- The panel of a lot, and how far each of it is: to everybody who has a duty. How far others are is
-- the moderator's, the manager's and the guardian's to know; what anybody gave is not in it.
CREATE FUNCTION panel_shown(of_lot uuid)
RETURNS TABLE (person uuid, name text, criteria text[], able boolean, needed integer,
    given integer, locked_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH of AS MATERIALIZED (
        SELECT l.*, t.opened_at IS NOT NULL AND may_read_bids(acting_person(), t.id) AS counted,
            holds_duty(acting_person(), t.id, 'moderator', 'tender_manager', 'guardian') AS oversees
        FROM lot l JOIN tender t ON t.id = l.tender WHERE l.id = of_lot AND has_duty(t.id)
    ), latest AS (SELECT id FROM current_panel WHERE lot = of_lot ORDER BY number DESC LIMIT 1),
    seated AS (
        SELECT s.evaluator, s.criterion::text AS code FROM panel_seat s JOIN latest p
            ON p.id = s.panel
        UNION ALL
        SELECT d.person, c FROM of JOIN duty d ON d.tender = of.tender
            AND d.duty = 'quality_evaluator' AND d.released_at IS NULL
        CROSS JOIN published_criteria(of.id) c WHERE NOT EXISTS (SELECT 1 FROM latest)
    ), able AS MATERIALIZED (SELECT * FROM seats_of(of_lot))
    SELECT s.evaluator, p.name, array_agg(DISTINCT s.code ORDER BY s.code),
        CASE WHEN of.counted THEN s.evaluator IN (SELECT evaluator FROM able) END,
        CASE WHEN shown THEN (SELECT count(*)::integer FROM scored_bids(of_lot) b
            CROSS JOIN able a WHERE a.evaluator = s.evaluator) END,
        CASE WHEN shown THEN (SELECT count(DISTINCT (g.bid, g.criterion))::integer FROM current_score g
            JOIN able a ON a.evaluator = g.evaluator AND a.criterion = g.criterion
            WHERE g.lot = of_lot AND g.evaluator = s.evaluator) END,
        CASE WHEN shown THEN (SELECT k.locked_at FROM current_score_lock k
            WHERE k.lot = of_lot AND k.evaluator = s.evaluator) END
    FROM of CROSS JOIN seated s JOIN person p ON p.id = s.evaluator
    CROSS JOIN LATERAL (SELECT of.counted AND (of.oversees OR s.evaluator = acting_person())) x
        (shown)
    GROUP BY s.evaluator, p.name, of.counted, shown ORDER BY p.name, s.evaluator
$$;

-- How many score each criterion of a lot who can act.
CREATE FUNCTION panel_coverage(of_lot uuid) RETURNS TABLE (code text, evaluators integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH seated AS MATERIALIZED (SELECT * FROM seats_of(of_lot))
    SELECT c.code::text, (SELECT count(*)::integer FROM seated s WHERE s.criterion = c.id)
    FROM criterion c JOIN lot l ON l.id = c.lot WHERE c.lot = of_lot AND has_duty(l.tender)
    ORDER BY c.code
$$;

-- Whom the tender manager can assign: all evaluators before the opening, whoever can act after it.
CREATE FUNCTION assignable_evaluators(of_lot uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person FROM lot l JOIN duty d ON d.tender = l.tender
    WHERE l.id = of_lot AND d.duty = 'quality_evaluator' AND d.released_at IS NULL
      AND holds_duty(acting_person(), l.tender, 'tender_manager')
      AND (l.stage = 'bidding' OR d.person IN (SELECT evaluators_of(l.tender))
           AND NOT saw_earlier_round(l.id, d.person))
$$;

CREATE FUNCTION scoring_begun(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM current_score s JOIN lot l ON l.id = s.lot
                   WHERE s.lot = of_lot AND has_duty(l.tender))
$$;

GRANT SELECT, INSERT ON panel, panel_seat TO market_app;
GRANT SELECT ON panel, panel_seat, counted_seat TO market_guard;
GRANT INSERT ON counted_seat TO market_guard;
