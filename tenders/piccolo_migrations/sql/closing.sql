-- What stands at the deadline is fixed by the database itself, once: which bids, under which
-- pseudonyms, sealed how. Whatever is changed, removed or added afterwards shows.

SELECT keep_append_only('manifest');
SELECT keep_recorded('manifest');

-- "Bidder A" to "Bidder Z", then "Bidder AA".
CREATE FUNCTION bidder_name(place bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE
SET search_path = public, pg_temp AS $$
DECLARE
    letters text := '';
    rest bigint := place;
BEGIN
    WHILE rest > 0 LOOP
        letters := chr((65 + (rest - 1) % 26)::integer) || letters;
        rest := (rest - 1) / 26;
    END LOOP;
    RETURN 'Bidder ' || letters;
END $$;

-- One line a bid, of what its receipt says too: the lot, and the digests of both envelopes, which no
-- two bids or versions share. Not the bid's id or number, by which those who score blind would know
-- its supplier from the record.
CREATE FUNCTION manifest_line(lot uuid, quality bytea, price bytea)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT concat_ws(' ', lot, encode(quality, 'hex'), encode(price, 'hex'))
$$;

-- SHA-256 of the salt in hexadecimal and the sorted lines, each ended by a line feed. Without the
-- salt the digest would tell that there is no bid.
CREATE FUNCTION manifest_digest(salt bytea, lines text[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(encode(salt, 'hex') || E'\n' || coalesce(
        (SELECT string_agg(line || E'\n', '' ORDER BY line COLLATE "C") FROM unnest(lines) line),
        ''), 'UTF8'))
$$;

CREATE FUNCTION digest_of_sealed(of_version uuid, of_kind text) RETURNS bytea LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT sha256(sealed) FROM envelope WHERE bid_version = of_version AND kind = of_kind
$$;

-- What the entries say now; it is what was fixed unless somebody went behind the guards.
CREATE FUNCTION digest_of_entries(of_tender uuid, salt bytea) RETURNS bytea LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT manifest_digest(salt, ARRAY(
        SELECT manifest_line(m.lot, m.quality_digest, m.price_digest)
        FROM manifest_entry m WHERE m.tender = of_tender))
$$;

-- Written by the database alone (fix_manifest): no role may insert here.
CREATE FUNCTION guard_manifest() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    -- waits for every bid in flight: each is fixed, or was refused as late
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM hold_clock();
    NEW.fixed_at := market_now();
    IF held.stage IS DISTINCT FROM 'published' OR NEW.fixed_at < held.deadline THEN
        PERFORM refuse('manifest_after_deadline', 'What stands is fixed once the deadline has'
            ' passed, before the bids are opened.');
    END IF;
    PERFORM ensure_extension_decided(NEW.tender);
    NEW.salt := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                       || uuid_send(gen_random_uuid()));
    NEW.digest := manifest_digest(NEW.salt, ARRAY(
        SELECT manifest_line(s.lot, digest_of_sealed(s.bid_version, 'quality'),
                             digest_of_sealed(s.bid_version, 'price'))
        FROM standing_bids(NEW.tender) s));
    RETURN NEW;
END $$;
CREATE TRIGGER guard_manifest BEFORE INSERT ON manifest
    FOR EACH ROW EXECUTE FUNCTION guard_manifest();

CREATE FUNCTION guard_manifest_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT xmin FROM manifest WHERE tender = NEW.tender)
       IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('manifest_fixed_whole', 'The manifest is fixed whole, and not added to.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM standing_bids(NEW.tender) s WHERE s.bid = NEW.bid
                   AND s.lot = NEW.lot AND s.bid_version = NEW.bid_version) THEN
        PERFORM refuse('manifest_complete', 'The manifest holds the bids that stand, as they are.');
    END IF;
    NEW.variant := (SELECT variant FROM bid WHERE id = NEW.bid);
    NEW.quality_digest := digest_of_sealed(NEW.bid_version, 'quality');
    NEW.price_digest := digest_of_sealed(NEW.bid_version, 'price');
    RETURN NEW;
END $$;
CREATE TRIGGER guard_manifest_entry BEFORE INSERT ON manifest_entry
    FOR EACH ROW EXECUTE FUNCTION guard_manifest_entry();

CREATE FUNCTION guard_manifest_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF digest_of_entries(NEW.tender, NEW.salt) IS DISTINCT FROM NEW.digest THEN
        PERFORM refuse('manifest_complete', 'The manifest must hold every bid that stands.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_manifest_whole AFTER INSERT ON manifest
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_manifest_whole();

-- Records what nobody did, as the buyer's own affair.
CREATE FUNCTION record_of_tender(act text, kind text, of_subject uuid, of_tender uuid, details jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    person text := coalesce(current_setting('market.person', true), '');
    organisation text := coalesce(current_setting('market.organisation', true), '');
    credential text := coalesce(current_setting('market.credential', true), '');
BEGIN
    PERFORM set_config('market.person', '', true), set_config('market.credential', '', true),
            set_config('market.organisation', coalesce(
                (SELECT buyer::text FROM tender WHERE id = of_tender), ''), true);
    INSERT INTO event (id, action, subject_kind, subject, tender, request, details)
        VALUES (gen_random_uuid(), act, kind, of_subject, of_tender, 'deadline', details);
    PERFORM set_config('market.person', person, true),
            set_config('market.organisation', organisation, true),
            set_config('market.credential', credential, true);
END $$;

-- Fixes what stands, once; says whether this call did it. Whoever calls it first, the result is the
-- same but for the pseudonyms, which are drawn here and stored in their own order.
CREATE FUNCTION fix_manifest(of_tender uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE fixed manifest;
BEGIN
    PERFORM 1 FROM tender WHERE id = of_tender FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (SELECT 1 FROM manifest WHERE tender = of_tender) THEN
        RETURN false;
    END IF;
    INSERT INTO manifest (id, tender) VALUES (gen_random_uuid(), of_tender) RETURNING * INTO fixed;
    INSERT INTO manifest_entry (id, tender, lot, bid, bid_version, pseudonym)
        SELECT gen_random_uuid(), of_tender, d.lot, d.bid, d.bid_version, bidder_name(d.place)
        FROM (SELECT s.*, row_number() OVER (PARTITION BY s.lot ORDER BY s.drawn) AS place
              FROM (SELECT b.*, gen_random_uuid() AS drawn FROM standing_bids(of_tender) b) s) d
        ORDER BY d.lot, d.place;
    PERFORM lapse_bids(of_tender);
    PERFORM record_of_tender('manifest.fixed', 'tender', of_tender, of_tender,
        jsonb_build_object('digest', encode(fixed.digest, 'hex')));
    RETURN true;
END $$;

-- For the worker: fixes one manifest that is due and says whose it was. What somebody holds just
-- now, or an interruption keeps open, is left for the next time.
CREATE FUNCTION fix_one_manifest() RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE due uuid;
BEGIN
    SELECT t.id INTO due FROM tender t
        WHERE t.stage = 'published' AND t.deadline <= market_now()
          AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.tender = t.id)
          AND NOT extension_undecided(t.id)
        ORDER BY t.deadline LIMIT 1 FOR NO KEY UPDATE OF t SKIP LOCKED;
    IF due IS NOT NULL AND NOT fix_manifest(due) THEN
        RETURN NULL;
    END IF;
    RETURN due;
END $$;

-- From then on nothing that was published changes.
CREATE OR REPLACE FUNCTION opening_begun(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM opening_confirmation WHERE tender = of_tender)
        OR EXISTS (SELECT 1 FROM manifest WHERE tender = of_tender)
$$;

-- -- against the manifest ----------------------------------------------------------------------------

-- Whether an envelope is stored as it was when the manifest was fixed, and that is as it was.
CREATE FUNCTION envelope_as_fixed(of_bid uuid, of_kind text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM manifest_entry m JOIN manifest f ON f.tender = m.tender
        WHERE m.bid = of_bid AND digest_of_sealed(m.bid_version, of_kind) =
              CASE of_kind WHEN 'price' THEN m.price_digest ELSE m.quality_digest END
          AND digest_of_entries(m.tender, f.salt) = f.digest)
$$;

CREATE FUNCTION ensure_envelope_as_fixed(of_bid uuid, of_kind text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT envelope_as_fixed(of_bid, of_kind) THEN
        PERFORM refuse('envelope_as_fixed', 'What is stored is not what was fixed at the deadline;'
            ' it stays sealed. The minutes say which.');
    END IF;
END $$;

-- Everything in which what is stored differs from what was fixed.
CREATE FUNCTION find_manifest_faults(of_tender uuid)
RETURNS TABLE (lot_number integer, pseudonym text, fault text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NULL::integer, NULL::text, 'manifest_altered' FROM manifest f
    WHERE f.tender = of_tender
      AND digest_of_entries(of_tender, f.salt) IS DISTINCT FROM f.digest
    UNION ALL
    SELECT l.number, m.pseudonym, k.kind || CASE WHEN e.id IS NULL THEN '_missing'
                                            ELSE '_altered' END
    FROM manifest_entry m JOIN lot l ON l.id = m.lot
    CROSS JOIN LATERAL (VALUES ('quality', m.quality_digest), ('price', m.price_digest))
        k (kind, fixed)
    LEFT JOIN envelope e ON e.bid_version = m.bid_version AND e.kind = k.kind
    WHERE m.tender = of_tender AND sha256(e.sealed) IS DISTINCT FROM k.fixed
    UNION ALL
    SELECT l.number, m.pseudonym, 'bid_superseded' FROM manifest_entry m
    JOIN lot l ON l.id = m.lot
    WHERE m.tender = of_tender AND m.bid_version IS DISTINCT FROM (
        SELECT v.id FROM bid_version v WHERE v.bid = m.bid ORDER BY v.number DESC LIMIT 1)
    UNION ALL
    SELECT l.number, NULL, 'bid_added' FROM standing_bids(of_tender) s JOIN lot l ON l.id = s.lot
    WHERE NOT EXISTS (SELECT 1 FROM manifest_entry m WHERE m.bid = s.bid)
$$;

CREATE FUNCTION minutes_manifest(of_tender uuid)
RETURNS TABLE (fixed_at timestamptz, salt bytea, digest bytea) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.fixed_at, f.salt, f.digest FROM manifest f JOIN tender t ON t.id = f.tender
    WHERE f.tender = of_tender AND t.opened_at IS NOT NULL AND sees_bidders(of_tender)
      AND may_read_bids(acting_person(), of_tender)
$$;

CREATE FUNCTION manifest_faults(of_tender uuid)
RETURNS TABLE (lot_number integer, pseudonym text, fault text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.* FROM minutes_manifest(of_tender) CROSS JOIN find_manifest_faults(of_tender) f
    ORDER BY f.lot_number NULLS FIRST, f.pseudonym, f.fault
$$;

-- Found by whoever resumes the opening, before anything is opened.
CREATE FUNCTION count_manifest_faults(of_tender uuid) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(*)::integer FROM manifest_faults(of_tender)
$$;

ALTER POLICY guard_lapses ON event WITH CHECK (action IN (
    'bid.lapsed', 'manifest.fixed', 'service.interrupted', 'extension.proposed'));
CREATE POLICY guard_fixes ON manifest_entry FOR INSERT TO market_guard WITH CHECK (true);
GRANT SELECT, INSERT ON manifest TO market_guard;
GRANT INSERT ON manifest_entry TO market_guard;
