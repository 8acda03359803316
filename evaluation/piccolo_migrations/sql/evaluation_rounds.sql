-- Rounds: an upheld challenge has a lot evaluated anew. Nothing of an earlier round is overwritten: its
-- rows stay with their round, and what is decided now is read through the views below. Loaded before
-- everything that reads them.

SELECT keep_append_only('lot_round');
SELECT keep_recorded('lot_round');
SELECT keep_to_persons('lot_round');

-- The round that a lot is in; the first has no row.
CREATE FUNCTION round_of(of_lot uuid) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT max(number) FROM lot_round WHERE lot = of_lot), 1)
$$;

CREATE FUNCTION guard_round() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.round := round_of(NEW.lot);
    RETURN NEW;
END $$;
-- named so that they fire before every other guard
CREATE TRIGGER a_round BEFORE INSERT ON panel FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON counted_seat FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON score FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON score_lock FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON agreed_score FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON quality_decision
    FOR EACH ROW EXECUTE FUNCTION guard_round();
CREATE TRIGGER a_round BEFORE INSERT ON ranking FOR EACH ROW EXECUTE FUNCTION guard_round();

-- The rows of the round that each lot is in, with the rights of whoever asks.
CREATE VIEW current_panel WITH (security_invoker = true) AS
    SELECT t.* FROM panel t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_counted_seat WITH (security_invoker = true) AS
    SELECT t.* FROM counted_seat t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_score WITH (security_invoker = true) AS
    SELECT t.* FROM score t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_score_lock WITH (security_invoker = true) AS
    SELECT t.* FROM score_lock t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_agreed_score WITH (security_invoker = true) AS
    SELECT t.* FROM agreed_score t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_quality_decision WITH (security_invoker = true) AS
    SELECT t.* FROM quality_decision t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);
CREATE VIEW current_ranking WITH (security_invoker = true) AS
    SELECT t.* FROM ranking t WHERE NOT EXISTS (
        SELECT 1 FROM lot_round r WHERE r.lot = t.lot AND r.number > t.round);

-- -- a fresh panel --------------------------------------------------------------------------------

-- Whether somebody scored, moderated, decided or ranked in an earlier round of a lot, opened a price of
-- it, or read what tells prices: such a read is an event.
CREATE FUNCTION saw_earlier_round(of_lot uuid, one uuid) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE latest integer := round_of(of_lot);
BEGIN
    RETURN latest > 1 AND (
        EXISTS (SELECT 1 FROM score s WHERE s.lot = of_lot AND s.evaluator = one
                AND s.round < latest)
        OR EXISTS (SELECT 1 FROM agreed_score a WHERE a.lot = of_lot AND a.moderator = one
                   AND a.round < latest)
        OR EXISTS (SELECT 1 FROM quality_decision q WHERE q.lot = of_lot AND q.decided_by = one
                   AND q.round < latest)
        OR EXISTS (SELECT 1 FROM ranking r WHERE r.lot = of_lot AND r.ranked_by = one)
        OR EXISTS (SELECT 1 FROM recommendation r WHERE r.lot = of_lot AND r.recommended_by = one)
        OR EXISTS (SELECT 1 FROM approval a JOIN recommendation r ON r.id = a.recommendation
                   WHERE r.lot = of_lot AND a.approver = one)
        OR EXISTS (SELECT 1 FROM opened_envelope o JOIN bid b ON b.id = o.bid
                   WHERE b.lot = of_lot AND o.kind = 'price' AND o.opened_by = one)
        OR EXISTS (SELECT 1 FROM event e JOIN lot l ON l.id = of_lot
                   WHERE e.tender = l.tender AND e.person = one
                     AND (e.subject IN (l.id, l.tender)
                          OR e.details ->> 'lot' = l.number::text)
                     AND e.action IN ('ranking.read', 'robustness.read', 'allocation.read',
                         'notices.read', 'price_explanations.read', 'award_checks.read',
                         'round.read', 'evaluation_record.read', 'procurement_report.read',
                         'disclosure_bundle.read', 'recommendation_report.read')));
END $$;

CREATE FUNCTION ensure_fresh_eyes(of_lot uuid, one uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF saw_earlier_round(of_lot, one) THEN
        PERFORM refuse('fresh_panel', 'Its prices are known: the lot is scored anew by people who'
            ' neither scored it nor saw a price of it before.');
    END IF;
END $$;

CREATE FUNCTION guard_fresh_evaluator() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_fresh_eyes(NEW.lot, NEW.evaluator);
    RETURN NEW;
END $$;
CREATE FUNCTION guard_fresh_moderator() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_fresh_eyes(NEW.lot, NEW.moderator);
    RETURN NEW;
END $$;
CREATE FUNCTION guard_fresh_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_fresh_eyes(NEW.lot, NEW.decided_by);
    RETURN NEW;
END $$;
CREATE TRIGGER fresh_panel BEFORE INSERT ON score
    FOR EACH ROW EXECUTE FUNCTION guard_fresh_evaluator();
CREATE TRIGGER fresh_panel BEFORE INSERT ON score_lock
    FOR EACH ROW EXECUTE FUNCTION guard_fresh_evaluator();
CREATE TRIGGER fresh_panel BEFORE INSERT ON agreed_score
    FOR EACH ROW EXECUTE FUNCTION guard_fresh_moderator();
CREATE TRIGGER fresh_panel BEFORE INSERT ON quality_decision
    FOR EACH ROW EXECUTE FUNCTION guard_fresh_decision();

CREATE FUNCTION lots_in_later_rounds() RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT lot FROM lot_round
$$;

-- -- beginning one --------------------------------------------------------------------------------

CREATE FUNCTION guard_lot_round() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'notified');
    PERFORM ensure_may_act(NEW.begun_by, held.tender, 'guardian');
    IF NOT EXISTS (SELECT 1 FROM challenge_end e JOIN lot_challenge c ON c.id = e.challenge
                   WHERE c.id = NEW.challenge AND c.lot = NEW.lot
                     AND e.outcome = 'upheld_reevaluate'
                     AND e.xmin = pg_current_xact_id()::xid) THEN
        PERFORM refuse('round_as_decided',
            'A lot is evaluated anew only as a challenge of it was decided, in one act.');
    END IF;
    NEW.number := round_of(NEW.lot) + 1;
    NEW.begun_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_lot_round BEFORE INSERT ON lot_round
    FOR EACH ROW EXECUTE FUNCTION guard_lot_round();

GRANT SELECT, INSERT ON lot_round TO market_app;
GRANT SELECT ON lot_round TO market_guard, market_worker;
GRANT SELECT ON current_panel, current_counted_seat, current_score, current_score_lock,
    current_agreed_score, current_quality_decision, current_ranking TO market_app, market_guard;
