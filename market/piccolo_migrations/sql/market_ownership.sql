-- The promises about who owns whom: imports are whole, links only end, nobody is somebody by name.
-- The questions that every conflict check asks of the graph are in market_ownership_graph.sql.

-- Whoever changes what is known of ownership takes turns: two files at once that both know a new
-- company would otherwise make it twice.
CREATE FUNCTION hold_ownership() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ownership_turn FOR UPDATE;
END $$;

-- Nobody (NULL) is the operator's command line, as for invitations.
CREATE FUNCTION may_state_ownership(who uuid, registrar_alone boolean) RETURNS boolean LANGUAGE sql
STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT who IS NULL OR EXISTS (
        SELECT 1 FROM membership m WHERE m.person = who AND m.ended_at IS NULL
        AND (m.role = 'registrar' OR NOT registrar_alone AND m.role = 'conflicts_guardian'))
$$;

CREATE FUNCTION guard_ownership_import() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT may_state_ownership(acting_person(), false) THEN
        PERFORM refuse('ownership_stated_by_right',
            'Only the registrar or a conflicts guardian imports ownership statements.');
    END IF;
    PERFORM hold_ownership();
    NEW.imported_by := acting_person();
    NEW.imported_at := market_now();
    NEW.transaction := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ownership_import BEFORE INSERT ON ownership_import
    FOR EACH ROW EXECUTE FUNCTION guard_ownership_import();

-- Nothing is added to an import once it was made: its rows are of one transaction.
CREATE FUNCTION guard_ownership_statements() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT imported_in AS id FROM added) a
        JOIN ownership_import i USING (id)
        WHERE i.transaction <> pg_current_xact_id()::text::bigint
    ) THEN
        PERFORM refuse('ownership_import_whole', 'An import is made whole, in one transaction.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_ownership_statements AFTER INSERT ON ownership_statement
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION guard_ownership_statements();

CREATE FUNCTION guard_ownership_imported_links() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (
            SELECT DISTINCT s.imported_in AS id FROM added a
            JOIN ownership_statement s ON s.id = a.statement
        ) d
        JOIN ownership_import i USING (id)
        WHERE i.transaction <> pg_current_xact_id()::text::bigint
    ) THEN
        PERFORM refuse('ownership_import_whole', 'An import is made whole, in one transaction.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_ownership_imported_links AFTER INSERT ON ownership_link
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION guard_ownership_imported_links();

-- Links without a statement are the registrar's.
CREATE FUNCTION guard_ownership_stated_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF acting_person() IS NULL OR NOT may_state_ownership(acting_person(), true) THEN
        PERFORM refuse('ownership_stated_by_right', 'Only the registrar states links.');
    END IF;
    NEW.stated_by := acting_person();
    NEW.recorded_at := market_now();
    NEW.superseded_at := NULL;
    NEW.superseded_by := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ownership_stated_link BEFORE INSERT ON ownership_link
    FOR EACH ROW WHEN (NEW.statement IS NULL) EXECUTE FUNCTION guard_ownership_stated_link();

-- The same link is stated once at a time.
CREATE UNIQUE INDEX ownership_link_stated_once ON ownership_link (holder, subject, kind)
    WHERE statement IS NULL AND ends_on IS NULL;

-- A link ends and stays ended: by a date if it was stated, by a newer statement if it was imported.
-- Its ends change along a merge of parties, and in no other way.
CREATE FUNCTION guard_ownership_link_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.holder <> OLD.holder AND NOT EXISTS (
           SELECT 1 FROM ownership_party p WHERE p.id = OLD.holder AND p.merged_into = NEW.holder)
       OR NEW.subject <> OLD.subject AND NOT EXISTS (
           SELECT 1 FROM ownership_party p WHERE p.id = OLD.subject AND p.merged_into = NEW.subject)
       OR (NEW.id, NEW.kind, NEW.share_minimum, NEW.share_maximum, NEW.majority, NEW.indirect,
           NEW.summary, NEW.starts_on, NEW.statement, NEW.source, NEW.stated_by, NEW.recorded_at)
          IS DISTINCT FROM
          (OLD.id, OLD.kind, OLD.share_minimum, OLD.share_maximum, OLD.majority, OLD.indirect,
           OLD.summary, OLD.starts_on, OLD.statement, OLD.source, OLD.stated_by, OLD.recorded_at)
       OR OLD.superseded_at IS NOT NULL AND (NEW.superseded_at, NEW.superseded_by)
          IS DISTINCT FROM (OLD.superseded_at, OLD.superseded_by)
       OR NEW.ends_on IS DISTINCT FROM OLD.ends_on
          AND (OLD.statement IS NOT NULL OR OLD.ends_on IS NOT NULL)
    THEN
        PERFORM refuse('ownership_link_only_ends', 'A link can only be ended, and once.');
    END IF;
    IF NEW.superseded_at IS DISTINCT FROM OLD.superseded_at THEN
        IF NOT EXISTS (
            SELECT 1 FROM ownership_statement s JOIN ownership_import i ON i.id = s.imported_in
            WHERE s.id = NEW.superseded_by
            AND i.transaction = pg_current_xact_id()::text::bigint
        ) THEN
            PERFORM refuse('ownership_import_whole',
                'A statement is replaced by one that is imported in the same transaction.');
        END IF;
        NEW.superseded_at := market_now();
    END IF;
    IF NEW.ends_on IS DISTINCT FROM OLD.ends_on
       AND (acting_person() IS NULL OR NOT may_state_ownership(acting_person(), true)) THEN
        PERFORM refuse('ownership_stated_by_right', 'Only the registrar ends a stated link.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ownership_link_change BEFORE UPDATE ON ownership_link
    FOR EACH ROW EXECUTE FUNCTION guard_ownership_link_change();

-- A party is never another one again; a known kind stays what it is.
CREATE FUNCTION guard_ownership_party() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.recorded_at) IS DISTINCT FROM (OLD.id, OLD.recorded_at)
       OR NEW.kind <> OLD.kind AND OLD.kind <> 'unknown'
       OR NEW.merged_into = NEW.id THEN
        PERFORM refuse('ownership_party_stays', 'A party stays what it is; only its name changes.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ownership_party BEFORE UPDATE ON ownership_party
    FOR EACH ROW EXECUTE FUNCTION guard_ownership_party();

-- Two parties turn out to be one: everything said of the first is said of the second from now on.
-- Only within an import; a link between the two would own itself, which its constraint refuses.
CREATE FUNCTION merge_ownership_parties(absorbed uuid, survivor uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM ownership_import WHERE transaction = pg_current_xact_id()::text::bigint
    ) THEN
        PERFORM refuse('ownership_import_whole', 'Parties are merged by an import alone.');
    END IF;
    UPDATE ownership_party SET merged_into = survivor
        WHERE id = absorbed OR merged_into = absorbed;
    UPDATE ownership_identifier SET party = survivor WHERE party = absorbed;
    UPDATE ownership_reference SET party = survivor WHERE party = absorbed;
    UPDATE ownership_link SET holder = survivor WHERE holder = absorbed;
    UPDATE ownership_link SET subject = survivor WHERE subject = absorbed;
    UPDATE ownership_person p SET ended_at = market_now()
        WHERE party = absorbed AND ended_at IS NULL AND EXISTS (
            SELECT 1 FROM ownership_person q
            WHERE q.party = survivor AND q.person = p.person AND q.ended_at IS NULL);
    UPDATE ownership_person SET party = survivor WHERE party = absorbed;
END $$;

-- Who is who is said by the registrar, by a conflicts guardian, or by the person about themselves.
CREATE UNIQUE INDEX ownership_person_once ON ownership_person (person, party)
    WHERE ended_at IS NULL;
CREATE FUNCTION guard_ownership_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    -- memberships, interests, duties and who is who of one person are decided one after another
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF acting_person() IS NULL
           OR acting_person() <> NEW.person AND NOT may_state_ownership(acting_person(), false) THEN
            PERFORM refuse('ownership_stated_by_right', 'That somebody is a person of the statements'
                ' is said by the registrar, a conflicts guardian, or the person themselves.');
        END IF;
        IF (SELECT kind FROM ownership_party WHERE id = NEW.party) = 'entity' THEN
            PERFORM refuse('ownership_person_is_a_person', 'An entity is nobody in person.');
        END IF;
        NEW.stated_by := acting_person();
        NEW.stated_at := market_now();
        NEW.ended_at := NULL;
        RETURN NEW;
    END IF;
    IF erasing() = OLD.person THEN
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at
       OR NEW.party <> OLD.party AND NOT EXISTS (
           SELECT 1 FROM ownership_party p WHERE p.id = OLD.party AND p.merged_into = NEW.party)
       OR (NEW.id, NEW.person, NEW.reason, NEW.stated_by, NEW.stated_at)
          IS DISTINCT FROM (OLD.id, OLD.person, OLD.reason, OLD.stated_by, OLD.stated_at) THEN
        PERFORM refuse('ownership_person_only_ends', 'That somebody is a person of the statements'
            ' can be withdrawn, and not changed.');
    END IF;
    IF NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
        -- nobody sheds an interest by saying that they are somebody else after all
        IF NOT may_state_ownership(acting_person(), false) THEN
            PERFORM refuse('ownership_stated_by_right', 'That somebody is a person of the'
                ' statements is withdrawn by the registrar or a conflicts guardian.');
        END IF;
        NEW.ended_at := market_now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_ownership_person BEFORE INSERT OR UPDATE ON ownership_person
    FOR EACH ROW EXECUTE FUNCTION guard_ownership_person();

SELECT keep_append_only('ownership_import', 'ownership_statement', 'ownership_replacement',
    'ownership_turn');
SELECT keep_undeleted('ownership_party', 'ownership_identifier', 'ownership_reference',
    'ownership_link', 'ownership_person');
SELECT keep_recorded('ownership_import', 'ownership_person');
SELECT keep_to_persons('ownership_import', 'ownership_person');
SELECT keep_erasable('ownership_person', 't.person = who.id', 'reason');
INSERT INTO ownership_turn (id) VALUES (1);
SELECT keep_to_migrations('ownership_turn');

-- An import writes hundreds of thousands of rows: that there is an event is looked at once for each
-- command that writes them, not once for each row, so the event is recorded first.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ownership_party', 'ownership_identifier', 'ownership_reference',
        'ownership_statement', 'ownership_replacement', 'ownership_link'] LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION event_required()', 'recorded_' || name, name);
    END LOOP;
END $$;

CREATE INDEX ownership_statement_record ON ownership_statement (scope, record)
    WHERE kind = 'relationship';
CREATE INDEX ownership_party_name_order ON ownership_party (name, id);
