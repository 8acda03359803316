-- The ground's promises: one clock, an append-only log, no change without an event.
-- Functions marked SECURITY DEFINER are handed to market_guard at the end: a role that cannot log
-- in, that row-level security does not blind, and that holds no more than the grants given here.
-- Every function names its schema or pins its search path, temporary relations last: otherwise a
-- temporary table called market_clock would tell the time.

-- Every guard refuses in this one way: SQLSTATE MK001, the promise as the constraint's name.
CREATE FUNCTION refuse(promise text, sentence text) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'MK001', CONSTRAINT = promise, MESSAGE = sentence;
END $$;

CREATE FUNCTION acting_person() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('market.person', true), '')::uuid $$;

CREATE FUNCTION acting_organisation() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('market.organisation', true), '')::uuid $$;

-- The credential by which a system acts in the person's name; none in a session.
CREATE FUNCTION acting_credential() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('market.credential', true), '')::uuid $$;

-- The only clock. No search path is pinned, so that queries can take it in; its table is named in
-- full instead. A sandbox may be ahead of real time, production never is.
CREATE FUNCTION market_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT clock_timestamp() + coalesce((SELECT shift FROM public.market_clock), interval '0') $$;

-- Acts that a deadline decides share a lock with the sandbox's shift, so that no act straddles it.
CREATE FUNCTION hold_clock() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM held_shift();
END $$;

-- The same, giving how far the clock held is ahead.
CREATE FUNCTION held_shift() RETURNS interval LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT c.shift FROM market_clock c WHERE EXISTS (
        SELECT FROM installation WHERE kind = 'sandbox') FOR SHARE OF c), interval '0');
END $$;

CREATE FUNCTION guard_clock() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
        PERFORM refuse('clock_stays', 'The clock cannot be removed.');
    END IF;
    IF NEW.shift <> interval '0'
       AND (SELECT kind FROM installation) IS DISTINCT FROM 'sandbox' THEN
        PERFORM refuse('clock_real_in_production', 'Only a sandbox may shift its clock.');
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.shift < OLD.shift THEN
        PERFORM refuse('clock_goes_forward', 'The clock of a sandbox can only be moved forward.');
    END IF;
    IF NEW.shift > make_interval(secs => 50 * 365.25 * 86400) THEN
        PERFORM refuse('clock_within_reach',
            'The clock of a sandbox can be at most fifty years ahead.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_clock BEFORE INSERT OR UPDATE OR DELETE ON market_clock
    FOR EACH ROW EXECUTE FUNCTION guard_clock();
CREATE TRIGGER guard_clock_truncate BEFORE TRUNCATE ON market_clock
    FOR EACH STATEMENT EXECUTE FUNCTION guard_clock();

-- Rows that tell what happened are never changed or removed; but see market_erasure.sql, and
-- market_keys.sql for what is wrapped anew.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_user = 'market_owner' THEN
        IF erasing() IS NOT NULL AND EXISTS (SELECT 1 FROM erasable WHERE name = TG_TABLE_NAME) THEN
            RETURN NULL;
        END IF;
        -- guard_wrapped sees to it that nothing else of the row changes
        IF rewrapping() AND EXISTS (SELECT 1 FROM wrapped_column WHERE name = TG_TABLE_NAME) THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM refuse('append_only', format('%s is append-only: %s is refused.', TG_TABLE_NAME, TG_OP));
    RETURN NULL;
END $$;

-- Rows that are switched off by a time and never removed.
CREATE FUNCTION never_deleted() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM refuse('never_deleted', format('Rows of %s are never removed.', TG_TABLE_NAME));
    RETURN NULL;
END $$;

CREATE FUNCTION guard_event() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.transaction := pg_current_xact_id()::text::bigint;
    NEW.occurred_at := market_now();
    NEW.recorded_at := clock_timestamp();
    NEW.person := acting_person();
    NEW.organisation := acting_organisation();
    IF acting_credential() IS NOT NULL THEN
        NEW.details := NEW.details || jsonb_build_object('credential', acting_credential());
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_event BEFORE INSERT ON event
    FOR EACH ROW EXECUTE FUNCTION guard_event();

-- No change without an event: looked at when the transaction commits.
CREATE FUNCTION event_required() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM event WHERE transaction = pg_current_xact_id()::text::bigint
    ) THEN
        PERFORM refuse('event_recorded',
            format('A change of %s was not recorded in the event log.', TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $$;

-- What every table of the market gets: told at once which habits it keeps.
CREATE FUNCTION keep_recorded(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I'
            ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION event_required()',
            'recorded_' || name, name);
    END LOOP;
END $$;

CREATE FUNCTION keep_append_only(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION append_only()', 'append_only_' || name, name);
    END LOOP;
END $$;

CREATE FUNCTION keep_undeleted(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION never_deleted()', 'undeleted_' || name, name);
    END LOOP;
END $$;

-- Rows that the guards themselves decide by: written by a migration and by nothing else. Anybody
-- may say that they migrate, as `market.migrating` gives no right; it keeps mistakes out.
CREATE FUNCTION only_in_migration() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_setting('market.migrating', true) IS DISTINCT FROM 'on' THEN
        PERFORM refuse('only_in_migration',
            format('Rows of %s are written only by migrations.', TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_to_migrations(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION only_in_migration()', 'migrated_' || name, name);
    END LOOP;
END $$;

-- Called at the end of each package's guards: triggers that nothing switches off by itself, and
-- definer functions in the guard's name that nobody may call but as a trigger or by grant.
CREATE FUNCTION seal_guards() RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE item record;
BEGIN
    FOR item IN
        SELECT c.relname, t.tgname FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND NOT t.tgisinternal AND t.tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', item.relname, item.tgname);
    END LOOP;
    GRANT CREATE ON SCHEMA public TO market_guard;
    FOR item IN
        SELECT p.oid::regprocedure::text AS signature FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.prosecdef AND p.proowner <> 'market_guard'::regrole
          AND p.proname <> 'erase_person'
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO market_guard', item.signature);
        -- what sees more than its caller is called by nobody who was not named
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', item.signature);
    END LOOP;
    REVOKE CREATE ON SCHEMA public FROM market_guard;
END $$;

-- Drawn while the subject is held, so that it orders the acts on one subject without any clock; on
-- the way of an act it costs no lock.
ALTER TABLE event ALTER COLUMN serial ADD GENERATED ALWAYS AS IDENTITY;

SELECT keep_append_only('installation', 'event', 'idempotency_key', 'organisation_identifier');
SELECT keep_undeleted('organisation', 'person', 'membership', 'invitation', 'session');
SELECT keep_recorded('organisation', 'organisation_identifier', 'person', 'membership',
    'invitation', 'session', 'market_clock', 'idempotency_key');

CREATE FUNCTION guard_idempotency_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.answered_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_idempotency_key BEFORE INSERT ON idempotency_key
    FOR EACH ROW EXECUTE FUNCTION guard_idempotency_key();

-- Take the key of a request for this transaction, then look whether it has an answer: in this order,
-- so that what was answered while one waited is seen.
CREATE FUNCTION claim_request_key(of_person uuid, key uuid) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(of_person::text || key, 0)) THEN
        PERFORM refuse('request_key_free', 'A request with this key is being carried out.');
    END IF;
    IF EXISTS (SELECT FROM idempotency_key k WHERE k.person = of_person
               AND k.key_digest = sha256('idempotency-key\000'::bytea || uuid_send(key))) THEN
        PERFORM refuse('request_key_answered', 'A request with this key was carried out.');
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION claim_request_key(uuid, uuid) TO market_app;

-- A role is held once at a time; a membership, once ended, stays ended.
CREATE UNIQUE INDEX membership_once ON membership (person, organisation, role)
    WHERE ended_at IS NULL;
CREATE UNIQUE INDEX person_email_once ON person (email);
CREATE INDEX event_tender_time ON event (tender, occurred_at);
CREATE INDEX organisation_name_order ON organisation (name, id);

-- The organisation that runs the market: the same id in every market, as market.people knows it.
CREATE FUNCTION operator_organisation() RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT '99faf8c9-d33a-5f74-ac43-a4e34d6f9a29'::uuid $$;

-- What somebody proposed can be restated until it is confirmed, and never afterwards.
CREATE FUNCTION guard_organisation() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT OLD.proposed
       AND (NEW.id, NEW.kind, NEW.name, NEW.address, NEW.demonstration, NEW.proposed,
            NEW.registered_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.name, OLD.address,
            OLD.demonstration, OLD.proposed, OLD.registered_at) THEN
        PERFORM refuse('organisation_confirmed', 'This organisation is confirmed: what it is and'
            ' what it is called no longer change.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_organisation BEFORE UPDATE ON organisation
    FOR EACH ROW EXECUTE FUNCTION guard_organisation();

CREATE FUNCTION guard_membership() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    -- of two administrators who end each other the second waits here and finds who is left
    IF TG_OP = 'UPDATE' AND OLD.role = 'administrator' THEN
        PERFORM 1 FROM organisation WHERE id = OLD.organisation FOR NO KEY UPDATE;
    END IF;
    -- memberships, interests and duties of one person are decided one after another
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT 1 FROM person_erasure e WHERE e.person = NEW.person) THEN
            PERFORM refuse('person_stays_erased', 'This person has been erased for good.');
        END IF;
        IF NEW.role = 'registrar' AND NEW.organisation <> operator_organisation() THEN
            PERFORM refuse('registrar_of_operator',
                'Only people of the market''s operator can be registrars.');
        END IF;
        -- who watches the others is chosen by somebody else: at once, or by the invitation that is
        -- being taken up in this transaction
        IF NEW.role IN ('conflicts_guardian', 'lay_member', 'auditor')
           AND (NEW.granted_by = NEW.person OR NEW.person = acting_person() AND NOT EXISTS (
               SELECT 1 FROM invitation i WHERE i.accepted_by = NEW.person
               AND i.accepted_at >= transaction_timestamp() AND i.organisation = NEW.organisation
               AND NEW.role = ANY (i.roles) AND i.invited_by IS DISTINCT FROM NEW.person)) THEN
            PERFORM refuse('watchman_given_by_another', 'Nobody makes themselves conflicts'
                ' guardian, lay member or auditor: somebody else gives these roles.');
        END IF;
        NEW.started_at := market_now();
        NEW.ended_at := NULL;
    ELSIF OLD.ended_at IS NOT NULL
          OR (NEW.person, NEW.organisation, NEW.role, NEW.started_at)
             IS DISTINCT FROM (OLD.person, OLD.organisation, OLD.role, OLD.started_at) THEN
        PERFORM refuse('membership_only_ends', 'A membership can only be ended.');
    ELSE
        IF OLD.role = 'administrator' AND NOT EXISTS (
            SELECT 1 FROM membership m WHERE m.organisation = OLD.organisation
            AND m.role = 'administrator' AND m.ended_at IS NULL AND m.id <> OLD.id
        ) AND NOT EXISTS (
            SELECT 1 FROM membership m WHERE m.person = acting_person()
            AND m.role = 'registrar' AND m.ended_at IS NULL
        ) THEN
            PERFORM refuse('last_administrator',
                'The last administrator of an organisation is ended by the registrar alone.');
        END IF;
        NEW.ended_at := market_now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_membership BEFORE INSERT OR UPDATE ON membership
    FOR EACH ROW EXECUTE FUNCTION guard_membership();

-- An invitation stands only while whoever made it could still make it; nobody (NULL) is the
-- operator's command line.
CREATE FUNCTION may_invite(inviter uuid, into_organisation uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT inviter IS NULL OR EXISTS (
        SELECT 1 FROM membership m WHERE m.person = inviter AND m.ended_at IS NULL
        AND (m.role = 'registrar' OR m.role = 'administrator'
             AND m.organisation = into_organisation))
$$;

-- An invitation is accepted once, while it lasts, or revoked; the real clock decides, as for
-- sessions.
CREATE FUNCTION guard_invitation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND erasing() IS NOT NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF 'registrar' = ANY (NEW.roles) AND NEW.organisation <> operator_organisation() THEN
            PERFORM refuse('registrar_of_operator',
                'Only people of the market''s operator can be registrars.');
        END IF;
        NEW.invited_by := acting_person();
        NEW.invited_at := clock_timestamp();
        NEW.accepted_at := NULL;
        NEW.accepted_by := NULL;
        NEW.revoked_at := NULL;
        NEW.revoked_by := NULL;
    ELSIF OLD.accepted_at IS NOT NULL OR OLD.revoked_at IS NOT NULL
          OR OLD.expires_at <= clock_timestamp()
          OR NEW.accepted_at IS NOT NULL AND NEW.revoked_at IS NOT NULL THEN
        PERFORM refuse('invitation_once',
            'An invitation is accepted or revoked, once, before it expires.');
    ELSIF NEW.revoked_at IS NOT NULL THEN
        -- by whoever may invite now, also where its maker no longer may
        IF NOT may_invite(acting_person(), NEW.organisation) THEN
            PERFORM refuse('invited_by_administrator', 'Only an administrator of the organisation,'
                ' or the registrar, revokes its invitations.');
        END IF;
        NEW.revoked_at := clock_timestamp();
        NEW.revoked_by := acting_person();
        RETURN NEW;
    ELSIF NEW.accepted_at IS NOT NULL THEN
        -- whoever invited is held, so that their role does not end between this look and the commit
        PERFORM 1 FROM person WHERE id = NEW.invited_by FOR SHARE;
        NEW.accepted_at := clock_timestamp();
    END IF;
    IF NOT may_invite(NEW.invited_by, NEW.organisation) THEN
        PERFORM refuse('invited_by_administrator',
            'Only an administrator of the organisation, or the registrar, brings people into it.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_invitation BEFORE INSERT OR UPDATE ON invitation
    FOR EACH ROW EXECUTE FUNCTION guard_invitation();

-- The app role: what it may do, and no more.
GRANT USAGE ON SCHEMA public TO market_app, market_guard;
GRANT SELECT ON installation, market_clock, organisation, organisation_identifier, service_line,
    person, membership, invitation, session, event, idempotency_key TO market_app;
GRANT INSERT ON organisation, organisation_identifier, person, membership, invitation, session,
    event, event_private, idempotency_key TO market_app;
GRANT UPDATE (shift) ON market_clock TO market_app;
GRANT UPDATE (name, password_hash) ON person TO market_app;
GRANT UPDATE (ended_at) ON membership TO market_app;
GRANT UPDATE (accepted_at, accepted_by, revoked_at, revoked_by) ON invitation TO market_app;
GRANT UPDATE (revoked_at) ON session TO market_app;
GRANT UPDATE (population, kind, name, address, demonstration, proposed) ON organisation
    TO market_app;
-- a row can only be locked by a role that may change something in it
GRANT SELECT, UPDATE ON market_clock, person, organisation TO market_guard;
GRANT SELECT ON installation, event, membership, invitation TO market_guard;

ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_key_own ON idempotency_key TO market_app
    USING (person = acting_person()) WITH CHECK (person = acting_person());

-- Events are seen by who acted. A system that acts in a person's name sees what it did, not what the
-- person did. The feed adds what colleagues see, tenders who else sees theirs.
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON event FOR SELECT TO market_guard USING (true);
CREATE POLICY event_own ON event FOR SELECT TO market_app
    USING (person = acting_person() AND (acting_credential() IS NULL
           OR details ->> 'credential' = acting_credential()::text));
CREATE POLICY event_made ON event FOR INSERT TO market_app WITH CHECK (true);

-- What is kept apart from an event is seen by those who see the event whole; its salt by nobody.
ALTER TABLE event_private ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON event_private FOR SELECT TO market_guard USING (true);
CREATE POLICY private_of_seen ON event_private FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM event e WHERE e.id = event_private.event));
CREATE POLICY private_made ON event_private FOR INSERT TO market_app WITH CHECK (true);
GRANT SELECT (event, details) ON event_private TO market_app, market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION may_invite(uuid, uuid) TO market_app;
