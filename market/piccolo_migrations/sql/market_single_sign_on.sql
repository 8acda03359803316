-- Single sign-on: an answer counts once, an identity is one person's, and everybody keeps a way in.

CREATE UNIQUE INDEX identity_once ON identity_link (issuer, subject) WHERE removed_at IS NULL;

-- A sign-in lasts ten minutes of real time, as sessions go by it, and is answered once.
CREATE FUNCTION guard_single_sign_on_request() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.person IS NOT NULL AND NEW.person IS DISTINCT FROM acting_person() THEN
            PERFORM refuse('acts_in_own_name', 'Nobody links an identity to somebody else.');
        END IF;
        NEW.asked_at := clock_timestamp();
        NEW.expires_at := clock_timestamp() + interval '10 minutes';
        NEW.used_at := NULL;
        RETURN NEW;
    END IF;
    IF OLD.used_at IS NOT NULL OR OLD.expires_at <= clock_timestamp()
       OR (NEW.id, NEW.state_digest, NEW.binding_digest, NEW.person, NEW.organisation,
           NEW.invitation, NEW.fresh, NEW.asked_at, NEW.expires_at) IS DISTINCT FROM
          (OLD.id, OLD.state_digest, OLD.binding_digest, OLD.person, OLD.organisation,
           OLD.invitation, OLD.fresh, OLD.asked_at, OLD.expires_at) THEN
        PERFORM refuse('single_sign_on_once',
            'A sign-in is answered once, within ten minutes, and does not change.');
    END IF;
    NEW.used_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_single_sign_on_request BEFORE INSERT OR UPDATE ON single_sign_on_request
    FOR EACH ROW EXECUTE FUNCTION guard_single_sign_on_request();

-- Whoever has another way in links from within a fresh session; only somebody who has none is
-- linked by the invitation they take up in this transaction. An address is never enough.
CREATE FUNCTION guard_identity_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    -- what ways in a person has is decided one change after another
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF NEW.person IS DISTINCT FROM acting_person() THEN
            PERFORM refuse('acts_in_own_name', 'Nobody links an identity to somebody else.');
        END IF;
        IF NOT (
            EXISTS (SELECT 1 FROM invitation i WHERE i.accepted_by = NEW.person
                AND i.accepted_at >= transaction_timestamp())
            AND EXISTS (SELECT 1 FROM person p WHERE p.id = NEW.person AND p.password_hash IS NULL)
            AND NOT EXISTS (SELECT 1 FROM identity_link l WHERE l.person = NEW.person)
        ) THEN
            -- held, so that it is not ended between this look and the commit
            PERFORM 1 FROM session s WHERE s.id = acting_session() AND s.person = NEW.person
                AND s.revoked_at IS NULL AND s.expires_at > clock_timestamp()
                AND s.confirmed_at > clock_timestamp() - interval '15 minutes' FOR SHARE;
            IF NOT FOUND THEN
                PERFORM refuse('fresh_sign_in', 'An identity is linked from a session that was'
                    ' confirmed within the last fifteen minutes, or by the invitation of somebody'
                    ' new.');
            END IF;
        END IF;
        NEW.linked_at := market_now();
        NEW.removed_at := NULL;
    ELSIF erasing() = OLD.person THEN
        RETURN NEW;
    ELSIF OLD.removed_at IS NOT NULL
          OR (NEW.id, NEW.person, NEW.issuer, NEW.subject, NEW.linked_at)
             IS DISTINCT FROM (OLD.id, OLD.person, OLD.issuer, OLD.subject, OLD.linked_at) THEN
        PERFORM refuse('identity_only_removed', 'A link can only be removed.');
    ELSIF NEW.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody removes somebody else''s identity.');
    ELSE
        NEW.removed_at := market_now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_identity_link BEFORE INSERT OR UPDATE ON identity_link
    FOR EACH ROW EXECUTE FUNCTION guard_identity_link();

-- Everybody has a password or an identity: looked at when the transaction commits, since whoever is
-- new is registered first and linked then.
CREATE FUNCTION ensure_way_in() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE whose uuid;
BEGIN
    IF TG_TABLE_NAME = 'person' THEN whose := NEW.id; ELSE whose := NEW.person; END IF;
    IF EXISTS (SELECT 1 FROM person p WHERE p.id = whose AND p.password_hash IS NULL)
       AND NOT EXISTS (
           SELECT 1 FROM identity_link l WHERE l.person = whose AND l.removed_at IS NULL)
       AND erasing() IS DISTINCT FROM whose THEN
        PERFORM refuse('last_way_in', 'Everybody keeps a way to sign in: a password, or an'
            ' identity.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER way_in_of_person AFTER INSERT OR UPDATE ON person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.password_hash IS NULL)
    EXECUTE FUNCTION ensure_way_in();
CREATE CONSTRAINT TRIGGER way_in_by_link AFTER UPDATE ON identity_link
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ensure_way_in();

SELECT keep_undeleted('single_sign_on_request', 'identity_link');
SELECT keep_recorded('single_sign_on_request', 'identity_link');

GRANT SELECT, INSERT ON single_sign_on_request, identity_link TO market_app;
GRANT UPDATE (used_at) ON single_sign_on_request TO market_app;
GRANT UPDATE (removed_at) ON identity_link TO market_app;
GRANT SELECT ON identity_link TO market_guard;

SELECT seal_guards();
