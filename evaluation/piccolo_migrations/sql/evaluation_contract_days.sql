-- Days of contracts are such as people mean: a slip of the keyboard in a year would stay for ever in a
-- record that nothing is taken from, and the last day that a calendar has is stored as no day at all.

CREATE FUNCTION ensure_near_day(day date) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF day NOT BETWEEN london_today() - interval '50 years' AND london_today() + interval '50 years'
    THEN
        PERFORM refuse('contract_days_near', 'A day of a contract lies within 50 years of today.');
    END IF;
END $$;

CREATE FUNCTION guard_days_of_contract() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_near_day(NEW.starts), ensure_near_day(NEW.ends);
    RETURN NEW;
END $$;
CREATE FUNCTION guard_day_of_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_near_day(NEW.ends);
    RETURN NEW;
END $$;
CREATE FUNCTION guard_day_of_milestone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_near_day(NEW.due);
    RETURN NEW;
END $$;
-- named so that they fire before guards that count days
CREATE TRIGGER days_near BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_days_of_contract();
CREATE TRIGGER days_near BEFORE INSERT ON contract_change
    FOR EACH ROW EXECUTE FUNCTION guard_day_of_change();
CREATE TRIGGER days_near BEFORE INSERT ON milestone
    FOR EACH ROW EXECUTE FUNCTION guard_day_of_milestone();

SELECT seal_guards();
