-- Saved searches: one's own, for an organisation of which one is a member, twenty at most; they
-- end and never change.

SELECT keep_undeleted('saved_search');
SELECT keep_recorded('saved_search');
SELECT keep_to_persons('saved_search');
SELECT keep_erasable('saved_search', 't.person = who.id', 'name', 'text');
CREATE INDEX saved_search_in_force ON saved_search (person, organisation, made_at, id)
    WHERE ended_at IS NULL;

CREATE FUNCTION guard_saved_search() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF erasing() = OLD.person THEN
            RETURN NEW;
        END IF;
        IF OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL
           OR OLD.person IS DISTINCT FROM acting_person()
           OR (NEW.id, NEW.person, NEW.organisation, NEW.name, NEW.text, NEW.service_lines,
               NEW.buyer, NEW.minimum_value, NEW.maximum_value, NEW.made_at)
              IS DISTINCT FROM (OLD.id, OLD.person, OLD.organisation, OLD.name, OLD.text,
               OLD.service_lines, OLD.buyer, OLD.minimum_value, OLD.maximum_value, OLD.made_at) THEN
            PERFORM refuse('saved_search_only_ends',
                'A saved search is ended by whoever saved it, and does not change.');
        END IF;
        NEW.ended_at := market_now();
        RETURN NEW;
    END IF;
    -- held, so that no two requests exceed the number and no membership ends meanwhile
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF NEW.person IS DISTINCT FROM acting_person()
       OR NEW.organisation IS DISTINCT FROM acting_organisation()
       OR NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = NEW.person
                      AND m.organisation = NEW.organisation AND m.ended_at IS NULL) THEN
        PERFORM refuse('saved_search_own',
            'A search is saved for the organisation one acts for, by a member of it.');
    END IF;
    IF (SELECT count(*) FROM saved_search s WHERE s.person = NEW.person
        AND s.organisation = NEW.organisation AND s.ended_at IS NULL) >= 20 THEN
        PERFORM refuse('saved_searches_bounded',
            'A person has at most 20 saved searches for an organisation.');
    END IF;
    NEW.made_at := market_now();
    NEW.ended_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_saved_search BEFORE INSERT OR UPDATE ON saved_search
    FOR EACH ROW EXECUTE FUNCTION guard_saved_search();

-- What somebody looks for tells what their organisation means to bid for: it is theirs alone.
ALTER TABLE saved_search ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON saved_search FOR SELECT TO market_guard USING (true);
CREATE POLICY saved_search_own ON saved_search TO market_app
    USING (person = acting_person() AND organisation = acting_organisation())
    WITH CHECK (person = acting_person() AND organisation = acting_organisation());

GRANT SELECT, INSERT ON saved_search TO market_app;
GRANT UPDATE (ended_at) ON saved_search TO market_app;
GRANT SELECT ON saved_search TO market_guard;

SELECT seal_guards();
