-- The tender's promises: stages, authorship, frozen publication; who reads its record.

SELECT keep_append_only('requirement_version', 'review', 'criterion', 'scale_value',
    'lot_service_line', 'tender_key', 'tender_draw', 'tender_transition', 'lot_transition');
SELECT keep_undeleted('tender', 'lot', 'tender_buyer');
SELECT keep_recorded('tender', 'tender_buyer', 'requirement_version', 'review', 'lot',
    'tender_key', 'tender_draw');
SELECT keep_to_persons('tender', 'tender_buyer', 'duty', 'requirement_version', 'review', 'lot',
    'tender_key', 'tender_draw');
CREATE INDEX tender_published_order ON tender (published_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
CREATE INDEX tender_of_buyer ON tender (buyer, created_at);

-- -- the requirement and its review ---------------------------------------------------------------

CREATE FUNCTION guard_requirement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    -- while bids come in, what an amendment is to publish is drafted
    IF (held.stage = 'draft' OR held.stage = 'published' AND market_now() < held.deadline
        AND coalesce(held.redraft, 'draft') = 'draft') IS NOT TRUE THEN
        PERFORM refuse('requirement_in_draft', 'The requirement can only be edited in draft.');
    END IF;
    IF NEW.edited_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can write in another person''s name.');
    END IF;
    PERFORM ensure_may_manage(NEW.tender, held.stage, 'author', 'tender_manager');
    NEW.number := 1 + coalesce(
        (SELECT max(number) FROM requirement_version WHERE tender = NEW.tender), 0);
    NEW.edited_at := market_now();
    -- authorship follows from the edit itself; guard_duty decides whether it may be held
    IF NOT EXISTS (SELECT 1 FROM duty WHERE tender = NEW.tender AND person = NEW.edited_by
                   AND duty = 'author') THEN
        INSERT INTO duty (id, tender, person, organisation, duty, assigned_by, assigned_at)
            VALUES (gen_random_uuid(), NEW.tender, NEW.edited_by, NEW.organisation, 'author',
                    NEW.edited_by, NEW.edited_at)
            ON CONFLICT ON CONSTRAINT duty_once DO NOTHING;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_requirement BEFORE INSERT ON requirement_version
    FOR EACH ROW EXECUTE FUNCTION guard_requirement();

CREATE FUNCTION guard_review() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id = NEW.reviewer FOR SHARE;
    IF (held.stage = 'in_review' OR held.stage = 'published' AND held.redraft = 'in_review')
       IS NOT TRUE THEN
        PERFORM refuse('review_in_review', 'The requirement is not in review.');
    END IF;
    IF NEW.reviewer IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can review in another person''s name.');
    END IF;
    PERFORM ensure_holds(NEW.reviewer, NEW.tender, 'reviewer');
    IF NEW.requirement <> (SELECT max(number) FROM requirement_version
                           WHERE tender = NEW.tender) THEN
        PERFORM refuse('review_of_latest', 'Only the latest version can be reviewed.');
    END IF;
    NEW.reviewed_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_review BEFORE INSERT ON review
    FOR EACH ROW EXECUTE FUNCTION guard_review();

-- -- stages ---------------------------------------------------------------------------------------

CREATE FUNCTION guard_tender() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    latest integer;
    people integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.stage <> 'draft' OR NEW.version <> 1 THEN
            PERFORM refuse('tender_begins_in_draft', 'A tender begins in draft.');
        END IF;
        IF NEW.buyer IS DISTINCT FROM acting_organisation() THEN
            PERFORM refuse('acts_in_own_name', 'A tender is begun for the organisation one acts'
                ' for.');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = acting_person()
                       AND m.organisation = NEW.buyer AND m.role = 'procurement_lead'
                       AND m.ended_at IS NULL) THEN
            PERFORM refuse('lead_needed', 'Only a procurement lead of the buyer begins a tender.');
        END IF;
        IF NEW.rule_set_date IS NOT NULL AND (NOT NEW.demonstration
           OR (SELECT kind FROM installation) IS DISTINCT FROM 'sandbox') THEN
            PERFORM refuse('rule_set_date_in_sandbox', 'Only a demonstration in a sandbox may fix'
                ' the date by which its rule set is chosen.');
        END IF;
        NEW.created_at := market_now();
        NEW.amendments := 0;
        RETURN NEW;
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        PERFORM refuse('tender_version_counts', 'The version goes up by one with every change.');
    END IF;
    IF (NEW.id, NEW.reference, NEW.buyer, NEW.demonstration, NEW.rule_set_date, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.reference, OLD.buyer, OLD.demonstration, OLD.rule_set_date, OLD.created_at) THEN
        PERFORM refuse('tender_identity_fixed', 'What a tender is cannot be changed.');
    END IF;
    IF OLD.published_at IS NULL THEN
        NEW.redraft := NULL;
        NEW.amendments := 0;
        NEW.material_amendment := NULL;
    ELSIF (NEW.rule_set, NEW.clarifications_until, NEW.contract_starts) IS DISTINCT FROM
        (OLD.rule_set, OLD.clarifications_until, OLD.contract_starts)
       OR (NEW.title, NEW.published_requirement, NEW.deadline, NEW.amendments,
           NEW.material_amendment) IS DISTINCT FROM (OLD.title, OLD.published_requirement,
           OLD.deadline, OLD.amendments, OLD.material_amendment) AND NOT as_amended(OLD, NEW) THEN
        PERFORM refuse('published_does_not_change', 'What was published changes by an amendment,'
            ' and as that says.');
    END IF;
    NEW.submitted_at := OLD.submitted_at;
    NEW.approved_at := OLD.approved_at;
    NEW.published_at := OLD.published_at;
    NEW.opened_at := OLD.opened_at;
    NEW.abandoned_at := OLD.abandoned_at;
    IF NEW.redraft IS DISTINCT FROM OLD.redraft THEN
        PERFORM ensure_redraft(OLD, NEW);
    END IF;
    IF NEW.stage = OLD.stage THEN
        IF NEW.redraft IS NOT DISTINCT FROM OLD.redraft THEN
            PERFORM ensure_may_manage(NEW.id, OLD.stage, 'tender_manager', 'author');
        END IF;
        RETURN NEW;
    ELSIF OLD.stage = 'in_review' THEN
        PERFORM ensure_may_manage(NEW.id, OLD.stage, 'tender_manager', 'reviewer');
    ELSIF NEW.stage = 'opened' THEN
        PERFORM ensure_may_manage(NEW.id, OLD.stage, 'opener');
    ELSE
        PERFORM ensure_may_manage(NEW.id, OLD.stage, 'tender_manager');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM tender_transition
                   WHERE earlier = OLD.stage AND later = NEW.stage) THEN
        PERFORM refuse('tender_transition', format('A tender cannot go from %s to %s.',
            replace(OLD.stage, '_', ' '), replace(NEW.stage, '_', ' ')));
    END IF;
    SELECT max(number) INTO latest FROM requirement_version WHERE tender = NEW.id;
    CASE NEW.stage
    WHEN 'in_review' THEN
        IF latest IS NULL THEN
            PERFORM refuse('tender_has_requirement', 'Write the requirement first.');
        END IF;
        NEW.submitted_at := market_now();
    WHEN 'approved' THEN
        IF NOT EXISTS (
            SELECT 1 FROM review WHERE tender = NEW.id AND requirement = latest
            AND outcome = 'approved' AND reviewed_at >= OLD.submitted_at) THEN
            PERFORM refuse('tender_reviewed',
                'An independent reviewer has not approved this version.');
        END IF;
        NEW.approved_at := market_now();
    WHEN 'published' THEN
        PERFORM hold_clock();
        NEW.published_at := market_now();
        IF NEW.deadline IS NULL OR NEW.deadline <= NEW.published_at OR NEW.rule_set IS NULL
           OR NEW.contract_starts IS NULL THEN
            PERFORM refuse('tender_has_timetable',
                'A deadline in the future, a start of the contract and a rule set are needed.');
        END IF;
        IF NEW.published_requirement IS DISTINCT FROM latest THEN
            PERFORM refuse('published_is_approved', 'Only the approved version can be published.');
        END IF;
        PERFORM freeze_lots(NEW.id, latest);
    WHEN 'opened' THEN
        PERFORM hold_clock();
        NEW.opened_at := market_now();
        IF NEW.opened_at < NEW.deadline THEN
            PERFORM refuse('opening_after_deadline', 'Bids are not opened before the deadline.');
        END IF;
        SELECT count(DISTINCT c.person) INTO people FROM opening_confirmation c
            WHERE c.tender = NEW.id AND holds_duty(c.person, NEW.id, 'opener')
              AND why_not_unconflicted(c.person, NEW.id) IS NULL;
        IF people < 2 THEN
            PERFORM refuse('opening_by_two', 'Two different openers without an interest must'
                ' confirm the opening.');
        END IF;
        IF NOT EXISTS (SELECT 1 FROM manifest WHERE tender = NEW.id) THEN
            PERFORM refuse('manifest_complete', 'What stands is fixed before it is opened.');
        END IF;
        PERFORM freeze_criteria(NEW.id, NEW.published_requirement);
    WHEN 'abandoned' THEN
        NEW.abandoned_at := market_now();
    ELSE
        NULL;
    END CASE;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_tender BEFORE INSERT OR UPDATE ON tender
    FOR EACH ROW EXECUTE FUNCTION guard_tender();

-- The lots follow their tender, once it has moved.
CREATE FUNCTION lots_follow_tender() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.stage = 'opened' AND OLD.stage <> 'opened' THEN
        UPDATE lot SET stage = 'quality_scoring', version = version + 1
            WHERE tender = NEW.id AND stage = 'bidding';
    ELSIF NEW.stage = 'abandoned' AND OLD.stage <> 'abandoned' THEN
        UPDATE lot SET stage = 'abandoned', version = version + 1,
                       abandoned_because = NEW.abandoned_because
            WHERE tender = NEW.id AND stage <> 'abandoned';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lots_follow_tender AFTER UPDATE ON tender
    FOR EACH ROW EXECUTE FUNCTION lots_follow_tender();

-- What is published can be sealed to: both keys of every lot come in the same transaction.
CREATE FUNCTION guard_published_keys() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT count(*) FROM tender_key k WHERE k.lot = NEW.id) <> 2 THEN
        PERFORM refuse('lot_has_keys', 'A published lot needs a key for each envelope.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM tender_draw d WHERE d.tender = NEW.tender) THEN
        PERFORM refuse('draw_committed', 'A published tender is committed to the seed of draws.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_published_keys AFTER INSERT ON lot
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_published_keys();

CREATE FUNCTION guard_tender_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    -- keys are made in the transaction that publishes, never swapped or added afterwards
    IF (SELECT xmin FROM lot WHERE id = NEW.lot) IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('key_made_at_publication', 'Keys are made when a lot is published.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_tender_key BEFORE INSERT ON tender_key
    FOR EACH ROW EXECUTE FUNCTION guard_tender_key();
SELECT keep_wrapped('tender_key', 'wrapped_key');

-- The seed of draws is committed to when the tender is published: before anybody can bid.
CREATE FUNCTION guard_tender_draw() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM lot WHERE tender = NEW.tender
                   AND xmin = pg_current_xact_id()::xid AND stage = 'bidding')
       OR (SELECT amendments FROM tender WHERE id = NEW.tender) <> 0 THEN
        PERFORM refuse('draw_committed_at_publication',
            'The seed of draws is committed to when a tender is published.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_tender_draw BEFORE INSERT ON tender_draw
    FOR EACH ROW EXECUTE FUNCTION guard_tender_draw();
SELECT keep_wrapped('tender_draw', 'kept');

-- Buyers are settled before publication.
CREATE FUNCTION guard_tender_buyer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE now_stage text;
BEGIN
    SELECT stage INTO now_stage FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    IF now_stage IS DISTINCT FROM 'draft' OR TG_OP = 'UPDATE' THEN
        PERFORM refuse('buyers_in_draft', 'Buyers can only join while the tender is a draft.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM organisation WHERE id = NEW.organisation
                   AND kind IN ('clinical_commissioning_group', 'other_nhs_body')) THEN
        PERFORM refuse('buyer_kind', 'Only clinical commissioning groups and other NHS bodies buy.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_tender_buyer BEFORE INSERT OR UPDATE ON tender_buyer
    FOR EACH ROW EXECUTE FUNCTION guard_tender_buyer();

-- That somebody read who bids, or what stands between bidders and people: it tells how many there
-- are. And that somebody read what was bid and how it was judged. (Without a search path, so that
-- queries can take them in.)
CREATE FUNCTION reads_of_bidders(act text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT act IN ('bidders.read', 'minutes.read', 'conflicts.read', 'conflict_decisions.read')
$$;
CREATE FUNCTION reads_of_bids(act text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT act IN ('bids.read', 'scores.read', 'ranking.read', 'robustness.read', 'allocation.read',
        'notices.read', 'bid_document.read', 'bid_documents.read', 'bid_document.checked',
        'recommendation_report.read')
$$;

-- What an event would tell too early. Before the opening a declaration tells how many bid, a
-- decision about a conflict who bids, and a
-- refusal after the deadline may tell who: the guardian alone sees those. What strangers to the
-- house did tells whose bid is whose (an event names the bid), and what the panel read tells what
-- there is to read: nobody sees it before the opening; until every lot is scored the manager and
-- the guardian do, who never score; but no manager who has not declared against the bidders or has
-- an interest in one. (Not SQL, since that function comes with the bids, later.)
CREATE FUNCTION withholds_event(of_tender uuid, by_organisation uuid, act text, moment timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM tender t WHERE t.id = of_tender AND CASE
        WHEN t.opened_at IS NULL AND (act IN ('interest.declared', 'conflict.decided')
             OR reads_of_bidders(act) OR act = 'request.refused' AND moment >= t.deadline) THEN
            NOT holds_duty(acting_person(), t.id, 'guardian')
        WHEN act LIKE 'bid.%' OR reads_of_bidders(act) OR reads_of_bids(act) OR NOT EXISTS (
                SELECT 1 FROM tender_buyer b WHERE b.tender = t.id
                AND b.organisation = by_organisation
                UNION ALL SELECT 1 FROM duty d WHERE d.tender = t.id
                AND d.organisation = by_organisation) THEN
            t.opened_at IS NULL
            OR my_conflict(t.id) IS NOT NULL AND NOT holds_duty(acting_person(), t.id, 'guardian')
            OR EXISTS (SELECT 1 FROM lot l WHERE l.tender = t.id
                                           AND l.stage IN ('bidding', 'quality_scoring'))
                AND (NOT holds_duty(acting_person(), t.id, 'tender_manager', 'guardian')
                     OR EXISTS (SELECT 1 FROM duty d WHERE d.tender = t.id
                                AND d.person = acting_person() AND d.duty IN ('quality_evaluator',
                                    'moderator', 'price_evaluator', 'award_approver')))
        ELSE false END);
END $$;

-- The record of a tender: for its manager, its guardian and the buyers' auditors, less what is
-- withheld. One set for a whole statement, because a function asked row by row makes long lists slow.
CREATE FUNCTION recorded_tenders() RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 20
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.tender FROM duty d
    WHERE d.person = acting_person() AND d.duty IN ('tender_manager', 'guardian')
      AND d.released_at IS NULL
      AND holds_duty(acting_person(), d.tender, 'tender_manager', 'guardian')
    UNION
    SELECT b.tender FROM membership m JOIN tender_buyer b ON b.organisation = m.organisation
    WHERE m.person = acting_person() AND m.role = 'auditor' AND m.ended_at IS NULL
$$;
CREATE POLICY event_of_tender ON event FOR SELECT TO market_app
    USING (tender IN (SELECT recorded_tenders()));

GRANT SELECT, INSERT ON tender, tender_buyer, requirement_version, review TO market_app;
GRANT SELECT ON tender_transition, lot_transition, lot, criterion, scale_value,
    lot_service_line TO market_app;
GRANT INSERT ON tender_key, tender_draw TO market_app;
GRANT SELECT (tender, commitment) ON tender_draw TO market_app;
GRANT SELECT (id, lot, envelope, custodian, public_key) ON tender_key TO market_app;
GRANT UPDATE (title, stage, version, redraft, rule_set, clarifications_until, deadline, contract_starts,
    published_requirement, submitted_at, approved_at, published_at, opened_at, abandoned_at,
    abandoned_because) ON tender TO market_app;
GRANT UPDATE (stage, version, abandoned_because) ON lot TO market_app;
GRANT SELECT ON requirement_version, review, tender_transition, lot_transition,
    tender_key, tender_draw, criterion, scale_value, lot_service_line, tender_buyer, service_line
    TO market_guard;
GRANT SELECT, UPDATE ON tender, lot TO market_guard;
GRANT INSERT ON lot, criterion, scale_value, lot_service_line TO market_guard;
