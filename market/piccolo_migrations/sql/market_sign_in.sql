-- The promises of signing in: sessions, the lock-out, one-time codes, and password resets. All of
-- it goes by the real clock: a sandbox that is shifted forward does not open a lock or end a
-- session.

SELECT keep_undeleted('sign_in_attempt', 'one_time_password', 'recovery_code', 'password_reset');
-- not sign_in_attempt: a failure is recorded when it is known to be one, after it was counted
SELECT keep_recorded('one_time_password', 'recovery_code', 'password_reset');

CREATE FUNCTION acting_session() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('market.session', true), '')::uuid $$;

-- A session acts for an organisation of which the person is a member, and, once ended, stays so.
-- It is confirmed by itself alone, and one that it was switched into lasts no longer than it does.
CREATE FUNCTION guard_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE source session;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF erasing() = OLD.person THEN
            RETURN NEW;
        END IF;
        IF OLD.revoked_at IS NOT NULL THEN
            PERFORM refuse('session_stays_ended', 'A session that was ended stays ended.');
        END IF;
        IF NEW.confirmed_at > coalesce(OLD.confirmed_at, '-infinity') THEN
            IF NEW.id IS DISTINCT FROM acting_session()
               OR NEW.person IS DISTINCT FROM acting_person()
               OR NEW.expires_at <= clock_timestamp() THEN
                PERFORM refuse('session_confirmed_by_itself',
                    'A session is confirmed by its own person, in itself, while it works.');
            END IF;
            NEW.confirmed_at := clock_timestamp();
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.organisation IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = NEW.person
        AND m.organisation = NEW.organisation AND m.ended_at IS NULL
    ) THEN
        PERFORM refuse('session_for_own_organisation',
            'A session acts for an organisation of which the person is a member.');
    END IF;
    NEW.started_at := clock_timestamp();
    -- an identity provider may have remembered the person: fresh is what it says, never more
    NEW.confirmed_at := CASE WHEN NEW.method <> 'single_sign_on' THEN NEW.started_at
        WHEN NEW.confirmed_at IS NOT NULL THEN least(NEW.confirmed_at, NEW.started_at) END;
    NEW.revoked_at := NULL;
    IF NEW.switched_from IS NOT NULL THEN
        -- held, so that it is not ended between this look and the commit
        SELECT * INTO source FROM session WHERE id = NEW.switched_from FOR SHARE;
        IF source.id IS DISTINCT FROM acting_session() OR source.person IS DISTINCT FROM NEW.person
           OR source.revoked_at IS NOT NULL OR source.expires_at <= clock_timestamp() THEN
            PERFORM refuse('session_switched_from_own',
                'Only a session that works is switched into another one, by its own person.');
        END IF;
        NEW.method := source.method;
        NEW.confirmed_at := source.confirmed_at;
        NEW.expires_at := source.expires_at;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_session BEFORE INSERT OR UPDATE ON session
    FOR EACH ROW EXECUTE FUNCTION guard_session();

-- For acts that need somebody who has just proved who they are: a trigger for the tables of such
-- acts. The session is held until the commit, so that ending it and the act are one after another.
CREATE FUNCTION ensure_fresh_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM session s WHERE s.id = acting_session() AND s.person = acting_person()
        AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
        AND s.confirmed_at > clock_timestamp() - interval '15 minutes' FOR SHARE;
    IF NOT FOUND THEN
        PERFORM refuse('fresh_sign_in',
            'This needs a sign-in, or a confirmation of it, of the last fifteen minutes.');
    END IF;
    RETURN NEW;
END $$;

-- How long so many failures lock; nothing while they are few. market.people.rules has the same.
CREATE FUNCTION sign_in_lock(of_kind text, failures integer) RETURNS interval
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN failures >= allowed THEN
        make_interval(secs => least(30 * power(2, least(failures - allowed, 10)), longest)) END
    FROM (SELECT CASE of_kind WHEN 'account' THEN 5 ELSE 50 END AS allowed,
                 CASE of_kind WHEN 'account' THEN 900 ELSE 60 END AS longest) a
$$;

-- An attempt is counted before it is checked, one at a time, and never during a lock. A row that
-- has said nothing for a quarter of an hour starts anew, perhaps for another account or address.
CREATE FUNCTION guard_sign_in_attempt() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE forgotten boolean := true;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        forgotten := greatest(OLD.counted_at, OLD.locked_until)
            <= clock_timestamp() - interval '15 minutes';
        IF (NEW.kind, NEW.key_digest) IS DISTINCT FROM (OLD.kind, OLD.key_digest)
           AND NOT forgotten THEN
            PERFORM refuse('attempts_not_forgotten', 'These failures are not forgotten yet.');
        END IF;
        IF NEW.failures < OLD.failures AND NOT forgotten THEN
            -- taken back or cleared: it counted as a failure and was none
            NEW.counted_at := OLD.counted_at;
            IF NEW.locked_until IS NOT NULL THEN
                NEW.locked_until := OLD.locked_until;
            END IF;
            RETURN NEW;
        END IF;
        IF OLD.locked_until > clock_timestamp() THEN
            PERFORM refuse('sign_in_locked', 'Too many failures. Wait before you try again.');
        END IF;
    END IF;
    NEW.failures := CASE WHEN forgotten THEN 1 ELSE OLD.failures + 1 END;
    NEW.counted_at := clock_timestamp();
    NEW.locked_until := clock_timestamp() + sign_in_lock(NEW.kind, NEW.failures);
    RETURN NEW;
END $$;
CREATE TRIGGER guard_sign_in_attempt BEFORE INSERT OR UPDATE ON sign_in_attempt
    FOR EACH ROW EXECUTE FUNCTION guard_sign_in_attempt();
CREATE INDEX sign_in_attempt_age ON sign_in_attempt (greatest(counted_at, locked_until));

-- Nobody sets another's password: who resets one has proved to be its owner by a secret. Of somebody
-- who was erased nothing is set any more.
CREATE FUNCTION guard_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF erasing() = OLD.id THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT 1 FROM person_erasure e WHERE e.person = OLD.id) THEN
        PERFORM refuse('person_stays_erased', 'This person has been erased for good.');
    END IF;
    IF NEW.password_hash IS DISTINCT FROM OLD.password_hash
       AND OLD.id IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('own_password_only', 'Everybody sets their own password, and no other.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_person BEFORE UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION guard_person();

-- One authenticator at a time; each code once, and none older than the last one accepted.
CREATE UNIQUE INDEX one_time_password_once ON one_time_password (person) WHERE removed_at IS NULL;
CREATE FUNCTION guard_one_time_password() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.enrolled_at := clock_timestamp();
        NEW.confirmed_at := NULL;
        NEW.removed_at := NULL;
        NEW.last_step := NULL;
        RETURN NEW;
    END IF;
    IF OLD.removed_at IS NOT NULL THEN
        PERFORM refuse('one_time_password_stays_removed',
            'An authenticator that was removed stays removed.');
    END IF;
    IF NEW.removed_at IS NOT NULL THEN
        NEW.removed_at := clock_timestamp();
        NEW.wrapped_secret := NULL;
    ELSIF OLD.confirmed_at IS NOT NULL OR NEW.confirmed_at IS NULL THEN
        NEW.confirmed_at := OLD.confirmed_at;
    ELSE
        NEW.confirmed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_one_time_password BEFORE INSERT OR UPDATE ON one_time_password
    FOR EACH ROW EXECUTE FUNCTION guard_one_time_password();

-- Fires whenever the column is written, so that writing the step it has already is noticed too.
CREATE FUNCTION guard_one_time_code() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.last_step IS NULL OR NEW.last_step <= OLD.last_step THEN
        PERFORM refuse('one_time_code_once', 'Every code is accepted once.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_one_time_password_code BEFORE UPDATE OF last_step ON one_time_password
    FOR EACH ROW EXECUTE FUNCTION guard_one_time_code();

CREATE FUNCTION guard_recovery_code() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.used_at := NULL;
    ELSIF erasing() = OLD.person THEN
        NEW.used_at := coalesce(OLD.used_at, clock_timestamp());
    ELSIF OLD.used_at IS NOT NULL THEN
        PERFORM refuse('recovery_code_once', 'A recovery code is accepted once.');
    ELSE
        NEW.used_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_recovery_code BEFORE INSERT OR UPDATE ON recovery_code
    FOR EACH ROW EXECUTE FUNCTION guard_recovery_code();

-- Who may give a reset: the registrar, or an administrator of the one organisation the person
-- belongs to. Of somebody who belongs to several, one organisation's administrator would get at
-- what they do for another.
CREATE FUNCTION may_reset_password(maker uuid, of_person uuid, of_organisation uuid)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT maker <> of_person AND EXISTS (SELECT 1 FROM membership m WHERE m.person = of_person
            AND m.organisation = of_organisation AND m.ended_at IS NULL)
        AND (EXISTS (SELECT 1 FROM membership m WHERE m.person = maker AND m.ended_at IS NULL
                AND m.role = 'registrar')
            OR EXISTS (SELECT 1 FROM membership m WHERE m.person = maker AND m.ended_at IS NULL
                AND m.role = 'administrator' AND m.organisation = of_organisation)
            AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = of_person
                AND m.ended_at IS NULL AND m.organisation <> of_organisation))
$$;

CREATE FUNCTION guard_password_reset() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_by := acting_person();
        NEW.made_at := clock_timestamp();
        NEW.expires_at := NEW.made_at + interval '24 hours';
        NEW.used_at := NULL;
        NEW.ended_at := NULL;
    ELSIF OLD.used_at IS NOT NULL OR OLD.ended_at IS NOT NULL
          OR NEW.used_at IS NOT NULL AND OLD.expires_at <= clock_timestamp() THEN
        PERFORM refuse('password_reset_once', 'A password is reset once, within a day.');
    ELSIF NEW.ended_at IS NOT NULL THEN
        NEW.ended_at := clock_timestamp();
        NEW.used_at := NULL;
        RETURN NEW;
    ELSE
        -- both are held, so that neither's memberships change between this look and the commit
        PERFORM 1 FROM person WHERE id IN (NEW.made_by, NEW.person) ORDER BY id FOR SHARE;
        NEW.used_at := clock_timestamp();
    END IF;
    IF NOT coalesce(may_reset_password(NEW.made_by, NEW.person, NEW.organisation), false) THEN
        PERFORM refuse('reset_by_administrator', 'A password is reset by the administrator of the'
            ' one organisation a person belongs to, or else by the registrar.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_password_reset BEFORE INSERT OR UPDATE ON password_reset
    FOR EACH ROW EXECUTE FUNCTION guard_password_reset();

GRANT UPDATE (confirmed_at) ON session TO market_app;
GRANT SELECT, INSERT ON sign_in_attempt, one_time_password, recovery_code, password_reset
    TO market_app;
GRANT UPDATE (kind, key_digest, failures, locked_until) ON sign_in_attempt TO market_app;
GRANT UPDATE (wrapped_secret, confirmed_at, removed_at, last_step) ON one_time_password
    TO market_app;
GRANT UPDATE (used_at) ON recovery_code TO market_app;
GRANT UPDATE (used_at, ended_at) ON password_reset TO market_app;
-- a row can only be locked by a role that may change something in it
GRANT SELECT, UPDATE (revoked_at) ON session TO market_guard;

-- What people prove themselves by is seen in their own name alone.
ALTER TABLE one_time_password ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_time_password_own ON one_time_password TO market_app
    USING (person = acting_person()) WITH CHECK (person = acting_person());
ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY recovery_code_own ON recovery_code TO market_app
    USING (person = acting_person()) WITH CHECK (person = acting_person());

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION may_reset_password(uuid, uuid, uuid) TO market_app;
