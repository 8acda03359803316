-- Documents of bids: uploaded in order until the deadline, whole before they are listed, kept once
-- they are, and read with the envelope that lists them.

SELECT keep_undeleted('bid_document', 'opened_document');
SELECT keep_append_only('listed_document');
SELECT keep_recorded('bid_document', 'bid_document_part', 'document_key', 'listed_document',
    'opened_document');
SELECT keep_wrapped('bid_document', 'kept');
SELECT keep_wrapped('document_key', 'wrapped');
SELECT keep_wrapped('opened_document', 'kept_key');
CREATE INDEX bid_document_of_bidder ON bid_document (organisation, lot, begun_at, id)
    WHERE removed_at IS NULL;

-- Refuse unless a bid manager of the organisation acts; the person is held, so that a membership
-- cannot end between what the door saw and this.
CREATE FUNCTION ensure_acts_as_bid_manager(of_organisation uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF of_organisation IS DISTINCT FROM acting_organisation() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can bid in another organisation''s name.');
    END IF;
    PERFORM 1 FROM person WHERE id = acting_person() FOR SHARE;
    IF NOT deals_with_bids() THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation bids for it.');
    END IF;
END $$;

CREATE FUNCTION guard_bid_document() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.begun_at := ensure_bidding_open(NEW.tender);
    NEW.received := 0;
    NEW.parts := 0;
    NEW.attempt := 1;
    NEW.completed_at := NULL;
    NEW.removed_at := NULL;
    PERFORM ensure_acts_as_bid_manager(NEW.organisation);
    IF NEW.begun_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can bid in another''s name.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM lot WHERE id = NEW.lot AND tender = NEW.tender) THEN
        PERFORM refuse('bid_for_own_lot', 'The lot belongs to another tender.');
    END IF;
    IF (SELECT stage FROM lot WHERE id = NEW.lot) <> 'bidding' THEN
        PERFORM refuse('bidding_open', 'This lot takes no bids: it was abandoned.');
    END IF;
    IF NOT is_admitted_supplier(NEW.organisation) THEN
        PERFORM refuse('bidder_admitted', 'Only admitted suppliers can bid.');
    END IF;
    IF organisation_helps_to_run(NEW.organisation, NEW.tender) THEN
        PERFORM refuse('helper_does_not_bid', 'An organisation that helps to run a tender or buys'
            ' in it, or a parent or subsidiary of one, cannot bid in it.');
    END IF;
    -- one after another, so that what they are to hold together can be added up
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.organisation::text || NEW.tender, 6));
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_document BEFORE INSERT ON bid_document
    FOR EACH ROW EXECUTE FUNCTION guard_bid_document();

-- Parts follow one another: each begins where the document ends as yet. The document is held, so
-- that of two that begin at one place one is refused.
CREATE FUNCTION guard_bid_document_part() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held bid_document;
BEGIN
    SELECT * INTO STRICT held FROM bid_document WHERE id = NEW.document;
    PERFORM ensure_may_change_document(held.organisation, held.tender);
    SELECT * INTO held FROM bid_document WHERE id = NEW.document FOR NO KEY UPDATE;
    IF held.removed_at IS NOT NULL THEN
        PERFORM refuse('document_stays_removed', 'This document was removed.');
    END IF;
    IF held.completed_at IS NOT NULL THEN
        PERFORM refuse('document_stays_as_completed', 'This document is complete.');
    END IF;
    IF NEW.starts_at <> held.received OR NEW.number <> held.parts
       OR held.received + NEW.length > held.size THEN
        PERFORM refuse('document_part_follows',
            format('The upload stands at %s of %s bytes; send what follows.',
                   held.received, held.size));
    END IF;
    UPDATE bid_document SET received = received + NEW.length, parts = parts + 1
        WHERE id = NEW.document;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_document_part BEFORE INSERT ON bid_document_part
    FOR EACH ROW EXECUTE FUNCTION guard_bid_document_part();

-- Whether the version of a bid that counts, as yet, lists a document.
CREATE FUNCTION document_in_bid(of_document uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM listed_document l JOIN bid_version v ON v.id = l.bid_version
                   WHERE l.document = of_document
                     AND NOT EXISTS (SELECT 1 FROM bid_version later
                                     WHERE later.bid = v.bid AND later.number > v.number))
$$;

-- A document grows by its parts, begins anew before it is complete, is completed, is removed: in
-- each case nothing else of it changes.
CREATE FUNCTION guard_bid_document_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF rewrapping() THEN
        RETURN NEW;
    END IF;
    IF OLD.removed_at IS NOT NULL THEN
        PERFORM refuse('document_stays_removed', 'This document was removed.');
    END IF;
    IF (NEW.id, NEW.tender, NEW.lot, NEW.organisation, NEW.kind, NEW.sealed_by, NEW.size,
        NEW.begun_by, NEW.begun_at) IS DISTINCT FROM
       (OLD.id, OLD.tender, OLD.lot, OLD.organisation, OLD.kind, OLD.sealed_by, OLD.size,
        OLD.begun_by, OLD.begun_at) THEN
        PERFORM refuse('document_stays_as_begun', 'What a document is to be does not change.');
    END IF;
    IF NEW.removed_at IS NOT NULL THEN
        IF document_in_bid(NEW.id) THEN
            PERFORM refuse('document_stays_listed',
                'A bid lists this document: it is kept as the bid is.');
        END IF;
        NEW.removed_at := market_now();
        NEW.kept := NULL;
        DELETE FROM document_key WHERE document = NEW.id;
        DELETE FROM bid_document_part WHERE document = NEW.id;
        RETURN NEW;
    END IF;
    IF OLD.completed_at IS NOT NULL THEN
        IF (NEW.received, NEW.parts, NEW.attempt, NEW.kept, NEW.completed_at) IS DISTINCT FROM
           (OLD.received, OLD.parts, OLD.attempt, OLD.kept, OLD.completed_at) THEN
            PERFORM refuse('document_stays_as_completed', 'This document is complete.');
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.attempt <> OLD.attempt THEN
        NEW.attempt := OLD.attempt + 1;
        NEW.received := 0;
        NEW.parts := 0;
        NEW.completed_at := NULL;
        DELETE FROM bid_document_part WHERE document = NEW.id;
    ELSIF NEW.completed_at IS NOT NULL THEN
        IF NEW.received <> NEW.size THEN
            PERFORM refuse('document_complete_whole', 'A document is complete when all of it came.');
        END IF;
        NEW.completed_at := ensure_bidding_open(NEW.tender);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_document_change BEFORE UPDATE ON bid_document
    FOR EACH ROW EXECUTE FUNCTION guard_bid_document_change();

-- Who changes one by hand: its bid managers, until the deadline. The worker removes what is unused.
CREATE FUNCTION ensure_may_change_document(of_organisation uuid, of_tender uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ensure_acts_as_bid_manager(of_organisation);
    PERFORM ensure_bidding_open(of_tender);
END $$;

CREATE FUNCTION guard_bid_document_by_hand() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user = 'market_app' THEN
        PERFORM ensure_may_change_document(OLD.organisation, OLD.tender);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_document_by_hand BEFORE UPDATE ON bid_document
    FOR EACH ROW EXECUTE FUNCTION guard_bid_document_by_hand();

-- The market keeps the key of a document that it seals itself, anew with each attempt, until a bid
-- lists the document.
CREATE FUNCTION guard_document_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held bid_document;
BEGIN
    IF TG_OP = 'UPDATE' AND rewrapping() THEN
        RETURN NEW;
    END IF;
    SELECT * INTO held FROM bid_document WHERE id = NEW.document FOR SHARE;
    IF held.sealed_by IS DISTINCT FROM 'market' OR held.removed_at IS NOT NULL
       OR held.completed_at IS NOT NULL OR held.received > 0
       OR TG_OP = 'UPDATE' AND (NEW.id, NEW.document) IS DISTINCT FROM (OLD.id, OLD.document) THEN
        PERFORM refuse('document_key_at_its_beginning',
            'A document has one key from its beginning to its end.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_document_key BEFORE INSERT OR UPDATE ON document_key
    FOR EACH ROW EXECUTE FUNCTION guard_document_key();

-- A bid lists its documents when it is given, and they are its bidder's own, for its lot, complete.
-- The document is held: one that is being removed is waited for, and then refused. The market's copy
-- of its key goes with it: the envelope holds the key, and nothing else does.
CREATE FUNCTION guard_listed_document() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    owner bid;
    held bid_document;
BEGIN
    SELECT b.* INTO STRICT owner FROM bid b JOIN bid_version v ON v.bid = b.id
        WHERE v.id = NEW.bid_version;
    IF (SELECT xmin FROM bid_version WHERE id = NEW.bid_version)
       IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('bid_arrives_whole', 'A submitted bid cannot be added to.');
    END IF;
    SELECT * INTO held FROM bid_document WHERE id = NEW.document FOR SHARE;
    IF held.organisation IS DISTINCT FROM owner.organisation OR held.lot <> owner.lot
       OR held.completed_at IS NULL OR held.removed_at IS NOT NULL THEN
        PERFORM refuse('listed_document_complete',
            'A bid lists complete documents of its own bidder for its own lot.');
    END IF;
    DELETE FROM document_key WHERE document = NEW.document;
    IF held.sealed_by = 'market' AND NOT FOUND THEN
        PERFORM refuse('document_listed_once',
            'The key of this document is in the bid that listed it, and nowhere else.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_listed_document BEFORE INSERT ON listed_document
    FOR EACH ROW EXECUTE FUNCTION guard_listed_document();

-- -- after the opening ------------------------------------------------------------------------------

-- The documents that a bid of the manifest lists in one envelope, for those who may open that
-- envelope now.
CREATE FUNCTION documents_to_open(of_bid uuid, of_kind text) RETURNS TABLE (document uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id
    FROM manifest_entry m JOIN listed_document l ON l.bid_version = m.bid_version
    JOIN bid_document d ON d.id = l.document AND d.kind = of_kind
    WHERE m.bid = of_bid AND envelope_may_open(of_bid, of_kind)
    ORDER BY d.id
$$;

-- A document is opened in the transaction that opens the envelope which lists it, and once checked.
CREATE FUNCTION guard_opened_document() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND rewrapping() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.document, NEW.bid, NEW.kind, NEW.kept_key, NEW.opened_at) IS DISTINCT FROM
           (OLD.id, OLD.document, OLD.bid, OLD.kind, OLD.kept_key, OLD.opened_at)
           OR (OLD.checked_at IS NOT NULL OR OLD.failure IS NOT NULL)
               AND (NEW.checked_at, NEW.failure) IS DISTINCT FROM (OLD.checked_at, OLD.failure) THEN
            PERFORM refuse('document_checked_once',
                'What an opened document proved is written down once.');
        END IF;
        IF OLD.checked_at IS NULL AND NEW.checked_at IS NOT NULL THEN
            NEW.checked_at := market_now();
        END IF;
        RETURN NEW;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM opened_envelope o JOIN envelope e ON e.id = o.envelope
        JOIN listed_document l ON l.bid_version = e.bid_version AND l.document = NEW.document
        JOIN bid_document d ON d.id = NEW.document AND d.kind = NEW.kind
        WHERE o.bid = NEW.bid AND o.kind = NEW.kind AND o.content IS NOT NULL
          AND o.xmin = pg_current_xact_id()::xid) THEN
        PERFORM refuse('document_opens_with_envelope',
            'A document is opened with the envelope that lists it, and not alone.');
    END IF;
    NEW.opened_at := market_now();
    NEW.checked_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_opened_document BEFORE INSERT OR UPDATE ON opened_document
    FOR EACH ROW EXECUTE FUNCTION guard_opened_document();

-- Where the parts of an opened document are stored, for those who read the envelope that lists it.
CREATE FUNCTION opened_document_parts(of_document uuid)
RETURNS TABLE (number integer, object text, sealed_by text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.number, p.object::text, d.sealed_by::text
    FROM opened_document o JOIN bid_document d ON d.id = o.document
    JOIN bid_document_part p ON p.document = d.id
    WHERE o.document = of_document
      AND (o.kind = 'quality' AND o.bid IN (SELECT bids_read_open('quality'))
           OR o.kind = 'price' AND o.bid IN (SELECT bids_read_open('price')))
    ORDER BY p.number
$$;

-- -- what nobody uses ---------------------------------------------------------------------------------

-- Remove uploads that were not completed, and documents that no standing bid lists once bidding is over, when
-- they are so many days old; an event each. The worker's.
CREATE FUNCTION remove_unused_documents(days integer, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    unused record;
    counted integer := 0;
    before timestamptz := market_now() - make_interval(days => days);
BEGIN
    FOR unused IN
        SELECT d.id FROM bid_document d JOIN tender t ON t.id = d.tender
        WHERE d.removed_at IS NULL AND d.begun_at < before
          AND (d.completed_at IS NULL OR t.deadline < before OR t.stage = 'abandoned')
          AND NOT document_in_bid(d.id)
        ORDER BY d.begun_at, d.id LIMIT at_most FOR NO KEY UPDATE OF d SKIP LOCKED
    LOOP
        UPDATE bid_document SET removed_at = market_now() WHERE id = unused.id;
        INSERT INTO event (id, action, subject_kind, subject, request, details)
            VALUES (gen_random_uuid(), 'bid_document.removed', 'bid_document', unused.id, 'worker',
                    '{"because": "unused"}');
        counted := counted + 1;
    END LOOP;
    RETURN counted;
END $$;

-- Of the names of stored objects, those of a document of this market that no part has: left by what
-- was broken off, came second or was removed. What belongs to nothing known here is left alone.
CREATE FUNCTION objects_of_no_document(names text[]) RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT n FROM unnest(names) n
    WHERE NOT EXISTS (SELECT 1 FROM bid_document_part p WHERE p.object = n)
      AND split_part(n, '/', 1) IN (SELECT d.id::text FROM bid_document d)
$$;

-- -- who sees what -----------------------------------------------------------------------------------

ALTER TABLE bid_document ENABLE ROW LEVEL SECURITY;
ALTER TABLE bid_document_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE listed_document ENABLE ROW LEVEL SECURITY;
ALTER TABLE opened_document ENABLE ROW LEVEL SECURITY;

CREATE POLICY guard_all ON bid_document TO market_guard USING (true) WITH CHECK (true);
CREATE POLICY guard_all ON bid_document_part TO market_guard USING (true) WITH CHECK (true);
CREATE POLICY guard_erases ON document_key TO market_guard USING (true) WITH CHECK (true);
CREATE POLICY guard_reads ON listed_document FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON opened_document FOR SELECT TO market_guard USING (true);

CREATE POLICY guard_removes ON event FOR INSERT TO market_guard
    WITH CHECK (action = 'bid_document.removed');
CREATE POLICY document_own ON bid_document TO market_app
    USING (organisation = acting_organisation() AND (SELECT deals_with_bids()))
    WITH CHECK (organisation = acting_organisation());
CREATE POLICY part_read ON bid_document_part FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_document d WHERE d.id = bid_document_part.document));
CREATE POLICY part_made ON bid_document_part FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM bid_document d WHERE d.id = bid_document_part.document));
CREATE POLICY document_key_own ON document_key TO market_app
    USING (EXISTS (SELECT 1 FROM bid_document d WHERE d.id = document_key.document))
    WITH CHECK (EXISTS (SELECT 1 FROM bid_document d WHERE d.id = document_key.document));
CREATE POLICY listed_read ON listed_document FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_document d WHERE d.id = listed_document.document));
CREATE POLICY listed_made ON listed_document FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY opened_document_read ON opened_document FOR SELECT TO market_app
    USING (CASE kind WHEN 'quality' THEN bid IN (SELECT bids_read_open('quality'))
           ELSE bid IN (SELECT bids_read_open('price')) END);
CREATE POLICY opened_document_made ON opened_document FOR INSERT TO market_app WITH CHECK (true);
CREATE POLICY opened_document_checked ON opened_document FOR UPDATE TO market_app
    USING (CASE kind WHEN 'quality' THEN bid IN (SELECT bids_read_open('quality'))
           ELSE bid IN (SELECT bids_read_open('price')) END) WITH CHECK (true);

GRANT SELECT, INSERT ON bid_document, bid_document_part, document_key, listed_document,
    opened_document TO market_app;
GRANT UPDATE (attempt, completed_at, removed_at) ON bid_document TO market_app;
GRANT UPDATE (wrapped) ON document_key TO market_app;
GRANT UPDATE (failure, checked_at) ON opened_document TO market_app;
GRANT SELECT, UPDATE ON bid_document TO market_guard;
GRANT SELECT, DELETE ON bid_document_part, document_key TO market_guard;
GRANT SELECT ON listed_document, opened_document TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION ensure_may_change_document(uuid, uuid),
    documents_to_open(uuid, text), opened_document_parts(uuid) TO market_app;
GRANT EXECUTE ON FUNCTION remove_unused_documents(integer, integer), objects_of_no_document(text[])
    TO market_worker;
INSERT INTO colleague_action (action, roles, in_tender) VALUES
    ('bid_document.begun', '{bid_manager}', false),
    ('bid_document.completed', '{bid_manager}', false),
    ('bid_document.removed', '{bid_manager}', false);
