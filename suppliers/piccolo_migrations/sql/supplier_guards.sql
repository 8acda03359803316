-- Suppliers: applications and decisions are facts; standing is read from them.
SELECT keep_append_only('supplier_application', 'supplier_application_service_line',
    'supplier_decision');
SELECT keep_recorded('supplier_application', 'supplier_application_service_line',
    'supplier_decision');
SELECT keep_to_persons('supplier_application', 'supplier_application_service_line',
    'supplier_decision');
CREATE INDEX supplier_application_order ON supplier_application (applied_at, id);

CREATE FUNCTION guard_supplier_application() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.applicant IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can apply in another person''s name.');
    END IF;
    PERFORM 1 FROM organisation
        WHERE id = NEW.organisation
          AND kind IN ('commissioning_support_unit', 'third_sector', 'commercial')
        FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('supplier_kind', 'Only commissioning support units, third-sector bodies and'
            ' commercial companies can be suppliers.');
    END IF;
    IF EXISTS (
        SELECT 1 FROM supplier_application a
        LEFT JOIN supplier_decision d ON d.application = a.id
        WHERE a.organisation = NEW.organisation AND (d.id IS NULL OR d.outcome = 'admitted')
    ) THEN
        PERFORM refuse('supplier_applies_once',
            'This organisation is a supplier already, or its application is being considered.');
    END IF;
    NEW.applied_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_supplier_application BEFORE INSERT ON supplier_application
    FOR EACH ROW EXECUTE FUNCTION guard_supplier_application();

CREATE FUNCTION guard_supplier_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.decided_at := market_now();
    IF NEW.decided_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can decide in another person''s name.');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = NEW.decided_by AND m.role = 'registrar'
        AND m.organisation = acting_organisation() AND m.ended_at IS NULL
    ) THEN
        PERFORM refuse('registrar_decides', 'Only a registrar admits or refuses suppliers.');
    END IF;
    IF EXISTS (
        SELECT 1 FROM supplier_application a
        WHERE a.id = NEW.application AND a.applicant = NEW.decided_by
    ) THEN
        PERFORM refuse('registrar_is_not_applicant', 'The applicant cannot decide the application.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_supplier_decision BEFORE INSERT ON supplier_decision
    FOR EACH ROW EXECUTE FUNCTION guard_supplier_decision();

-- Whether an organisation may bid: its last application was admitted.
-- In plpgsql, which plans it once a session: every bid asks it.
CREATE FUNCTION is_admitted_supplier(candidate uuid) RETURNS boolean LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN coalesce((
        SELECT d.outcome = 'admitted' FROM supplier_application a
        LEFT JOIN supplier_decision d ON d.application = a.id
        WHERE a.organisation = candidate ORDER BY a.applied_at DESC LIMIT 1), false);
END $$;

GRANT SELECT, INSERT ON supplier_application, supplier_application_service_line,
    supplier_decision TO market_app;
GRANT SELECT ON supplier_application, supplier_decision TO market_guard;
GRANT EXECUTE ON FUNCTION is_admitted_supplier(uuid) TO market_app;

-- The list of suppliers is public; why one was refused is between the registrar and the applicant.
INSERT INTO public_action (action, details, of_published_tender)
    VALUES ('supplier.admitted', '{organisation}', false);
INSERT INTO colleague_action (action, roles, in_tender)
    VALUES ('supplier.admitted', '{registrar}', false), ('supplier.refused', '{registrar}', false);

SELECT seal_guards();
