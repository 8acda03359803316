-- Keys that officers keep: two together release what is due, one alone nothing, and the server none.

SELECT keep_append_only('officer_key', 'officer_canary', 'officer_share', 'passed_share',
    'released_key', 'key_rehearsal');
SELECT keep_recorded('officer_key', 'officer_canary', 'officer_share', 'passed_share',
    'released_key', 'key_rehearsal');
SELECT keep_to_persons('officer_key', 'officer_share', 'passed_share', 'released_key',
    'key_rehearsal');
SELECT keep_wrapped('released_key', 'wrapped_key');
CREATE UNIQUE INDEX officer_share_once
    ON officer_share (tender, tender_key, outer_key, inner_key) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX released_key_one_key ON released_key (envelope)
    WHERE wrapped_key IS NOT NULL;

CREATE FUNCTION guard_officer_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody registers a key for another person.');
    END IF;
    -- held, so that no two requests exceed the number
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF (SELECT count(*) FROM officer_key WHERE person = NEW.person) >= 50 THEN
        PERFORM refuse('officer_keys_bounded', 'Fifty keys are more than anybody needs.');
    END IF;
    NEW.registered_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_officer_key BEFORE INSERT ON officer_key
    FOR EACH ROW EXECUTE FUNCTION guard_officer_key();
CREATE TRIGGER fresh_officer_key BEFORE INSERT ON officer_key
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

-- Those who would keep the keys of a tender that is published now: its openers, each with the
-- latest key.
CREATE FUNCTION officers_of(of_tender uuid)
RETURNS TABLE (person uuid, officer_key uuid, public_key bytea) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT ON (k.person) k.person, k.id, k.public_key
    FROM duty d JOIN officer_key k ON k.person = d.person
    WHERE d.tender = of_tender AND d.duty = 'opener' AND d.released_at IS NULL
      AND holds_duty(d.person, of_tender, 'opener')
    ORDER BY k.person, k.registered_at DESC, k.id
$$;

-- -- publication: shares for every two officers, and nothing for the server -----------------------

CREATE FUNCTION guard_officer_share() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT xmin FROM officer_canary WHERE tender = NEW.tender)
           IS DISTINCT FROM pg_current_xact_id()::xid
       OR NEW.tender_key IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM tender_key k JOIN lot l ON l.id = k.lot
           WHERE k.id = NEW.tender_key AND l.tender = NEW.tender AND k.custodian = 'officers'
             AND k.xmin = pg_current_xact_id()::xid) THEN
        PERFORM refuse('share_made_at_publication',
            'Shares are made with the keys, when a tender is published.');
    END IF;
    IF (SELECT count(*) FROM officers_of(NEW.tender) o
        WHERE o.officer_key IN (NEW.outer_key, NEW.inner_key)) <> 2 THEN
        PERFORM refuse('share_for_two_openers',
            'A share is for two openers of the tender, under their latest keys.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_officer_share BEFORE INSERT ON officer_share
    FOR EACH ROW EXECUTE FUNCTION guard_officer_share();

-- Every two of at least three officers can do it: losing one loses nothing.
CREATE FUNCTION guard_shares_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE officers integer; shares integer; of_tender uuid; of_key uuid;
BEGIN
    IF TG_TABLE_NAME = 'tender_key' THEN
        SELECT l.tender INTO of_tender FROM lot l WHERE l.id = NEW.lot;
        of_key := NEW.id;
    ELSE
        of_tender := NEW.tender;
    END IF;
    SELECT count(DISTINCT s.outer_key), count(*) INTO officers, shares FROM officer_share s
        WHERE s.tender = of_tender AND s.tender_key IS NOT DISTINCT FROM of_key;
    IF officers NOT BETWEEN 3 AND 7 OR shares <> officers * (officers - 1) THEN
        PERFORM refuse('three_officers',
            'Three to seven officers keep a key, and every two of them have a share.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_shares_whole AFTER INSERT ON tender_key
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.custodian = 'officers')
    EXECUTE FUNCTION guard_shares_whole();
CREATE CONSTRAINT TRIGGER guard_shares_whole AFTER INSERT ON officer_canary
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_shares_whole();

-- -- release: what is due, by two -----------------------------------------------------------------

CREATE FUNCTION officers_keep(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM officer_canary WHERE tender = of_tender)
$$;

-- Whether an envelope has its content key, or two officers found that it does not open.
CREATE FUNCTION is_released(of_envelope uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*) FILTER (WHERE wrapped_key IS NOT NULL) > 0 OR count(*) >= 2
    FROM released_key WHERE envelope = of_envelope
$$;

-- The envelopes that may be opened now and whose keys nobody has released, of one key or of all.
CREATE FUNCTION envelopes_due(of_tender uuid, of_key uuid)
RETURNS TABLE (envelope uuid, bid uuid, kind text, tender_key uuid) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.id, m.bid, e.kind::text, k.id
    FROM manifest_entry m JOIN envelope e ON e.bid_version = m.bid_version
    JOIN tender_key k ON k.lot = m.lot AND k.envelope = e.kind
    WHERE m.tender = of_tender AND k.custodian = 'officers' AND (of_key IS NULL OR k.id = of_key)
      AND envelope_due(m.bid, e.kind)
      AND NOT EXISTS (SELECT 1 FROM opened_envelope o WHERE o.envelope = e.id)
      AND NOT is_released(e.id)
$$;

CREATE FUNCTION guard_passed_share() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE given officer_share;
BEGIN
    SELECT * INTO given FROM officer_share WHERE id = NEW.share;
    IF NEW.passed_by IS DISTINCT FROM acting_person() OR NEW.passed_by IS DISTINCT FROM
       (SELECT person FROM officer_key WHERE id = given.outer_key) THEN
        PERFORM refuse('acts_in_own_name', 'Each officer passes on their own shares.');
    END IF;
    IF given.tender_key IS NULL THEN
        PERFORM ensure_holds(NEW.passed_by, given.tender, 'opener');
    ELSE
        PERFORM 1 FROM lot l JOIN tender_key k ON k.lot = l.id
            WHERE k.id = given.tender_key FOR SHARE OF l;
        PERFORM ensure_may_act(NEW.passed_by, given.tender, 'opener');
        IF NOT EXISTS (SELECT 1 FROM envelopes_due(given.tender, given.tender_key)) THEN
            PERFORM refuse('key_released_when_due',
                'A key is released when its envelopes may be opened, and not before.');
        END IF;
    END IF;
    NEW.passed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_passed_share BEFORE INSERT ON passed_share
    FOR EACH ROW EXECUTE FUNCTION guard_passed_share();
CREATE TRIGGER fresh_passed_share BEFORE INSERT ON passed_share
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

-- Who passed the acting person a share of a key, and may still act.
CREATE FUNCTION passer_of(of_tender uuid, of_key uuid) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.passed_by FROM passed_share p JOIN officer_share s ON s.id = p.share
    JOIN officer_key i ON i.id = s.inner_key
    WHERE s.tender = of_tender AND s.tender_key IS NOT DISTINCT FROM of_key
      AND i.person = acting_person() AND p.passed_by <> i.person
      AND holds_duty(p.passed_by, of_tender, 'opener')
      AND (of_key IS NULL OR why_not_unconflicted(p.passed_by, of_tender) IS NULL)
    ORDER BY p.passed_at LIMIT 1
$$;

CREATE FUNCTION guard_released_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE of_tender uuid; of_key uuid; of_lot uuid;
BEGIN
    SELECT m.tender, m.lot, k.id INTO of_tender, of_lot, of_key
        FROM envelope e JOIN manifest_entry m ON m.bid_version = e.bid_version
        JOIN tender_key k ON k.lot = m.lot AND k.envelope = e.kind WHERE e.id = NEW.envelope;
    IF NOT FOUND THEN
        PERFORM refuse('opened_as_in_manifest', 'Only envelopes of the manifest are opened.');
    END IF;
    PERFORM 1 FROM lot WHERE id = of_lot FOR SHARE;
    PERFORM ensure_may_act(NEW.released_by, of_tender, 'opener');
    -- one release after another, so that the second of two finds the first
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.envelope::text, 5));
    IF NOT EXISTS (SELECT 1 FROM envelopes_due(of_tender, of_key) d
                   WHERE d.envelope = NEW.envelope) THEN
        PERFORM refuse('key_released_when_due',
            'A key is released when its envelopes may be opened, and not before.');
    END IF;
    NEW.passed_by := passer_of(of_tender, of_key);
    IF NEW.passed_by IS NULL THEN
        PERFORM refuse('key_released_by_two', 'Another officer passes their share on first.');
    END IF;
    NEW.released_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_released_key BEFORE INSERT ON released_key
    FOR EACH ROW EXECUTE FUNCTION guard_released_key();
CREATE TRIGGER fresh_released_key BEFORE INSERT ON released_key
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

CREATE FUNCTION guard_key_rehearsal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.opened_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody rehearses in another person''s name.');
    END IF;
    PERFORM ensure_holds(NEW.opened_by, NEW.tender, 'opener');
    NEW.passed_by := passer_of(NEW.tender, NULL);
    IF NEW.passed_by IS NULL THEN
        PERFORM refuse('key_released_by_two', 'Another officer passes their share on first.');
    END IF;
    IF sha256(NEW.canary) IS DISTINCT FROM
       (SELECT canary_digest FROM officer_canary WHERE tender = NEW.tender) THEN
        PERFORM refuse('canary_opened', 'This is not what the canary says.');
    END IF;
    NEW.rehearsed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_key_rehearsal BEFORE INSERT ON key_rehearsal
    FOR EACH ROW EXECUTE FUNCTION guard_key_rehearsal();

-- -- what officers read ---------------------------------------------------------------------------

-- The shares whose outer layer the acting officer may take off now: the rehearsal's always, a key's
-- while envelopes of it are due.
CREATE FUNCTION my_shares(of_tender uuid)
RETURNS TABLE (share uuid, tender_key uuid, outer_digest bytea, inner_digest bytea,
               inner_person uuid, sealed bytea, passed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.tender_key, sha256(o.public_key), sha256(i.public_key), i.person, s.sealed,
        EXISTS (SELECT 1 FROM passed_share p WHERE p.share = s.id)
    FROM officer_share s JOIN officer_key o ON o.id = s.outer_key
    JOIN officer_key i ON i.id = s.inner_key
    WHERE s.tender = of_tender AND o.person = acting_person()
      AND holds_duty(acting_person(), of_tender, 'opener')
      AND (s.tender_key IS NULL
           OR why_not_unconflicted(acting_person(), of_tender) IS NULL
              AND EXISTS (SELECT 1 FROM envelopes_due(of_tender, s.tender_key)))
$$;

-- The shares that were passed on to the acting officer by one who may still act, and are of use now.
CREATE FUNCTION shares_passed_to_me(of_tender uuid)
RETURNS TABLE (share uuid, tender_key uuid, outer_digest bytea, inner_digest bytea,
               passed_by uuid, sealed bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.id, s.tender_key, sha256(o.public_key), sha256(i.public_key), p.passed_by, p.sealed
    FROM passed_share p JOIN officer_share s ON s.id = p.share
    JOIN officer_key o ON o.id = s.outer_key JOIN officer_key i ON i.id = s.inner_key
    WHERE s.tender = of_tender AND i.person = acting_person()
      AND holds_duty(acting_person(), of_tender, 'opener')
      AND holds_duty(p.passed_by, of_tender, 'opener')
      AND (s.tender_key IS NULL
           OR why_not_unconflicted(acting_person(), of_tender) IS NULL
              AND why_not_unconflicted(p.passed_by, of_tender) IS NULL
              AND EXISTS (SELECT 1 FROM envelopes_due(of_tender, s.tender_key)))
    ORDER BY p.passed_at
$$;

-- The heads of the envelopes that are due, with what they are bound to, for officers who may know
-- whose bid is whose.
CREATE FUNCTION heads_due(of_tender uuid, at_most integer)
RETURNS TABLE (envelope uuid, tender_key uuid, lot uuid, lot_number integer, kind text,
               supplier uuid, variant integer, version integer, head bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.envelope, d.tender_key, b.lot, l.number, d.kind, b.organisation, b.variant, v.number,
        substring(e.sealed FROM 1 FOR 1201)
    FROM envelopes_due(of_tender, NULL) d JOIN envelope e ON e.id = d.envelope
    JOIN bid_version v ON v.id = e.bid_version JOIN bid b ON b.id = v.bid
    JOIN lot l ON l.id = b.lot
    WHERE holds_duty(acting_person(), of_tender, 'opener')
      AND why_not_unconflicted(acting_person(), of_tender) IS NULL AND sees_identity(b.lot)
      -- what one found not to open, another looks at
      AND NOT EXISTS (SELECT 1 FROM released_key r
                      WHERE r.envelope = e.id AND r.released_by = acting_person())
    ORDER BY l.number, d.kind, d.envelope LIMIT at_most
$$;

-- What the officers released of one envelope, for those who may open it now.
CREATE FUNCTION released_key_for(of_bid uuid, of_kind text)
RETURNS TABLE (wrapped bytea, unopenable boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT r.wrapped_key FROM released_key r
         WHERE r.envelope = e.id AND r.wrapped_key IS NOT NULL),
        is_released(e.id)
    FROM manifest_entry m JOIN envelope e ON e.bid_version = m.bid_version AND e.kind = of_kind
    JOIN tender_key k ON k.lot = m.lot AND k.envelope = of_kind
    WHERE m.bid = of_bid AND envelope_may_open(of_bid, of_kind)
$$;

GRANT SELECT, INSERT ON officer_key TO market_app;
GRANT INSERT ON officer_canary, officer_share, passed_share, released_key, key_rehearsal
    TO market_app;
GRANT SELECT (tender, public_key, canary) ON officer_canary TO market_app;
GRANT SELECT ON key_rehearsal TO market_app;
GRANT SELECT ON officer_key, officer_canary, officer_share, passed_share, released_key,
    key_rehearsal TO market_guard;
SELECT seal_guards();
GRANT EXECUTE ON FUNCTION officers_of(uuid), officers_keep(uuid), my_shares(uuid),
    shares_passed_to_me(uuid), heads_due(uuid, integer), released_key_for(uuid, text)
    TO market_app;
