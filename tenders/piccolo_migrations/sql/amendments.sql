-- A published tender changes by a numbered amendment and by nothing else. After a material one every
-- bid received before it is confirmed or replaced, or it lapses at the deadline.

SELECT keep_append_only('amendment', 'bid_confirmation', 'confirmation_receipt');
SELECT keep_recorded('amendment', 'bid_confirmation', 'confirmation_receipt');
SELECT keep_to_persons('amendment');

-- -- what an amendment may be ------------------------------------------------------------------------

-- A requirement without what is wording alone. What is left is substance: criteria, weights, scale,
-- minimum quality, award method, price items, quantities, values, terms. The same words stand in
-- tenders/rules/amendments.py; a test compares the two.
CREATE FUNCTION without_wording(part jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
SET search_path = public, pg_temp AS $$
BEGIN
    RETURN CASE jsonb_typeof(part)
        WHEN 'object' THEN (SELECT jsonb_object_agg(key, without_wording(value))
            FROM jsonb_each(part) WHERE key NOT IN ('title', 'description', 'question', 'descriptor'))
        WHEN 'array' THEN (SELECT jsonb_agg(without_wording(value) ORDER BY place)
            FROM jsonb_array_elements(part) WITH ORDINALITY AS item (value, place))
        ELSE part END;
END $$;

-- Which lots there are, what kind of service each is for and which variants it takes: another
-- tender's business.
CREATE FUNCTION lots_asked(requirement jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(l ->> 'number', jsonb_build_array(nullif(l -> 'variants', 'null'),
        (SELECT jsonb_agg(line ORDER BY line) FROM jsonb_array_elements(l -> 'service_lines') line)))
    FROM jsonb_array_elements(requirement -> 'lots') l
$$;

-- What a bid for a lot has to answer and to price: its form.
CREATE FUNCTION lot_form(requirement jsonb, lot_number integer) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT array_agg(part ORDER BY part) FROM (
        SELECT l FROM jsonb_array_elements(requirement -> 'lots') l
        WHERE (l ->> 'number')::integer = lot_number) lots (lot_text)
    CROSS JOIN LATERAL (
        SELECT 'answer ' || c.code FROM scored_criteria(lot_text) c
        UNION ALL SELECT 'price ' || (i ->> 'code') || ' by ' || (i ->> 'unit')
        FROM jsonb_array_elements(lot_text -> 'price_items') i
        -- what comes to a fixed price no longer does when that or a quantity changes
        UNION ALL SELECT 'fixed ' || f || ' for ' || (i ->> 'quantity') || ' ' || (i ->> 'code')
        FROM jsonb_array_elements(lot_text -> 'price_items') i,
             jsonb_extract_path_text(requirement, 'award_method', 'parameters', 'price') f
        WHERE f IS NOT NULL) parts (part)
$$;

-- The least time for bids after a material amendment: six whole days in London after its own.
CREATE FUNCTION earliest_after(amended_at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT ((amended_at AT TIME ZONE 'Europe/London')::date + 7)::timestamp
        AT TIME ZONE 'Europe/London'
$$;

-- Whether the deadline may move though it has passed. Replaced where interruptions are known.
CREATE FUNCTION may_extend_late(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT false $$;

-- Whether somebody has begun to open what stands: then nothing changes any more. The same for what
-- fixes the manifest earlier.
CREATE FUNCTION opening_begun(of_tender uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM opening_confirmation WHERE tender = of_tender)
        OR EXISTS (SELECT 1 FROM manifest_entry WHERE tender = of_tender)
$$;

-- -- publishing one ----------------------------------------------------------------------------------

CREATE FUNCTION guard_amendment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    held tender;
    late boolean;
    earlier jsonb;
    later jsonb;
BEGIN
    -- waits for every bid in flight: each is before the amendment or after it
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM hold_clock();
    NEW.published_at := market_now();
    IF NEW.published_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can amend in another person''s name.');
    END IF;
    PERFORM ensure_may_manage(NEW.tender, held.stage, 'tender_manager');
    IF opening_begun(NEW.tender) THEN
        PERFORM refuse('amendment_before_opening', 'The opening has begun: what was published does'
            ' not change any more.');
    END IF;
    late := NEW.published_at >= held.deadline;
    IF held.stage <> 'published' OR late AND NOT may_extend_late(NEW.tender) THEN
        PERFORM refuse('amendment_in_time', 'A published tender is amended before its deadline.');
    END IF;
    NEW.number := held.amendments + 1;
    NEW.requirement_before := held.published_requirement;
    NEW.deadline_before := held.deadline;
    NEW.requirement_after := coalesce(NEW.requirement_after, held.published_requirement);
    NEW.deadline_after := coalesce(NEW.deadline_after, held.deadline);
    IF NEW.deadline_after < held.deadline OR NEW.deadline_after <= NEW.published_at THEN
        PERFORM refuse('deadline_only_later', 'The deadline for bids can only be put off.');
    END IF;
    IF NEW.requirement_after <> held.published_requirement THEN
        IF late THEN
            PERFORM refuse('amendment_in_time', 'After the deadline nothing but the deadline can'
                ' be put off.');
        END IF;
        IF held.redraft IS DISTINCT FROM 'approved' OR NEW.requirement_after
           <> (SELECT max(number) FROM requirement_version WHERE tender = NEW.tender) THEN
            PERFORM refuse('published_is_approved', 'Only the approved version can be published.');
        END IF;
        SELECT content INTO STRICT earlier FROM requirement_version
            WHERE tender = NEW.tender AND number = NEW.requirement_before;
        SELECT content INTO STRICT later FROM requirement_version
            WHERE tender = NEW.tender AND number = NEW.requirement_after;
        IF lots_asked(later) IS DISTINCT FROM lots_asked(earlier) THEN
            PERFORM refuse('amendment_keeps_lots', 'Lots, the service lines they are for and the'
                ' variants they take stay as they were published.');
        END IF;
        IF NOT NEW.material
           AND without_wording(later) IS DISTINCT FROM without_wording(earlier) THEN
            PERFORM refuse('substance_is_material', 'A change of more than wording is material.');
        END IF;
        PERFORM ensure_adds_up(later);
    ELSIF NEW.deadline_after = held.deadline THEN
        PERFORM refuse('amendment_changes_something', 'An amendment changes the requirement or the'
            ' deadline.');
    END IF;
    IF NEW.material AND (NEW.deadline_after = held.deadline
                         OR NEW.deadline_after < earliest_after(NEW.published_at)) THEN
        PERFORM refuse('material_needs_time', 'A material amendment needs a later deadline, at'
            ' least six days after it.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_amendment BEFORE INSERT ON amendment
    FOR EACH ROW EXECUTE FUNCTION guard_amendment();

-- An amendment takes effect with its row, whole.
CREATE FUNCTION apply_amendment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    requirement jsonb;
    changed boolean := NEW.requirement_after <> NEW.requirement_before;
BEGIN
    SELECT content INTO STRICT requirement FROM requirement_version
        WHERE tender = NEW.tender AND number = NEW.requirement_after;
    UPDATE tender SET deadline = NEW.deadline_after,
        published_requirement = NEW.requirement_after, title = requirement ->> 'title',
        redraft = CASE WHEN changed THEN NULL ELSE redraft END, amendments = NEW.number,
        material_amendment = CASE WHEN NEW.material THEN NEW.number ELSE material_amendment END,
        version = version + 1
        WHERE id = NEW.tender;
    IF changed THEN
        UPDATE lot SET title = e ->> 'title',
            minimum_quality = (e ->> 'minimum_quality')::numeric,
            quality_weight = w.quality, price_weight = w.price,
            evaluators_minimum = (requirement ->> 'evaluators_minimum')::integer,
            approval_quorum = (requirement ->> 'approval_quorum')::integer,
            estimated_annual_value = (e -> 'estimated_annual_value' ->> 'amount')::numeric,
            version = version + 1
            FROM jsonb_array_elements(requirement -> 'lots') e CROSS JOIN LATERAL weights_of(e) w
            WHERE lot.tender = NEW.tender AND lot.number = (e ->> 'number')::integer;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER apply_amendment AFTER INSERT ON amendment
    FOR EACH ROW EXECUTE FUNCTION apply_amendment();

-- Whether a published tender changes as an amendment of this very transaction says.
CREATE FUNCTION as_amended(earlier tender, later tender) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM amendment a JOIN requirement_version r
            ON r.tender = a.tender AND r.number = a.requirement_after
        WHERE a.tender = later.id AND a.xmin = pg_current_xact_id()::xid
          AND a.number = earlier.amendments + 1 AND a.number = later.amendments
          AND a.requirement_before = earlier.published_requirement
          AND a.requirement_after = later.published_requirement
          AND a.deadline_before = earlier.deadline AND a.deadline_after = later.deadline
          AND r.content ->> 'title' = later.title
          AND later.material_amendment IS NOT DISTINCT FROM
              CASE WHEN a.material THEN a.number ELSE earlier.material_amendment END)
$$;

CREATE FUNCTION amended_now(of_tender uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM amendment a
                   WHERE a.tender = of_tender AND a.xmin = pg_current_xact_id()::xid)
$$;

-- -- drafting the changed requirement ----------------------------------------------------------------

-- While bids come in, the changed requirement goes the way of the first: draft, review, approval.
CREATE FUNCTION ensure_redraft(earlier tender, later tender) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF later.redraft IS NULL AND as_amended(earlier, later) THEN
        PERFORM ensure_may_manage(later.id, earlier.stage, 'tender_manager');
        RETURN;
    END IF;
    PERFORM hold_clock();
    IF earlier.stage <> 'published' OR later.stage <> 'published'
       OR market_now() >= earlier.deadline THEN
        PERFORM refuse('redraft_while_open', 'A changed requirement is prepared while bids come'
            ' in.');
    END IF;
    CASE coalesce(earlier.redraft, '') || ' to ' || coalesce(later.redraft, '')
    WHEN ' to draft' THEN
        PERFORM ensure_may_manage(later.id, earlier.stage, 'author', 'tender_manager');
    WHEN 'draft to in_review', 'approved to draft' THEN
        PERFORM ensure_may_manage(later.id, earlier.stage, 'tender_manager');
    WHEN 'in_review to draft' THEN
        PERFORM ensure_may_manage(later.id, earlier.stage, 'reviewer');
    WHEN 'in_review to approved' THEN
        PERFORM ensure_may_manage(later.id, earlier.stage, 'reviewer');
        IF NOT EXISTS (SELECT 1 FROM review r WHERE r.tender = later.id AND r.outcome = 'approved'
                       AND r.requirement = (SELECT max(number) FROM requirement_version
                                            WHERE tender = later.id)
                       AND r.xmin = pg_current_xact_id()::xid) THEN
            PERFORM refuse('tender_reviewed',
                'An independent reviewer has not approved this version.');
        END IF;
    ELSE
        PERFORM refuse('tender_transition', 'A changed requirement is drafted, reviewed, approved'
            ' and published, in this order.');
    END CASE;
END $$;

-- -- bids after a material amendment -----------------------------------------------------------------

-- Not definers and without a search path: the bidder sees its own bids by them, the guard all.
CREATE FUNCTION needs_confirmation(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.bid b JOIN public.tender t ON t.id = b.tender
        JOIN LATERAL (SELECT id, act, amendment FROM public.bid_version WHERE bid = b.id
                      ORDER BY number DESC LIMIT 1) v ON v.act = 'submitted'
        WHERE b.id = of_bid AND v.amendment < t.material_amendment AND NOT EXISTS (
            SELECT 1 FROM public.bid_confirmation c
            WHERE c.bid_version = v.id AND c.amendment >= t.material_amendment))
$$;

-- Whether what a bid has to answer and price is another now than when this version was made.
CREATE FUNCTION form_changed(of_version uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT public.lot_form(earlier.content, l.number)
           IS DISTINCT FROM public.lot_form(now.content, l.number)
    FROM public.bid_version v JOIN public.bid b ON b.id = v.bid JOIN public.lot l ON l.id = b.lot
    JOIN public.tender t ON t.id = b.tender
    JOIN public.requirement_version earlier
        ON earlier.tender = t.id AND earlier.number = v.requirement
    JOIN public.requirement_version now
        ON now.tender = t.id AND now.number = t.published_requirement
    WHERE v.id = of_version
$$;

-- The bids that wait, for the worker, who tells their bid managers.
CREATE FUNCTION bids_to_confirm(of_tender uuid)
RETURNS TABLE (bid uuid, lot uuid, organisation uuid, amendment integer, form_changed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.id, b.lot, b.organisation, t.material_amendment, form_changed((
        SELECT id FROM bid_version v WHERE v.bid = b.id ORDER BY number DESC LIMIT 1))
    FROM tender t JOIN bid b ON b.tender = t.id WHERE t.id = of_tender AND needs_confirmation(b.id)
$$;

CREATE FUNCTION guard_bid_confirmation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    owner bid;
    held tender;
BEGIN
    SELECT * INTO STRICT owner FROM bid WHERE id = NEW.bid FOR NO KEY UPDATE;
    NEW.confirmed_at := ensure_bidding_open(owner.tender);
    SELECT * INTO STRICT held FROM tender WHERE id = owner.tender;
    IF owner.organisation IS DISTINCT FROM acting_organisation()
       OR NEW.made_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can confirm a bid in another''s name.');
    END IF;
    PERFORM 1 FROM person WHERE id = NEW.made_by FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = NEW.made_by
                   AND m.organisation = owner.organisation AND m.role = 'bid_manager'
                   AND m.ended_at IS NULL) THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation bids for it.');
    END IF;
    IF EXISTS (SELECT 1 FROM duty WHERE tender = owner.tender AND person = NEW.made_by) THEN
        PERFORM refuse('helper_does_not_bid',
            'Whoever holds or held a duty in a tender cannot bid in it.');
    END IF;
    IF (SELECT stage FROM lot WHERE id = owner.lot) <> 'bidding' THEN
        PERFORM refuse('bidding_open', 'This lot takes no bids: it was abandoned.');
    END IF;
    IF NEW.bid_version IS DISTINCT FROM (SELECT id FROM bid_version WHERE bid = NEW.bid
                                         ORDER BY number DESC LIMIT 1)
       OR NOT needs_confirmation(NEW.bid) THEN
        PERFORM refuse('confirmation_needed', 'This bid needs no confirmation.');
    END IF;
    IF NEW.amendment IS DISTINCT FROM held.material_amendment THEN
        PERFORM refuse('confirms_latest_amendment', format('Amendment %s is the latest material'
            ' one: read it, and confirm the bid under it.', held.material_amendment));
    END IF;
    IF form_changed(NEW.bid_version) THEN
        PERFORM refuse('confirmation_fits_form', 'What a bid for this lot has to answer or to price'
            ' is another now: the bid must be replaced.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_confirmation BEFORE INSERT ON bid_confirmation
    FOR EACH ROW EXECUTE FUNCTION guard_bid_confirmation();

CREATE FUNCTION guard_confirmation_receipt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT xmin FROM bid_confirmation WHERE id = NEW.confirmation)
       IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('bid_arrives_whole', 'A confirmation cannot be added to.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_confirmation_receipt BEFORE INSERT ON confirmation_receipt
    FOR EACH ROW EXECUTE FUNCTION guard_confirmation_receipt();

CREATE FUNCTION guard_confirmation_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM confirmation_receipt WHERE confirmation = NEW.id) THEN
        PERFORM refuse('bid_arrives_whole', 'A confirmation needs its receipt.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_confirmation_whole AFTER INSERT ON bid_confirmation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_confirmation_whole();

-- Records, once, each bid that lapsed: not confirmed, or a variant without its main bid. Nobody did it: the event is the supplier's own, so that its
-- bid managers see it, and nobody else sooner than any other event of a bid. Give how many.
CREATE FUNCTION lapse_bids(of_tender uuid) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    lapsed record;
    counted integer := 0;
    person text := coalesce(current_setting('market.person', true), '');
    organisation text := coalesce(current_setting('market.organisation', true), '');
BEGIN
    PERFORM 1 FROM tender WHERE id = of_tender FOR NO KEY UPDATE;
    FOR lapsed IN
        SELECT b.id, b.organisation,
            CASE WHEN needs_confirmation(b.id) THEN t.material_amendment END AS amendment,
            (SELECT max(v.number) FROM bid_version v WHERE v.bid = b.id) AS version
        FROM tender t JOIN bid b ON b.tender = t.id
        WHERE t.id = of_tender AND t.deadline <= market_now()
          AND (needs_confirmation(b.id) OR lacks_main_bid(b.id))
          AND NOT EXISTS (SELECT 1 FROM event e WHERE e.tender = of_tender
                          AND e.action = 'bid.lapsed' AND e.subject = b.id)
        ORDER BY b.id
    LOOP
        PERFORM set_config('market.person', '', true),
                set_config('market.organisation', lapsed.organisation::text, true);
        INSERT INTO event (id, action, subject_kind, subject, tender, request, details) VALUES (
            gen_random_uuid(), 'bid.lapsed', 'bid', lapsed.id, of_tender, 'deadline',
            jsonb_strip_nulls(jsonb_build_object('version', lapsed.version,
                                                 'amendment', lapsed.amendment)));
        counted := counted + 1;
    END LOOP;
    PERFORM set_config('market.person', person, true),
            set_config('market.organisation', organisation, true);
    RETURN counted;
END $$;

-- -- who reads it ------------------------------------------------------------------------------------

ALTER TABLE bid_confirmation ENABLE ROW LEVEL SECURITY;
ALTER TABLE confirmation_receipt ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON bid_confirmation FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON confirmation_receipt FOR SELECT TO market_guard USING (true);
CREATE POLICY confirmation_read ON bid_confirmation FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid b WHERE b.id = bid_confirmation.bid
                   AND b.organisation = acting_organisation()));
CREATE POLICY confirmation_made ON bid_confirmation FOR INSERT TO market_app
    WITH CHECK (EXISTS (SELECT 1 FROM bid b WHERE b.id = bid_confirmation.bid
                        AND b.organisation = acting_organisation()));
CREATE POLICY confirmation_receipt_read ON confirmation_receipt FOR SELECT TO market_app
    USING (EXISTS (SELECT 1 FROM bid_confirmation c WHERE c.id = confirmation_receipt.confirmation));
CREATE POLICY confirmation_receipt_made ON confirmation_receipt FOR INSERT TO market_app
    WITH CHECK (true);
-- what nobody did, the database records by itself: so far, that a bid lapsed
CREATE POLICY guard_lapses ON event FOR INSERT TO market_guard WITH CHECK (action = 'bid.lapsed');

GRANT SELECT, INSERT ON amendment, bid_confirmation, confirmation_receipt TO market_app;
GRANT SELECT ON amendment, bid_confirmation, confirmation_receipt TO market_guard;
GRANT INSERT ON event TO market_guard;
