-- Did it lower cost, did it improve access: figures against the baseline that was recorded at the
-- award, by somebody who neither wrote nor approved and does not manage the contract (the floor of
-- the duties). And what suppliers did with the contracts they won.

SELECT keep_append_only('outcome_baseline', 'outcome_review');
SELECT keep_recorded('outcome_baseline', 'outcome_review');
SELECT keep_to_persons('outcome_baseline', 'outcome_review');

CREATE FUNCTION guard_outcome_baseline() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'awarded', 'notified');
    PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'contract_manager');
    IF EXISTS (SELECT 1 FROM contract c WHERE c.lot = NEW.lot) THEN
        PERFORM refuse('baseline_before_contract',
            'The baseline is recorded before the first contract, and never after.');
    END IF;
    IF ARRAY(SELECT jsonb_object_keys(NEW.costs) ORDER BY 1)
        IS DISTINCT FROM ARRAY(SELECT b.organisation::text FROM tender_buyer b
                               WHERE b.tender = held.tender ORDER BY 1)
       OR EXISTS (SELECT 1 FROM jsonb_each_text(NEW.costs) c
                  WHERE c.value !~ '^[0-9]{1,15}(\.[0-9]{1,6})?$') THEN
        PERFORM refuse('baseline_of_every_buyer',
            'The baseline says of every buyer, and of nobody else, what a year costs it now.');
    END IF;
    NEW.award := latest_award(NEW.lot);
    NEW.recorded_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_outcome_baseline BEFORE INSERT ON outcome_baseline
    FOR EACH ROW EXECUTE FUNCTION guard_outcome_baseline();

CREATE FUNCTION guard_outcome_review() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    run record;
    before outcome_baseline;
BEGIN
    PERFORM hold_contracted_lot(NEW.lot, NEW.reviewed_by, 'outcome_reviewer');
    NEW.award := latest_award(NEW.lot);
    NEW.number := 1 + coalesce((SELECT max(number) FROM outcome_review WHERE lot = NEW.lot), 0);
    NEW.reviewed_at := market_now();
    SELECT * INTO run FROM contracts_run(NEW.lot);
    IF NEW.through >= london_today() OR NEW.through <= run.starts
       OR NEW.kind = 'yearly' AND NEW.through > run.ends
       OR NEW.kind = 'final' AND NEW.through < run.ends THEN
        PERFORM refuse('reviewed_when_due', 'A year is reviewed when it is over and the whole when'
            ' the last contract has ended.');
    END IF;
    IF EXISTS (SELECT 1 FROM outcome_review r WHERE r.lot = NEW.lot
               AND (r.kind = 'final' OR r.through >= NEW.through)) THEN
        PERFORM refuse('reviews_go_on',
            'A review is about later days than the one before; after the final one is none.');
    END IF;
    SELECT * INTO before FROM outcome_baseline b WHERE b.award = NEW.award;
    IF (before.id IS NULL) <> (NEW.access_value IS NULL) THEN
        PERFORM refuse('review_measures_access',
            'The measure of access is that of the baseline: give its value now, or none.');
    END IF;
    NEW.cost_before := (SELECT sum(c.value::numeric) FROM jsonb_each_text(before.costs) c
        WHERE EXISTS (SELECT 1 FROM contract k WHERE k.award = NEW.award
                      AND k.buyer::text = c.key));
    NEW.cost_lowered := NEW.yearly_cost < NEW.cost_before;
    NEW.access_improved := CASE before.access_better
        WHEN 'higher' THEN NEW.access_value > before.access_value
        WHEN 'lower' THEN NEW.access_value < before.access_value END;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_outcome_review BEFORE INSERT ON outcome_review
    FOR EACH ROW EXECUTE FUNCTION guard_outcome_review();

-- The lots whose contracts a supplier won, the latest first: what anybody may know.
CREATE FUNCTION lots_won(of_supplier uuid)
RETURNS TABLE (lot uuid, tender uuid, reference text, title text, lot_number integer,
    lot_title text, demonstration boolean, awarded_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.id, t.id, t.reference, t.title, l.number, l.title, t.demonstration, a.awarded_at
    FROM bid b JOIN award a ON a.bid = b.id JOIN lot l ON l.id = a.lot
    JOIN tender t ON t.id = l.tender
    WHERE b.organisation = of_supplier
      AND EXISTS (SELECT 1 FROM contract c WHERE c.award = a.id)
    ORDER BY a.awarded_at DESC, l.id
$$;

-- What the change feed shows of it, as the public page of the lot does.
INSERT INTO public_action (action, details, of_published_tender) VALUES
    ('kpis.published', '{lot,through}', true),
    ('contract.changed', '{lot,buyer,number,ground,flagged}', true),
    ('milestone.set', '{lot,buyer,number,due}', true),
    ('milestone.met', '{lot,buyer,number,met_on}', true),
    ('outcome.reviewed', '{lot,number,kind,through}', true);

-- A baseline is read with the evaluation, and by everybody once there is a contract.
ALTER TABLE outcome_baseline ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON outcome_baseline FOR SELECT TO market_guard USING (true);
CREATE POLICY baseline_read ON outcome_baseline FOR SELECT TO market_app USING (
    lot IN (SELECT evaluated_lots())
    OR EXISTS (SELECT 1 FROM contract c WHERE c.award = outcome_baseline.award));
CREATE POLICY baseline_made ON outcome_baseline FOR INSERT TO market_app
    WITH CHECK (recorded_by = acting_person());

GRANT SELECT, INSERT ON outcome_baseline, outcome_review TO market_app;
GRANT SELECT ON outcome_baseline, outcome_review TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION lots_won(uuid) TO market_app;
