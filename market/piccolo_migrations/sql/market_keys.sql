-- The market's own keys: what is wrapped stays openable, and the keys that signed stay published.

SELECT keep_append_only('wrapped_column', 'retired_wrapping_key', 'signing_key', 'key_act');
SELECT keep_to_migrations('wrapped_column');
SELECT keep_recorded('retired_wrapping_key', 'signing_key', 'key_act');

-- Whether keys are being rewrapped: said by a setting, believed of nobody but who may be the owner.
CREATE FUNCTION rewrapping() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT coalesce(current_setting('market.rewrapping', true), '') = 'on'
       AND pg_has_role(session_user, 'market_owner', 'MEMBER')
$$;

-- The id of the key-encryption key that something is wrapped under: format, length, id (as in
-- market.sealing.custody). NULL where nothing is wrapped.
CREATE FUNCTION wrapped_under(wrapped bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(wrapped) > 2
           THEN encode(substring(wrapped FROM 3 FOR get_byte(wrapped, 1)), 'escape') END
$$;

-- Say that a column holds what is wrapped: nothing new is wrapped there under a key that was put out
-- of use, and whoever rewraps changes that column alone.
CREATE FUNCTION keep_wrapped(of_table text, of_column text) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO wrapped_column (name, wrapped) VALUES (of_table, of_column);
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %I'
        ' FOR EACH ROW EXECUTE FUNCTION guard_wrapped(%L)', 'wrapped_' || of_table, of_table,
        of_column);
END $$;

CREATE FUNCTION guard_wrapped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE made bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO made USING NEW;
    IF TG_OP = 'UPDATE' AND rewrapping()
       AND (to_jsonb(NEW) - TG_ARGV[0] IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV[0]
            OR made IS NULL) THEN
        PERFORM refuse('rewrapped_alone', 'Whoever rewraps keys changes nothing else.');
    END IF;
    -- asked anew by every row: a key is put out of use under a lock that inserts wait for
    IF EXISTS (SELECT 1 FROM retired_wrapping_key r WHERE r.key_id = wrapped_under(made)) THEN
        PERFORM refuse('wrapping_key_in_force',
            'This is wrapped under a key-encryption key that was put out of use.');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION guard_key_times() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'signing_key' THEN NEW.began_at := market_now();
    WHEN 'key_act' THEN NEW.done_at := market_now();
    ELSE NEW.retired_at := market_now();
    END CASE;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_key_times BEFORE INSERT ON signing_key
    FOR EACH ROW EXECUTE FUNCTION guard_key_times();
CREATE TRIGGER guard_key_times BEFORE INSERT ON key_act
    FOR EACH ROW EXECUTE FUNCTION guard_key_times();
CREATE TRIGGER guard_key_times BEFORE INSERT ON retired_wrapping_key
    FOR EACH ROW EXECUTE FUNCTION guard_key_times();

SELECT keep_wrapped('webhook_secret', 'wrapped');
SELECT keep_wrapped('one_time_password', 'wrapped_secret');

GRANT SELECT ON signing_key, key_act TO market_app;
GRANT SELECT ON retired_wrapping_key TO market_guard;
SELECT seal_guards();
