-- The winner's verification: what it declared is checked before the contract, each check with its
-- reason and evidence. A check that is not met is resolved by a later one, or the bid drops out.

SELECT keep_append_only('award_check');
SELECT keep_recorded('award_check');
SELECT keep_to_persons('award_check');

-- What an award is checked for: grounds for exclusion of the lead and of everybody who takes part in
-- the version of the bid that was opened, the lead's financial standing and insurance.
CREATE FUNCTION checks_due(of_award uuid)
RETURNS TABLE (subject text, participant uuid, name text, declared text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s, NULL::uuid, o.name::text, NULL::text
    FROM award a JOIN bid b ON b.id = a.bid JOIN organisation o ON o.id = b.organisation
    CROSS JOIN unnest(ARRAY['exclusion_grounds', 'financial_standing', 'insurance']) s
    WHERE a.id = of_award
    UNION ALL
    SELECT 'exclusion_grounds', p.id, p.name::text, p.exclusion_grounds::text
    FROM award a JOIN manifest_entry m ON m.bid = a.bid
    JOIN bid_participant p ON p.bid_version = m.bid_version
    WHERE a.id = of_award
$$;

-- What was found last of each.
CREATE FUNCTION checks_found(of_award uuid)
RETURNS TABLE (subject text, participant uuid, name text, declared text, number integer,
    outcome text, reason text, evidence text, recorded_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.subject, d.participant, d.name, d.declared, c.number, c.outcome::text, c.reason,
        c.evidence, c.recorded_at
    FROM checks_due(of_award) d LEFT JOIN LATERAL (
        SELECT * FROM award_check k WHERE k.award = of_award AND k.subject = d.subject
        AND k.participant IS NOT DISTINCT FROM d.participant
        ORDER BY k.number DESC LIMIT 1) c ON true
    ORDER BY d.participant IS NOT NULL, d.name, d.participant, d.subject
$$;

CREATE FUNCTION award_verified(of_award uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(bool_and(coalesce(f.outcome IN ('verified', 'waived'), false)), false)
    FROM checks_found(of_award) f
$$;

CREATE FUNCTION guard_award_check() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'awarded', 'notified');
    PERFORM ensure_may_act(NEW.recorded_by, held.tender, 'tender_manager');
    IF NEW.award IS DISTINCT FROM latest_award(NEW.lot) THEN
        PERFORM refuse('check_of_standing_award', 'Only the award that stands is checked.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM checks_due(NEW.award) d WHERE d.subject = NEW.subject
                   AND d.participant IS NOT DISTINCT FROM NEW.participant) THEN
        PERFORM refuse('checked_as_declared', 'The award is not checked for that.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM award_check WHERE award = NEW.award), 0);
    NEW.recorded_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_award_check BEFORE INSERT ON award_check
    FOR EACH ROW EXECUTE FUNCTION guard_award_check();

-- named to come after `guard_contract`, which holds the lot: a check waits for the contract
CREATE FUNCTION guard_contract_verified() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT award_verified(NEW.award) THEN
        PERFORM refuse('contract_after_verification',
            'What the winner declared is not verified.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract_verified BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_contract_verified();

-- -- reading --------------------------------------------------------------------------------------

CREATE FUNCTION award_checks_shown(of_lot uuid)
RETURNS TABLE (subject text, participant uuid, name text, declared text, number integer,
    outcome text, reason text, evidence text, recorded_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.* FROM lot l CROSS JOIN LATERAL checks_found(latest_award(l.id)) f
    WHERE l.id = of_lot AND of_lot IN (SELECT evaluated_lots())
      AND holds_duty(acting_person(), l.tender, 'tender_manager', 'award_approver', 'guardian',
                     'contract_manager')
$$;

ALTER TABLE award_check ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON award_check FOR SELECT TO market_guard USING (true);
CREATE POLICY check_read ON award_check FOR SELECT TO market_app
    USING (recorded_by = acting_person());
CREATE POLICY check_made ON award_check FOR INSERT TO market_app
    WITH CHECK (recorded_by = acting_person());

GRANT SELECT, INSERT ON award_check TO market_app;
GRANT SELECT ON award_check TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION award_checks_shown(uuid), award_verified(uuid) TO market_app;
