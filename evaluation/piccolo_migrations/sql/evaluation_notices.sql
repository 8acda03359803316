-- What notices about the evaluation and the award are made of: who has something to do next, and
-- that something is there to be read. No score, no price and no name of a bidder goes into one.

-- Evaluators who can score now and have lots of the tender left that they have not locked; `since`
-- is when they could begin.
CREATE FUNCTION scores_due(of_tender uuid)
RETURNS TABLE (person uuid, organisation uuid, lots integer[], since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH scored AS MATERIALIZED (
        SELECT l.id, l.number FROM lot l WHERE l.tender = of_tender
        AND l.stage = 'quality_scoring' AND EXISTS (SELECT 1 FROM scored_bids(l.id))
    ), evaluator AS MATERIALIZED (
        SELECT r.person, r.organisation FROM duty_recipients(of_tender, 'quality_evaluator') r
        WHERE r.declared AND EXISTS (SELECT 1 FROM scored)
    ), due AS (
        SELECT e.person, e.organisation, ARRAY(
            SELECT s.number FROM scored s WHERE e.person IN (SELECT evaluators_of_lot(s.id))
                AND NOT EXISTS (
                SELECT 1 FROM current_score_lock k WHERE k.lot = s.id AND k.evaluator = e.person)
            ORDER BY s.number) AS lots
        FROM evaluator e
    )
    SELECT d.person, d.organisation, d.lots,
        (SELECT greatest(max(x.declared_at), t.opened_at) FROM declaration x
         WHERE x.tender = t.id AND x.person = d.person)
    FROM due d JOIN tender t ON t.id = of_tender WHERE d.lots <> '{}'
$$;

-- Whether every evaluator of a lot has locked, and enough have.
CREATE FUNCTION ready_for_moderation(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.stage = 'quality_scoring' AND EXISTS (SELECT 1 FROM scored_bids(l.id))
       AND all_scores_locked(l) FROM lot l WHERE l.id = of_lot
$$;

-- Whether a lot whose quality is locked has a bid that met the minimum.
CREATE FUNCTION has_prices_to_open(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM current_quality_decision q WHERE q.lot = of_lot AND q.passed)
$$;

GRANT SELECT (id, lot, bid) ON award TO market_worker;
GRANT SELECT (lot, award, bid, recipient) ON award_notice TO market_worker;
GRANT SELECT (lot, award, ends_at) ON standstill TO market_worker;
GRANT SELECT (id, lot, made_at, starts, ends) ON contract TO market_worker;
-- who won, no sooner than there is a contract with them
CREATE POLICY worker_reads ON award FOR SELECT TO market_worker
    USING (EXISTS (SELECT 1 FROM contract c WHERE c.lot = award.lot));
CREATE POLICY worker_reads ON award_notice FOR SELECT TO market_worker USING (true);

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION scores_due(uuid), ready_for_moderation(uuid), has_prices_to_open(uuid),
    latest_award(uuid) TO market_worker;
