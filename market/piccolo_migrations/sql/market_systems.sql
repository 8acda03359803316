-- The promises about systems: a credential is its maker's own, only ends, lives no longer than it
-- may, and what people alone do no system does. Credentials live by the real clock, as sessions do.

SELECT keep_undeleted('api_key', 'oauth_client', 'credential_use');
SELECT keep_append_only('client_token');
-- not credential_use: it changes with every use, and what a system did has events of its own
SELECT keep_recorded('api_key', 'oauth_client', 'client_token');
CREATE INDEX api_key_name_order ON api_key (organisation, name, id);
CREATE INDEX oauth_client_name_order ON oauth_client (organisation, name, id);

-- -- what people alone do ---------------------------------------------------------------------------

CREATE FUNCTION ensure_not_by_system() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF acting_credential() IS NOT NULL THEN
        PERFORM refuse('person_acts', 'A person does this, signed in; no system can.');
    END IF;
    RETURN NULL;
END $$;

-- For tables whose rows nobody but a person may write, whatever a credential's scopes are.
CREATE FUNCTION keep_to_persons(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION ensure_not_by_system()', 'by_person_' || name,
            name);
    END LOOP;
END $$;

SELECT keep_to_persons('person', 'membership', 'invitation', 'session', 'organisation',
    'organisation_identifier', 'market_clock', 'api_key', 'oauth_client', 'one_time_password',
    'recovery_code', 'password_reset', 'single_sign_on_request', 'identity_link');

-- -- credentials ------------------------------------------------------------------------------------

-- A credential hangs on the very membership by which it was made: it dies with that, and does not
-- come back when the person does.
CREATE FUNCTION ensure_may_make_system(maker uuid, for_organisation uuid, by_membership uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- held, so that the role does not end meanwhile and no two requests exceed the number
    PERFORM 1 FROM person WHERE id = maker FOR NO KEY UPDATE;
    IF maker IS DISTINCT FROM acting_person()
       OR for_organisation IS DISTINCT FROM acting_organisation()
       OR NOT EXISTS (SELECT 1 FROM membership m WHERE m.id = by_membership AND m.person = maker
                      AND m.organisation = for_organisation AND m.ended_at IS NULL
                      AND m.role IN ('administrator', 'bid_manager')) THEN
        PERFORM refuse('system_for_own_organisation', 'Administrators and bid managers make keys'
            ' and clients, for themselves and for the organisation they act for.');
    END IF;
    IF (SELECT count(*) FROM api_key k WHERE k.person = maker AND k.organisation = for_organisation
        AND k.revoked_at IS NULL AND k.expires_at > clock_timestamp())
       + (SELECT count(*) FROM oauth_client c WHERE c.person = maker
          AND c.organisation = for_organisation AND c.revoked_at IS NULL) >= 20 THEN
        PERFORM refuse('systems_bounded',
            'A person has at most 20 keys and clients in force for an organisation.');
    END IF;
END $$;

CREATE FUNCTION ensure_may_end_system(owner uuid, of_organisation uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF owner IS DISTINCT FROM acting_person() AND NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = acting_person() AND m.ended_at IS NULL
        AND m.organisation = acting_organisation()
        AND (m.role = 'registrar'
             OR m.role = 'administrator' AND m.organisation = of_organisation)) THEN
        PERFORM refuse('system_of_another', 'Only whoever made it, an administrator of the'
            ' organisation or a registrar ends a credential.');
    END IF;
END $$;

CREATE FUNCTION guard_api_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE former api_key;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.predecessor IS NOT NULL THEN
            SELECT * INTO former FROM api_key WHERE id = NEW.predecessor FOR NO KEY UPDATE;
            IF former.revoked_at IS NOT NULL OR former.expires_at <= clock_timestamp() THEN
                PERFORM refuse('credential_only_ends', 'What has ended is not replaced.');
            END IF;
            IF (former.person, former.organisation, former.name, former.scopes, former.addresses)
               IS DISTINCT FROM (NEW.person, NEW.organisation, NEW.name, NEW.scopes, NEW.addresses)
               OR EXISTS (SELECT 1 FROM api_key WHERE predecessor = NEW.predecessor) THEN
                PERFORM refuse('successor_as_before',
                    'A key has one successor, whose it is and which may do what it might.');
            END IF;
        END IF;
        PERFORM ensure_may_make_system(NEW.person, NEW.organisation, NEW.membership);
        NEW.made_at := clock_timestamp();
        NEW.revoked_at := NULL;
        NEW.revoked_by := NULL;
        IF NEW.expires_at <= NEW.made_at OR NEW.expires_at > NEW.made_at + interval '366 days' THEN
            PERFORM refuse('credential_lifetime',
                'An API key expires in the future, and within a year.');
        END IF;
        RETURN NEW;
    END IF;
    IF erasing() = OLD.person THEN
        RETURN NEW;
    END IF;
    IF OLD.revoked_at IS NOT NULL OR NEW.expires_at > OLD.expires_at
       OR (NEW.id, NEW.organisation, NEW.person, NEW.name, NEW.scopes, NEW.addresses,
           NEW.secret_code, NEW.membership, NEW.predecessor, NEW.made_at)
          IS DISTINCT FROM (OLD.id, OLD.organisation, OLD.person, OLD.name, OLD.scopes,
           OLD.addresses, OLD.secret_code, OLD.membership, OLD.predecessor, OLD.made_at) THEN
        PERFORM refuse('credential_only_ends',
            'An API key can only be revoked or made to end earlier.');
    END IF;
    PERFORM ensure_may_end_system(OLD.person, OLD.organisation);
    IF NEW.revoked_at IS NOT NULL THEN
        NEW.revoked_at := clock_timestamp();
        NEW.revoked_by := acting_person();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_api_key BEFORE INSERT OR UPDATE ON api_key
    FOR EACH ROW EXECUTE FUNCTION guard_api_key();
-- a key outlives the session in which it is made, so it takes a fresh one
CREATE TRIGGER fresh_api_key BEFORE INSERT ON api_key
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();
CREATE TRIGGER fresh_oauth_client BEFORE INSERT OR UPDATE OF keys ON oauth_client
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

CREATE FUNCTION guard_oauth_client() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM ensure_may_make_system(NEW.person, NEW.organisation, NEW.membership);
        NEW.made_at := clock_timestamp();
        NEW.revoked_at := NULL;
        NEW.revoked_by := NULL;
        NEW.version := 1;
        RETURN NEW;
    END IF;
    IF erasing() = OLD.person THEN
        RETURN NEW;
    END IF;
    IF OLD.revoked_at IS NOT NULL
       OR (NEW.id, NEW.organisation, NEW.person, NEW.membership, NEW.name, NEW.scopes,
           NEW.made_at)
          IS DISTINCT FROM (OLD.id, OLD.organisation, OLD.person, OLD.membership, OLD.name,
           OLD.scopes, OLD.made_at)
       OR NEW.version <> OLD.version + (NEW.keys IS DISTINCT FROM OLD.keys)::integer THEN
        PERFORM refuse('credential_only_ends',
            'A client can only be revoked or given other keys, as its next version.');
    END IF;
    -- whoever knows the new keys acts in its maker's name: nobody else sets them
    IF NEW.keys IS DISTINCT FROM OLD.keys AND OLD.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('system_of_another', 'Only whoever registered a client changes its keys.');
    END IF;
    PERFORM ensure_may_end_system(OLD.person, OLD.organisation);
    IF NEW.revoked_at IS NOT NULL THEN
        NEW.revoked_at := clock_timestamp();
        NEW.revoked_by := acting_person();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_oauth_client BEFORE INSERT OR UPDATE ON oauth_client
    FOR EACH ROW EXECUTE FUNCTION guard_oauth_client();

-- One assertion, one token: client_token_assertion_once is the constraint that keeps it.
CREATE FUNCTION guard_client_token() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE of_client oauth_client;
BEGIN
    SELECT * INTO of_client FROM oauth_client WHERE id = NEW.client FOR SHARE;
    IF of_client.revoked_at IS NOT NULL
       OR (SELECT ended_at FROM membership WHERE id = of_client.membership) IS NOT NULL THEN
        PERFORM refuse('client_in_force', 'The client was revoked, or nobody answers for it.');
    END IF;
    IF acting_credential() IS DISTINCT FROM NEW.client
       OR acting_person() IS DISTINCT FROM of_client.person THEN
        PERFORM refuse('acts_in_own_name', 'A token is issued to the client that asks for it.');
    END IF;
    IF NOT NEW.scopes <@ of_client.scopes THEN
        PERFORM refuse('token_within_scopes', 'A token has no scope that its client has not.');
    END IF;
    NEW.issued_at := clock_timestamp();
    IF NEW.expires_at > NEW.issued_at + interval '10 minutes' THEN
        PERFORM refuse('credential_lifetime', 'A token lives for at most ten minutes.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_client_token BEFORE INSERT ON client_token
    FOR EACH ROW EXECUTE FUNCTION guard_client_token();

CREATE FUNCTION guard_credential_use() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF erasing() IS NULL THEN
        NEW.last_used_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_credential_use BEFORE INSERT OR UPDATE ON credential_use
    FOR EACH ROW EXECUTE FUNCTION guard_credential_use();

GRANT SELECT, INSERT ON api_key, oauth_client, client_token, credential_use TO market_app;
GRANT UPDATE (expires_at, revoked_at) ON api_key TO market_app;
GRANT UPDATE (keys, version, revoked_at) ON oauth_client TO market_app;
GRANT UPDATE (last_used_at, last_used_address) ON credential_use TO market_app;
GRANT SELECT, UPDATE ON api_key, oauth_client TO market_guard;

SELECT seal_guards();
