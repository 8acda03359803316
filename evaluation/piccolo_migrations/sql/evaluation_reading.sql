-- Who reads what of an evaluation: the second wall behind the queries.

-- The lots whose evaluation the acting person reads: by duty, once declared, without interest. One
-- set for a whole statement, because a function asked row by row makes long lists slow.
CREATE FUNCTION evaluated_lots() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS MATERIALIZED (
        SELECT m AS tender FROM my_tenders() m
        WHERE holds_duty(acting_person(), m, 'quality_evaluator', 'moderator',
                         'award_approver', 'guardian', 'price_evaluator', 'tender_manager',
                         'contract_manager', 'outcome_reviewer')
    ), unconflicted AS MATERIALIZED (
        SELECT h.tender FROM held h JOIN tender t ON t.id = h.tender
        WHERE t.opened_at IS NOT NULL AND may_read_bids(acting_person(), h.tender)
    )
    SELECT l.id FROM lot l JOIN unconflicted u ON u.tender = l.tender WHERE l.stage <> 'bidding'
$$;

-- The lots of which the acting person does not see what would colour their scores: those that they
-- are to score or moderate anew, as to the rounds before; and, for who scores another lot of the
-- tender, those whose prices are known. Until quality is locked.
CREATE FUNCTION lots_kept_fresh() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id FROM lot_round r JOIN lot l ON l.id = r.lot
    WHERE l.stage = 'quality_scoring'
      AND holds_duty(acting_person(), l.tender, 'quality_evaluator', 'moderator')
    UNION
    SELECT l.id FROM my_tenders() m JOIN lot l ON l.tender = m
    WHERE l.stage NOT IN ('bidding', 'quality_scoring')
      AND holds_duty(acting_person(), m, 'quality_evaluator')
      AND EXISTS (SELECT 1 FROM lot s WHERE s.tender = m AND s.stage = 'quality_scoring'
                  AND acting_person() IN (SELECT evaluators_of_lot(s.id)))
$$;

CREATE FUNCTION bids_kept_fresh() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.bid FROM manifest_entry m WHERE m.lot IN (SELECT lots_kept_fresh())
$$;

-- Scores are their evaluator's alone until every evaluator has locked, and the quality panel's and
-- the guardian's until the quality of the lot is decided.
CREATE FUNCTION lots_with_open_scores() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id FROM lot l WHERE l.id IN (SELECT evaluated_lots()) AND all_scores_closed(l)
      AND (l.stage <> 'quality_scoring' OR holds_duty(acting_person(), l.tender,
                                           'quality_evaluator', 'moderator', 'guardian'))
$$;

-- How far a lot is, in counts and without a score: what everybody with a duty may know.
CREATE FUNCTION scoring_progress(of_lot uuid)
RETURNS TABLE (person uuid, given integer, needed integer, locked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH seated AS MATERIALIZED (SELECT * FROM seats_of(of_lot)),
    bids AS MATERIALIZED (SELECT b FROM scored_bids(of_lot) b)
    SELECT e.evaluator, (SELECT count(DISTINCT (s.bid, s.criterion))::integer FROM current_score s
               JOIN seated t ON t.evaluator = s.evaluator AND t.criterion = s.criterion
               WHERE s.lot = l.id AND s.evaluator = e.evaluator),
           (SELECT count(*)::integer FROM bids CROSS JOIN seated t
            WHERE t.evaluator = e.evaluator),
           (SELECT k.locked_at FROM current_score_lock k
            WHERE k.lot = l.id AND k.evaluator = e.evaluator)
    FROM lot l CROSS JOIN (SELECT DISTINCT evaluator FROM seated) e
    WHERE l.id = of_lot AND l.stage <> 'bidding' AND has_duty(l.tender)
$$;

-- Which scores count towards moderation, for those who read the evaluation.
CREATE FUNCTION seats_that_count(of_lot uuid) RETURNS TABLE (evaluator uuid, criterion uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.evaluator, s.criterion FROM counting_seats(of_lot) s
    WHERE of_lot IN (SELECT evaluated_lots())
$$;

CREATE FUNCTION evaluation_counts(of_lot uuid)
RETURNS TABLE (bids integer, unopened integer, scores_needed integer, agreed integer,
    passed integer, approved integer, approved_by_lay_member boolean) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*)::integer FROM manifest_entry m WHERE m.lot = l.id),
           (SELECT count(*)::integer FROM manifest_entry m WHERE m.lot = l.id AND NOT EXISTS (
                SELECT 1 FROM opened_envelope o WHERE o.bid = m.bid AND o.kind = 'quality')),
           (SELECT count(*)::integer FROM scored_bids(l.id) b CROSS JOIN criterion c
            WHERE c.lot = l.id),
           (SELECT count(DISTINCT (a.bid, a.criterion))::integer FROM current_agreed_score a
            WHERE a.lot = l.id),
           (SELECT count(*)::integer FROM current_quality_decision q WHERE q.lot = l.id AND q.passed),
           answers.approved, answers.lay
    FROM lot l CROSS JOIN LATERAL (
        SELECT count(*)::integer AS approved, coalesce(bool_or(a.lay), false) AS lay
        FROM approval a WHERE a.recommendation = latest_recommendation(l.id)
          AND a.outcome = 'approved' AND holds_duty(a.approver, l.tender, 'award_approver')
          AND why_not_unconflicted(a.approver, l.tender) IS NULL) answers
    WHERE l.id = of_lot AND l.stage <> 'bidding' AND has_duty(l.tender)
$$;

-- Who of some duties could still act on a lot: NULL in `out_because` where nothing but a declaration
-- is missing, else why they cannot. For everybody with a duty once the bids are open, and they
-- themselves have declared and have no interest; between deadline and opening for those who know
-- who bids, since whoever is out then has an interest in a bidder. `answer` is what an approver said
-- of the latest recommendation.
CREATE FUNCTION panel_standing(of_lot uuid, VARIADIC wanted text[])
RETURNS TABLE (person uuid, duty text, out_because text, lay boolean, answer text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.person, d.duty, CASE s.standing
            WHEN 'offered' THEN 'not_taken_up'
            WHEN 'suspended' THEN CASE suspended_at(d, market_now(), true) WHEN 'removed'
                THEN 'removed' ELSE 'suspended' END
            ELSE coalesce(nullif(why_not_unconflicted(d.person, d.tender), 'declaration_missing'),
                CASE WHEN l.stage = 'quality_scoring'
                          AND d.duty IN ('quality_evaluator', 'moderator')
                          AND saw_earlier_round(l.id, d.person) THEN 'saw_earlier_round' END) END,
        EXISTS (SELECT 1 FROM membership m WHERE m.person = d.person
                AND m.organisation = d.organisation AND m.role = 'lay_member'
                AND m.ended_at IS NULL),
        (SELECT a.outcome FROM approval a WHERE a.approver = d.person
         AND a.recommendation = latest_recommendation(l.id))
    FROM lot l JOIN tender t ON t.id = l.tender
    JOIN duty d ON d.tender = l.tender AND d.released_at IS NULL AND d.duty = ANY (wanted)
    CROSS JOIN LATERAL duty_standing(d.tender, d.person) s
    WHERE l.id = of_lot AND s.duty = d.duty
      AND (t.opened_at IS NOT NULL AND has_duty(t.id) AND may_read_bids(acting_person(), t.id)
           OR t.stage = 'published' AND d.duty = 'opener' AND sees_bidders(t.id)
              AND my_conflict(t.id) IS NULL)
$$;

-- How many openers could still confirm after the deadline, those who have included: for the tender's
-- manager, who gives the duty to somebody else, and learns neither who is out nor why.
CREATE FUNCTION openers_left(of_lot uuid) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*)::integer FROM duty d WHERE d.tender = t.id AND d.duty = 'opener'
            AND holds_duty(d.person, t.id, 'opener')
            AND coalesce(why_not_unconflicted(d.person, t.id), 'declaration_missing')
                = 'declaration_missing')
    FROM lot l JOIN tender t ON t.id = l.tender
    WHERE l.id = of_lot AND t.stage = 'published' AND t.deadline <= market_now()
      AND holds_duty(acting_person(), t.id, 'tender_manager', 'opener', 'guardian')
$$;

-- Why an envelope of a lot did not open: for those who read the evaluation, who may not all read
-- envelopes.
CREATE FUNCTION envelope_failures(of_lot uuid)
RETURNS TABLE (bid uuid, kind text, failure text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT o.bid, o.kind, o.failure FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
    WHERE m.lot = of_lot AND o.failure IS NOT NULL AND of_lot IN (SELECT evaluated_lots())
$$;

-- The order in which the bids of a lot came, by the version that stood at the deadline.
CREATE FUNCTION order_of_receipt(of_lot uuid) RETURNS TABLE (bid uuid, received integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.bid, rank() OVER (ORDER BY v.received_at)::integer
    FROM manifest_entry m JOIN bid_version v ON v.id = m.bid_version
    WHERE m.lot = of_lot AND of_lot IN (SELECT evaluated_lots())
$$;

-- The wrapped seed of a tender's draw, for whoever is to rank a lot whose prices are open.
CREATE FUNCTION draw_seed_due(of_lot uuid) RETURNS bytea LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.kept FROM lot l JOIN tender_draw d ON d.tender = l.tender
    WHERE l.id = of_lot AND l.stage = 'price_opened'
      AND award_method_of(l) ->> 'tie_rule' = 'committed_draw'
      AND holds_duty(acting_person(), l.tender, 'price_evaluator')
$$;

-- What everybody may know of an award, from the moment the bidders have been told. The prices of
-- bids that lost stay with the panel. An award that fell is no award.
CREATE FUNCTION published_award(of_lot uuid)
RETURNS TABLE (supplier uuid, supplier_name text, price numeric, bids integer, method text,
    method_version integer, awarded_at timestamptz, notified_at timestamptz,
    standstill_ends_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.organisation, o.name, r.price,
           (SELECT count(*)::integer FROM manifest_entry m WHERE m.lot = a.lot),
           k.method, k.method_version, a.awarded_at, s.began_at, s.ends_at
    FROM award a JOIN lot l ON l.id = a.lot AND l.stage IN ('notified', 'contracted')
    JOIN standstill s ON s.award = a.id JOIN bid b ON b.id = a.bid
    JOIN organisation o ON o.id = b.organisation
    JOIN ranked_bid r ON r.bid = a.bid AND r.ranking = latest_ranking(of_lot)
    JOIN ranking k ON k.id = r.ranking WHERE a.id = latest_award(of_lot)
$$;

ALTER TABLE score ENABLE ROW LEVEL SECURITY;
ALTER TABLE agreed_score ENABLE ROW LEVEL SECURITY;
ALTER TABLE dissent ENABLE ROW LEVEL SECURITY;
ALTER TABLE quality_decision ENABLE ROW LEVEL SECURITY;
ALTER TABLE ranked_bid ENABLE ROW LEVEL SECURITY;
ALTER TABLE drop_out ENABLE ROW LEVEL SECURITY;
ALTER TABLE recommendation ENABLE ROW LEVEL SECURITY;
ALTER TABLE approval ENABLE ROW LEVEL SECURITY;
ALTER TABLE award ENABLE ROW LEVEL SECURITY;
ALTER TABLE award_notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON score FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON agreed_score FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON dissent FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON quality_decision FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON ranked_bid FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON drop_out FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON recommendation FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON approval FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON award FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON award_notice FOR SELECT TO market_guard USING (true);
CREATE POLICY score_read ON score FOR SELECT TO market_app
    USING (evaluator = acting_person() OR lot IN (SELECT lots_with_open_scores())
           OR lot IN (SELECT lots_in_later_rounds()) AND round < round_of(lot)
              AND lot IN (SELECT evaluated_lots()));
CREATE POLICY score_made ON score FOR INSERT TO market_app
    WITH CHECK (evaluator = acting_person());
CREATE POLICY agreed_read ON agreed_score FOR SELECT TO market_app
    USING (lot IN (SELECT lots_with_open_scores())
           OR lot IN (SELECT lots_in_later_rounds()) AND round < round_of(lot)
              AND lot IN (SELECT evaluated_lots()));
CREATE POLICY agreed_made ON agreed_score FOR INSERT TO market_app
    WITH CHECK (moderator = acting_person());
CREATE POLICY dissent_read ON dissent FOR SELECT TO market_app USING (agreed_score IN (
    SELECT a.id FROM agreed_score a WHERE a.lot IN (SELECT lots_with_open_scores())));
CREATE POLICY dissent_made ON dissent FOR INSERT TO market_app
    WITH CHECK (evaluator = acting_person());
CREATE POLICY decision_read ON quality_decision FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY decision_made ON quality_decision FOR INSERT TO market_app
    WITH CHECK (decided_by = acting_person());
CREATE POLICY ranked_read ON ranked_bid FOR SELECT TO market_app
    USING (ranking IN (SELECT r.id FROM ranking r WHERE r.lot IN (SELECT evaluated_lots())));
CREATE POLICY ranked_made ON ranked_bid FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY drop_out_read ON drop_out FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY drop_out_made ON drop_out FOR INSERT TO market_app
    WITH CHECK (recorded_by = acting_person());
CREATE POLICY recommendation_read ON recommendation FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY recommendation_made ON recommendation FOR INSERT TO market_app
    WITH CHECK (recommended_by = acting_person());
CREATE POLICY approval_read ON approval FOR SELECT TO market_app
    USING (recommendation IN (SELECT r.id FROM recommendation r
                              WHERE r.lot IN (SELECT evaluated_lots())));
CREATE POLICY approval_made ON approval FOR INSERT TO market_app
    WITH CHECK (approver = acting_person());
CREATE POLICY award_read ON award FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY award_made ON award FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY notice_read ON award_notice FOR SELECT TO market_app
    USING (recipient = acting_organisation() OR lot IN (SELECT evaluated_lots()));
CREATE POLICY notice_made ON award_notice FOR INSERT TO market_app WITH CHECK (true);

-- A fresh panel sees nothing of the rounds before until it has decided, and whoever still scores a
-- lot no price, place or notice of another.
CREATE POLICY kept_fresh ON opened_envelope AS RESTRICTIVE FOR SELECT TO market_app
    USING (kind = 'quality' OR bid NOT IN (SELECT bids_kept_fresh()));
CREATE POLICY kept_fresh ON score AS RESTRICTIVE FOR SELECT TO market_app
    USING (lot NOT IN (SELECT lots_kept_fresh()) OR round = round_of(lot));
CREATE POLICY kept_fresh ON agreed_score AS RESTRICTIVE FOR SELECT TO market_app
    USING (lot NOT IN (SELECT lots_kept_fresh()) OR round = round_of(lot));
CREATE POLICY kept_fresh ON quality_decision AS RESTRICTIVE FOR SELECT TO market_app
    USING (lot NOT IN (SELECT lots_kept_fresh()) OR round = round_of(lot));
CREATE POLICY kept_fresh ON ranked_bid AS RESTRICTIVE FOR SELECT TO market_app
    USING (ranking NOT IN (SELECT r.id FROM ranking r WHERE r.lot IN (SELECT lots_kept_fresh())));
CREATE POLICY kept_fresh ON recommendation AS RESTRICTIVE FOR SELECT TO market_app
    USING (lot NOT IN (SELECT lots_kept_fresh()));
CREATE POLICY kept_fresh ON award_notice AS RESTRICTIVE FOR SELECT TO market_app
    USING (recipient = acting_organisation() OR lot NOT IN (SELECT lots_kept_fresh()));

GRANT SELECT, INSERT ON score, score_lock, agreed_score, dissent, quality_decision, ranking,
    ranked_bid, drop_out, recommendation, approval, award, award_notice, standstill, contract TO market_app;
GRANT SELECT ON score, score_lock, agreed_score, dissent, quality_decision, ranking,
    ranked_bid, drop_out, recommendation, approval, award, award_notice, standstill, contract TO market_guard;
-- Each of these tells the acting person no more than their duty lets them know.
GRANT EXECUTE ON FUNCTION evaluated_lots(), lots_with_open_scores(), scoring_progress(uuid),
    seats_that_count(uuid), panel_shown(uuid), panel_coverage(uuid), panel_rules(uuid),
    assignable_evaluators(uuid), scoring_begun(uuid),
    evaluation_counts(uuid), panel_standing(uuid, text[]), openers_left(uuid),
    envelope_failures(uuid), published_award(uuid), award_approved(lot),
    order_of_receipt(uuid), draw_seed_due(uuid), latest_ranking(uuid), latest_award(uuid),
    standing_recommendation(uuid), round_of(uuid), lots_kept_fresh(), bids_kept_fresh(),
    lots_in_later_rounds()
    TO market_app;

SELECT seal_guards();
