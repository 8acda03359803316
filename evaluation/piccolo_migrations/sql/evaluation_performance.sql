-- What becomes of a contract: indicators set before it and measured while it runs, changes within
-- the limits of its law, milestones. What is computed is typed by nobody.

SELECT keep_append_only('kpi', 'kpi_assessment', 'kpi_publication', 'contract_change',
    'milestone', 'milestone_met', 'kpi_rule', 'change_rule');
SELECT keep_recorded('kpi', 'kpi_assessment', 'kpi_publication', 'contract_change', 'milestone',
    'milestone_met');
SELECT keep_to_persons('kpi', 'kpi_assessment', 'kpi_publication', 'contract_change', 'milestone',
    'milestone_met');

-- The rules of each rule set; a test holds them equal to evaluation/rules/contract_rules.py, where
-- their sources stand.
INSERT INTO kpi_rule (id, rule_set, above, minimum)
VALUES (gen_random_uuid(), 'procurement_act_2023', 5000000, 3);

INSERT INTO change_rule (id, rule_set, ground, value_percent, increases_only, strictly_below,
                         cumulative, term_percent)
SELECT gen_random_uuid(), r.* FROM (VALUES
    ('pcr_2015', 'review_clause', NULL::integer, false, false, false, NULL::integer),
    ('pcr_2015', 'additional_services', 50, true, false, false, NULL),
    ('pcr_2015', 'unforeseen', 50, true, false, false, NULL),
    ('pcr_2015', 'new_contractor', 0, false, false, false, 0),
    ('pcr_2015', 'not_substantial', NULL, false, false, false, NULL),
    ('pcr_2015', 'small_value', 10, false, true, true, NULL),
    ('procurement_act_2023', 'provided_for', NULL, false, false, false, NULL),
    ('procurement_act_2023', 'urgency', NULL, false, false, false, NULL),
    ('procurement_act_2023', 'unforeseen', 50, true, false, false, NULL),
    ('procurement_act_2023', 'known_risk', 50, true, false, false, NULL),
    ('procurement_act_2023', 'additional_services', 50, true, false, false, NULL),
    ('procurement_act_2023', 'new_contractor', 0, false, false, false, 0),
    ('procurement_act_2023', 'not_substantial', NULL, false, false, false, 10),
    ('procurement_act_2023', 'small_value', 10, false, false, false, NULL)
) AS r (rule_set, ground, value_percent, increases_only, strictly_below, cumulative, term_percent);
SELECT keep_to_migrations('kpi_rule', 'change_rule');

CREATE FUNCTION london_today() RETURNS date LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT (market_now() AT TIME ZONE 'Europe/London')::date
$$;

-- Acts under a contract wait for each other on the lot.
CREATE FUNCTION hold_contracted_lot(of_lot uuid, actor uuid, wanted text) RETURNS lot
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(of_lot, 'contracted');
    PERFORM ensure_may_act(actor, held.tender, wanted);
    RETURN held;
END $$;

-- -- indicators -----------------------------------------------------------------------------------

CREATE FUNCTION guard_kpi() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'awarded', 'notified');
    PERFORM ensure_may_act(NEW.set_by, held.tender, 'contract_manager');
    IF EXISTS (SELECT 1 FROM contract c WHERE c.lot = NEW.lot) THEN
        PERFORM refuse('kpi_before_contract', 'Indicators are set before the first contract.');
    END IF;
    NEW.award := latest_award(NEW.lot);
    NEW.number := 1 + coalesce((SELECT max(number) FROM kpi WHERE award = NEW.award), 0);
    NEW.set_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_kpi BEFORE INSERT ON kpi FOR EACH ROW EXECUTE FUNCTION guard_kpi();

-- The value of a lot over its published term, as it was estimated, whoever shares it.
CREATE FUNCTION estimated_value(of_lot uuid) RETURNS numeric LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.estimated_annual_value * (part ->> 'term_months')::integer / 12
    FROM lot l JOIN tender t ON t.id = l.tender
    JOIN requirement_version r ON r.tender = t.id AND r.number = t.published_requirement
    CROSS JOIN LATERAL jsonb_array_elements(r.content -> 'lots') part
    WHERE l.id = of_lot AND (part ->> 'number')::integer = l.number
$$;

-- How many more indicators a lot needs before there can be a contract.
CREATE FUNCTION kpis_lacking(of_lot uuid) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT greatest(0, k.minimum - (SELECT count(*)::integer FROM kpi i
                                                     WHERE i.award = latest_award(of_lot)))
        FROM lot l JOIN tender t ON t.id = l.tender JOIN kpi_rule k ON k.rule_set = t.rule_set
        WHERE l.id = of_lot AND estimated_value(l.id) > k.above), 0)
$$;

CREATE FUNCTION guard_contract_kpis() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF kpis_lacking(NEW.lot) > 0 THEN
        PERFORM refuse('contract_has_kpis',
            'A contract of this value has key performance indicators before it is made.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract_kpis BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_contract_kpis();

-- When the contracts of a lot begin and, changes included, end.
CREATE FUNCTION contracts_run(of_lot uuid) RETURNS TABLE (starts date, ends date) LANGUAGE sql
STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min(c.starts), max(coalesce(x.ends, c.ends)) FROM contract c LEFT JOIN LATERAL (
        SELECT h.ends FROM contract_change h WHERE h.contract = c.id
        ORDER BY h.number DESC LIMIT 1) x ON true
    WHERE c.lot = of_lot
$$;

CREATE FUNCTION guard_kpi_assessment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    measured kpi;
    run record;
BEGIN
    SELECT * INTO STRICT measured FROM kpi WHERE id = NEW.kpi;
    PERFORM hold_contracted_lot(measured.lot, NEW.assessed_by, 'contract_manager');
    NEW.assessed_at := market_now();
    SELECT * INTO run FROM contracts_run(measured.lot);
    IF NEW.period_to >= london_today() OR NEW.period_from < run.starts
       OR NEW.period_to > run.ends THEN
        PERFORM refuse('assessed_after_period',
            'A period is assessed once it is over, and lies within the contract.');
    END IF;
    IF EXISTS (SELECT 1 FROM kpi_assessment a WHERE a.kpi = NEW.kpi
               AND a.period_from <= NEW.period_to AND a.period_to >= NEW.period_from) THEN
        PERFORM refuse('assessments_apart', 'A part of this period has been assessed.');
    END IF;
    IF EXISTS (SELECT 1 FROM kpi_publication p WHERE p.lot = measured.lot
               AND p.through >= NEW.period_to) THEN
        PERFORM refuse('published_assessments_stay', 'What was measured then is published.');
    END IF;
    NEW.met := CASE measured.direction WHEN 'at_least' THEN NEW.value >= measured.target
               ELSE NEW.value <= measured.target END;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_kpi_assessment BEFORE INSERT ON kpi_assessment
    FOR EACH ROW EXECUTE FUNCTION guard_kpi_assessment();

CREATE FUNCTION guard_kpi_publication() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE since date;
BEGIN
    PERFORM hold_contracted_lot(NEW.lot, NEW.published_by, 'contract_manager');
    NEW.published_at := market_now();
    SELECT coalesce(max(p.through), '-infinity') INTO since FROM kpi_publication p
        WHERE p.lot = NEW.lot;
    IF NEW.through >= london_today() OR NEW.through <= since
       OR NOT EXISTS (SELECT 1 FROM kpi k WHERE k.award = latest_award(NEW.lot))
       OR EXISTS (SELECT 1 FROM kpi k WHERE k.award = latest_award(NEW.lot) AND NOT EXISTS (
            SELECT 1 FROM kpi_assessment a WHERE a.kpi = k.id
            AND a.period_to > since AND a.period_to <= NEW.through)) THEN
        PERFORM refuse('published_whole',
            'Published is what came after the last publication, every indicator assessed.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_kpi_publication BEFORE INSERT ON kpi_publication
    FOR EACH ROW EXECUTE FUNCTION guard_kpi_publication();

-- -- changes --------------------------------------------------------------------------------------

-- A change stays within what its ground allows by the rule set under which the contract was
-- bought. It is flagged where it and those before it come to a tenth of the value or of the term
-- that were awarded, for whoever asks whether it should be bought anew.
CREATE FUNCTION guard_contract_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    made contract;
    held lot;
    rule change_rule;
    present record;
    by_value numeric;
    by_days integer;
BEGIN
    SELECT * INTO STRICT made FROM contract WHERE id = NEW.contract;
    held := hold_contracted_lot(made.lot, NEW.recorded_by, 'contract_manager');
    SELECT r.* INTO rule FROM change_rule r JOIN tender t ON t.rule_set = r.rule_set
        WHERE t.id = held.tender AND r.ground = NEW.ground;
    IF NOT FOUND THEN
        PERFORM refuse('change_ground_known', 'The law of this contract knows no such ground.');
    END IF;
    SELECT coalesce(x.value, made.value) AS value, coalesce(x.ends, made.ends) AS ends,
        coalesce(x.number, 0) AS number INTO present
        FROM (SELECT 1) one LEFT JOIN LATERAL (
            SELECT h.* FROM contract_change h WHERE h.contract = made.id
            ORDER BY h.number DESC LIMIT 1) x ON true;
    NEW.value := coalesce(NEW.value, present.value);
    NEW.ends := coalesce(NEW.ends, present.ends);
    NEW.number := present.number + 1;
    NEW.recorded_at := market_now();
    IF (NEW.value, NEW.ends) = (present.value, present.ends) AND NEW.scope IS NULL THEN
        PERFORM refuse('change_changes', 'Say what changes: the value, the end or the scope.');
    END IF;
    IF NEW.ends <= made.starts THEN
        PERFORM refuse('changed_end_after_start', 'A contract ends after it starts.');
    END IF;
    by_value := NEW.value - CASE WHEN rule.cumulative THEN made.value ELSE present.value END;
    by_value := CASE WHEN rule.increases_only THEN greatest(by_value, 0) ELSE abs(by_value) END;
    by_days := abs(NEW.ends - made.ends);
    IF by_value * 100 > rule.value_percent * made.value
       OR rule.strictly_below AND by_value * 100 = rule.value_percent * made.value
       OR NEW.ends <> present.ends
          AND by_days * 100 > rule.term_percent * (made.ends - made.starts + 1) THEN
        PERFORM refuse('change_within_limit',
            'The change goes further than its ground allows: it would have to be bought anew.');
    END IF;
    NEW.flagged := abs(NEW.value - made.value) * 10 >= made.value
        OR by_days * 10 >= made.ends - made.starts + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract_change BEFORE INSERT ON contract_change
    FOR EACH ROW EXECUTE FUNCTION guard_contract_change();

-- -- milestones -----------------------------------------------------------------------------------

CREATE FUNCTION guard_milestone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hold_contracted_lot((SELECT lot FROM contract WHERE id = NEW.contract), NEW.set_by,
                                'contract_manager');
    NEW.number := 1 + coalesce((SELECT max(number) FROM milestone
                                WHERE contract = NEW.contract), 0);
    NEW.set_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_milestone BEFORE INSERT ON milestone
    FOR EACH ROW EXECUTE FUNCTION guard_milestone();

CREATE FUNCTION guard_milestone_met() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM hold_contracted_lot((SELECT c.lot FROM milestone m JOIN contract c ON c.id = m.contract
                                 WHERE m.id = NEW.milestone), NEW.recorded_by, 'contract_manager');
    NEW.recorded_at := market_now();
    IF NEW.met_on > london_today() THEN
        PERFORM refuse('milestone_met_by_now', 'A milestone is met on a day that has come.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_milestone_met BEFORE INSERT ON milestone_met
    FOR EACH ROW EXECUTE FUNCTION guard_milestone_met();

-- -- reading --------------------------------------------------------------------------------------

-- What was measured is read by those who read the evaluation and, once published, by everybody.
ALTER TABLE kpi_assessment ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON kpi_assessment FOR SELECT TO market_guard USING (true);
CREATE POLICY kpi_assessment_read ON kpi_assessment FOR SELECT TO market_app USING (EXISTS (
    SELECT 1 FROM kpi k WHERE k.id = kpi AND (k.lot IN (SELECT evaluated_lots())
        OR EXISTS (SELECT 1 FROM kpi_publication p
                   WHERE p.lot = k.lot AND p.through >= period_to))));
CREATE POLICY kpi_assessment_made ON kpi_assessment FOR INSERT TO market_app
    WITH CHECK (assessed_by = acting_person());

-- Indicators are read with the evaluation, and by everybody once there is a contract.
ALTER TABLE kpi ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON kpi FOR SELECT TO market_guard USING (true);
CREATE POLICY kpi_read ON kpi FOR SELECT TO market_app USING (lot IN (SELECT evaluated_lots())
    OR EXISTS (SELECT 1 FROM contract c WHERE c.award = kpi.award));
CREATE POLICY kpi_made ON kpi FOR INSERT TO market_app WITH CHECK (set_by = acting_person());

GRANT SELECT, INSERT ON kpi, kpi_assessment, kpi_publication, contract_change, milestone,
    milestone_met TO market_app;
GRANT SELECT ON kpi_rule, change_rule TO market_app;
GRANT SELECT ON kpi, kpi_assessment, kpi_publication, contract_change, milestone, milestone_met,
    kpi_rule, change_rule TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION kpis_lacking(uuid), contracts_run(uuid) TO market_app;
