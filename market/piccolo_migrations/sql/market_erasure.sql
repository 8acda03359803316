-- Erasure by law: what names a person goes, what they did stays, under an id that leads to nobody.
--
-- One function does it, erase_person(), which the owner role alone may execute. The row it writes
-- first (person_erasure) is what lets its changes past the guards, in that transaction and about
-- that person: no setting does, since anybody can set one. Nothing lets anything past the log
-- itself: events, positions, leaves, nodes and checkpoints have no row in `erasable`.

SELECT keep_undeleted('legal_hold');
SELECT keep_append_only('person_erasure', 'erasable', 'event_about');
SELECT keep_recorded('legal_hold', 'person_erasure');

-- Whom this transaction erases; nobody in every other one. That such a row is there says that the
-- owner role wrote it; the role is looked at again, because transactions count anew after a restore.
CREATE FUNCTION erasing() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT e.person FROM person_erasure e
    WHERE e.transaction = pg_current_xact_id_if_assigned()::text::bigint
      AND pg_has_role(session_user, 'market_owner', 'MEMBER')
$$;

-- What of a table's rows is erased, and whose rows they are: a condition on the row `t` and the
-- person `who`. Where rows are append-only otherwise, nothing else of them can be changed.
CREATE FUNCTION keep_erasable(of_table text, is_about text, VARIADIC columns text[])
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO erasable (name, about, words) VALUES (of_table, is_about, columns);
    IF EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = of_table::regclass
               AND tgname = 'append_only_' || of_table) THEN
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I'
            ' FOR EACH ROW EXECUTE FUNCTION only_erased()', 'erased_' || of_table, of_table);
    END IF;
END $$;

CREATE FUNCTION only_erased() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE rule erasable; theirs boolean;
BEGIN
    SELECT * INTO rule FROM erasable WHERE name = TG_TABLE_NAME;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM (SELECT ($1).*) AS t, person AS who'
        ' WHERE who.id = $2 AND (%s))', rule.about) INTO theirs USING OLD, erasing();
    IF NOT theirs OR to_jsonb(NEW) - rule.words IS DISTINCT FROM to_jsonb(OLD) - rule.words THEN
        PERFORM refuse('only_words_erased', format('Of a row of %s the words about the person who'
            ' is erased go, and nothing else.', TG_TABLE_NAME));
    END IF;
    RETURN NEW;
END $$;

-- What the words of a column become: nothing where they may be missing, else a word for it.
CREATE FUNCTION erased_value(of_table regclass, of_column text) RETURNS text LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT format('%I = ', a.attname) || CASE format_type(a.atttypid, NULL)
        WHEN 'bytea' THEN CASE WHEN a.attnotnull THEN '''\x''' ELSE 'NULL' END
        WHEN 'jsonb' THEN format('CASE jsonb_typeof(t.%I) WHEN ''array'' THEN ''[]''::jsonb'
            ' ELSE ''{}'' END', a.attname)
        WHEN 'character varying[]' THEN '''{}'''
        -- where nobody wrote anything there is nothing to erase
        ELSE format('CASE WHEN t.%1$I <> '''' THEN ''erased'' ELSE t.%1$I END', a.attname) END
    FROM pg_attribute a WHERE a.attrelid = of_table AND a.attname = of_column
$$;

-- -- what must be kept -----------------------------------------------------------------------------

-- What a person did or declared that the market must be able to account for, and when it was over:
-- NULL while it is not. (Not SQL, since the registers and the tenders come later.)
CREATE FUNCTION kept_of_person(of_person uuid)
RETURNS TABLE (kind text, what text, concluded_on date) LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM kept_in_tenders(of_person);
    RETURN QUERY SELECT * FROM kept_in_registers(of_person);
    -- what they did for an organisation or the market outside tenders; their account is their own
    RETURN QUERY SELECT 'office', max(e.action)::text, register_day(max(e.occurred_at))
        FROM event e WHERE e.person = of_person AND e.tender IS NULL
        AND NOT is_own_affair(e.action) HAVING count(*) > 0;
END $$;

-- The same list as in market.events.vocabulary; a test compares the two.
CREATE FUNCTION is_own_affair(act text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT act LIKE ANY (ARRAY['person.%', 'session.%', 'sessions.%', 'one_time_password.%',
            'recovery_code.%', 'single_sign_on.%', 'identity.%', 'api_key.%', 'client.%', 'token.%',
            'credential.%', 'webhook_subscription.%', 'notice_preferences.%', 'notice.%',
            'saved_search.%'])
            AND act <> 'person.erased'
        OR act IN ('invitation.accepted', 'request.refused')
$$;

CREATE FUNCTION guard_person_erasure() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user <> 'market_owner' THEN
        PERFORM refuse('erased_by_owner',
            'Somebody is erased by erase_person(), as the role that migrates.');
    END IF;
    -- what they begin at this moment is waited for, and whatever waits for them finds them gone
    PERFORM 1 FROM person WHERE id = NEW.person FOR UPDATE;
    IF EXISTS (SELECT 1 FROM legal_hold h WHERE h.person = NEW.person AND h.released_at IS NULL)
    THEN
        PERFORM refuse('legal_hold_runs', 'A legal hold is in force: nothing is erased until it is'
            ' released.');
    END IF;
    -- market.erasure.rules has the same
    IF EXISTS (SELECT 1 FROM kept_of_person(NEW.person) k WHERE k.concluded_on IS NULL
               OR kept_until(k.concluded_on) >= register_day(market_now())) THEN
        PERFORM refuse('retention_runs', 'What this person did must still be accounted for: records'
            ' are kept for six years after it was concluded.');
    END IF;
    NEW.transaction := pg_current_xact_id()::text::bigint;
    NEW.erased_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_person_erasure BEFORE INSERT ON person_erasure
    FOR EACH ROW EXECUTE FUNCTION guard_person_erasure();

CREATE FUNCTION guard_legal_hold() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    -- one after another with an erasure
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT 1 FROM person_erasure e WHERE e.person = NEW.person) THEN
            PERFORM refuse('person_stays_erased', 'This person has been erased for good.');
        END IF;
        NEW.placed_at := market_now();
        NEW.released_at := NULL;
        NEW.released_because := NULL;
        RETURN NEW;
    END IF;
    IF OLD.released_at IS NOT NULL OR NEW.released_because IS NULL
       OR (NEW.id, NEW.person, NEW.because, NEW.placed_at)
          IS DISTINCT FROM (OLD.id, OLD.person, OLD.because, OLD.placed_at) THEN
        PERFORM refuse('hold_only_released', 'A legal hold is released once, with a reason, and'
            ' does not change.');
    END IF;
    NEW.released_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_legal_hold BEFORE INSERT OR UPDATE ON legal_hold
    FOR EACH ROW EXECUTE FUNCTION guard_legal_hold();

-- -- what is erased --------------------------------------------------------------------------------

SELECT keep_append_only('event_private');
-- which of these rows are about somebody is looked at once for all of them: private_about()
SELECT keep_erasable('event_private', 'true', 'details', 'salt');
SELECT keep_erasable('idempotency_key', 't.person = who.id', 'answer', 'body_digest');
SELECT keep_erasable('invitation', 't.accepted_by = who.id OR t.email = who.email', 'email');
SELECT keep_erasable('identity_link', 't.person = who.id', 'issuer', 'subject');
SELECT keep_erasable('recovery_code', 't.person = who.id', 'code_digest');
SELECT keep_erasable('api_key', 't.person = who.id', 'name', 'addresses');
SELECT keep_erasable('oauth_client', 't.person = who.id', 'name', 'keys');
SELECT keep_erasable('credential_use', 't.credential IN (
    SELECT k.id FROM api_key k WHERE k.person = who.id
    UNION ALL SELECT c.id FROM oauth_client c WHERE c.person = who.id)', 'last_used_address');

-- Whom the private part of an event is about, and what its digests commit to; of other actions it
-- is the matter's, and stays. The same as in market.events.vocabulary; a test compares the two.
INSERT INTO event_about (id, action, subject_kind, whose)
SELECT gen_random_uuid(), a, k, w FROM (VALUES
    ('request.refused', 'person', 'actor'),
    ('session.refused', 'person', 'subject'),
    ('api_key.made', 'api_key', 'actor'),
    ('api_key.replaced', 'api_key', 'actor'),
    ('client.registered', 'client', 'actor'),
    ('client.keys_changed', 'client', 'actor'),
    ('interest.declared', 'interest', 'interest'),
    ('interest.declared', 'tender', 'actor'),
    ('interest.corrected', 'interest', 'interest'),
    ('interest.mitigated', 'interest', 'interest'),
    ('interest.published', 'interest', 'interest'),
    ('interest.withheld', 'interest', 'interest'),
    ('gift.declared', 'gift', 'gift'),
    ('gift.corrected', 'gift', 'gift'),
    ('gift.reviewed', 'gift', 'gift'),
    ('gift.published', 'gift', 'gift'),
    ('gift.withheld', 'gift', 'gift'),
    ('breach.recorded', 'conflict_breach', 'breach'),
    ('webhook_subscription.made', 'webhook_subscription', 'actor'),
    ('saved_search.made', 'saved_search', 'actor')
) AS about (a, k, w);
SELECT keep_to_migrations('erasable', 'event_about');

-- Whether a text has somebody's whole name in it, word by word, or their address. (Not SQL, since
-- words_of comes with the registers, later.)
CREATE FUNCTION speaks_of(written text, somebody person) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp AS $$
DECLARE name text := array_to_string(words_of(somebody.name), ' ');
BEGIN
    RETURN strpos(lower(written), somebody.email) > 0 OR name <> '' AND strpos(
        ' ' || array_to_string(words_of(written), ' ') || ' ', ' ' || name || ' ') > 0;
END $$;

-- The events whose private part goes with a person, and whether the salt of the digests goes too.
-- It does where all that is committed to is about them: else a digest could still be tried out.
-- Salts of bids, scores, awards stay, because those must be provable. What somebody else wrote goes
-- where it has the person's name or address in it.
CREATE FUNCTION private_about(of_person uuid) RETURNS TABLE (event uuid, salt_too boolean)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT found.event, bool_or(found.whole) FROM (
        SELECT v.event, true AS whole FROM event_about a JOIN event e
            ON e.action = a.action AND e.subject_kind = a.subject_kind
        JOIN event_private v ON v.event = e.id
        WHERE CASE a.whose WHEN 'actor' THEN e.person = of_person
            WHEN 'subject' THEN e.subject = of_person
            WHEN 'interest' THEN EXISTS (SELECT 1 FROM interest i
                WHERE i.id = e.subject AND i.person = of_person)
            WHEN 'gift' THEN EXISTS (SELECT 1 FROM gift g
                WHERE g.id = e.subject AND g.person = of_person)
            ELSE EXISTS (SELECT 1 FROM conflict_breach_person b
                WHERE b.breach = e.subject AND b.person = of_person) END
        UNION ALL
        SELECT v.event, e.before_digest IS NULL AND e.after_digest IS NULL
        FROM event_private v JOIN event e ON e.id = v.event, person w
        WHERE w.id = of_person AND speaks_of(v.details::text, w)
    ) found
    JOIN event_private p ON p.event = found.event AND p.salt <> '\x' GROUP BY found.event;
END $$;

-- What erase_person() would change, by table, for whoever is to decide.
CREATE FUNCTION erasure_of(of_person uuid) RETURNS TABLE (name text, row_count bigint)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE rule erasable;
BEGIN
    RETURN QUERY SELECT 'event_private', count(*) FROM private_about(of_person);
    FOR rule IN SELECT * FROM erasable e WHERE e.name <> 'event_private' LOOP
        RETURN QUERY EXECUTE format('SELECT $2::text, count(*) FROM %I AS t, person AS who'
            ' WHERE who.id = $1 AND (%s)', rule.name, rule.about) USING of_person, rule.name;
    END LOOP;
    RETURN QUERY SELECT 'session', count(*) FROM session s WHERE s.person = of_person;
    RETURN QUERY SELECT 'one_time_password', count(*) FROM one_time_password o
        WHERE o.person = of_person AND o.removed_at IS NULL;
    RETURN QUERY SELECT 'membership', count(*) FROM membership m
        WHERE m.person = of_person AND m.ended_at IS NULL;
END $$;

-- Erases a person for good, and gives the erasure's id. Refused while anything must be kept.
CREATE FUNCTION erase_person(of_person uuid, because_of text) RETURNS uuid LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE erasure uuid := gen_random_uuid(); rule erasable; changes text;
BEGIN
    INSERT INTO person_erasure (id, person, because) VALUES (erasure, of_person, because_of);
    INSERT INTO event (id, action, subject_kind, subject, request, details) VALUES (
        gen_random_uuid(), 'person.erased', 'person', of_person, 'command line',
        jsonb_build_object('erasure', erasure));
    -- first, while it is known what to look for
    UPDATE event_private v SET details = NULL,
        salt = CASE WHEN f.salt_too THEN '\x' ELSE v.salt END
    FROM private_about(of_person) f WHERE v.event = f.event;
    -- nothing works in their name any more
    UPDATE membership SET ended_at = market_now() WHERE person = of_person AND ended_at IS NULL;
    UPDATE session SET token_digest = sha256(uuid_send(id)),
        revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE person = of_person;
    UPDATE one_time_password SET removed_at = clock_timestamp()
        WHERE person = of_person AND removed_at IS NULL;
    UPDATE password_reset SET ended_at = clock_timestamp()
        WHERE person = of_person AND used_at IS NULL AND ended_at IS NULL;
    UPDATE identity_link SET removed_at = market_now()
        WHERE person = of_person AND removed_at IS NULL;
    UPDATE api_key SET revoked_at = clock_timestamp()
        WHERE person = of_person AND revoked_at IS NULL;
    UPDATE oauth_client SET revoked_at = clock_timestamp()
        WHERE person = of_person AND revoked_at IS NULL;
    UPDATE ownership_person SET ended_at = market_now()
        WHERE person = of_person AND ended_at IS NULL;
    UPDATE webhook_subscription SET ended_at = clock_timestamp(), ended_because = 'membership_ended'
        WHERE person = of_person AND ended_at IS NULL;
    UPDATE saved_search SET ended_at = market_now() WHERE person = of_person AND ended_at IS NULL;
    UPDATE notice SET state = 'skipped', last_error = 'erased'
        WHERE person = of_person AND state = 'waiting';
    UPDATE invitation SET revoked_at = clock_timestamp()
        WHERE email = (SELECT email FROM person WHERE id = of_person)
          AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp();
    FOR rule IN SELECT * FROM erasable WHERE name <> 'event_private' LOOP
        SELECT string_agg(erased_value(rule.name::regclass, word), ', ') INTO changes
        FROM unnest(rule.words) AS word;
        EXECUTE format('UPDATE %I AS t SET %s FROM person AS who WHERE who.id = $1 AND (%s)',
            rule.name, changes, rule.about) USING of_person;
    END LOOP;
    -- the address is unique, and none: nobody can be reached by it or invited to it
    UPDATE person SET name = 'Erased person', email = 'erased:' || id, password_hash = NULL
        WHERE id = of_person;
    RETURN erasure;
END $$;
-- it is the owner's, and stays the owner's: the guard has no right to do any of this
REVOKE EXECUTE ON FUNCTION erase_person(uuid, text), kept_of_person(uuid), private_about(uuid),
    erasure_of(uuid) FROM PUBLIC;

GRANT SELECT ON person_erasure TO market_guard;
SELECT seal_guards();
GRANT EXECUTE ON FUNCTION erasing() TO market_app;
