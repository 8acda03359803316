-- The bid's promises: sealed until opened, none late, none twice, nobody forbidden opens.

SELECT keep_append_only('bid', 'bid_version', 'bid_participant', 'envelope', 'bid_receipt', 'manifest_entry',
    'declaration', 'opening_confirmation', 'opened_envelope');
-- What belongs to a version arrives in its transaction (guard_bid_part), and so with its event.
SELECT keep_recorded('bid', 'bid_version', 'manifest_entry', 'declaration', 'opening_confirmation',
    'opened_envelope');
SELECT keep_to_persons('declaration', 'opening_confirmation', 'opened_envelope');
SELECT keep_erasable('declaration', 't.person = who.id', 'details');
CREATE INDEX declaration_by_person ON declaration (tender, person, bidder);
CREATE INDEX bid_organisation_order ON bid (organisation, made_at, id);
ALTER TABLE envelope ALTER sealed SET STORAGE EXTERNAL;  -- what is sealed cannot be compressed

-- Refuse unless the acting person holds one of the duties, has declared and has no interest.
-- The person's row is held, so that no duty, membership or declaration changes meanwhile.
CREATE FUNCTION ensure_may_act(actor uuid, of_tender uuid, VARIADIC duties text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE why text;
BEGIN
    PERFORM 1 FROM person WHERE id = actor FOR SHARE;
    IF actor IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can act in another person''s name.');
    END IF;
    PERFORM ensure_holds(actor, of_tender, VARIADIC duties);
    why := why_not_unconflicted(actor, of_tender);
    IF why = 'declaration_missing' THEN
        PERFORM refuse('declaration_missing',
            'Declare first whether you have an interest in each of the bidders.');
    ELSIF why IS NOT NULL THEN
        PERFORM refuse('conflict_of_interest', CASE why
            WHEN 'belongs_to_bidder' THEN
                'You are or were a member, employee or director of an organisation that bids.'
            WHEN 'may_not_decide' THEN 'The conflicts guardian decided that you may discuss, and'
                ' not decide.'
            WHEN 'must_leave' THEN 'The conflicts guardian decided that you must leave.'
            ELSE 'You have an interest in a bidder: you must leave this tender until the conflicts'
                ' guardian has decided.' END);
    END IF;
END $$;

-- -- bidding --------------------------------------------------------------------------------------

CREATE FUNCTION ensure_bidding_open(of_tender uuid) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    held record;
    ahead interval;
    instant timestamptz;
BEGIN
    -- shared with other bids, waited for by the opening, by amendments and by duties
    SELECT stage, deadline INTO held FROM tender WHERE id = of_tender FOR SHARE;
    ahead := held_shift();
    instant := clock_timestamp() + ahead;  -- once both are held
    IF held.stage IS DISTINCT FROM 'published' OR instant >= held.deadline THEN
        PERFORM refuse('bidding_open', 'The time for bids is over, or bidding is not open.');
    END IF;
    RETURN instant;
END $$;

CREATE FUNCTION guard_bid() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE facts record;
BEGIN
    NEW.made_at := ensure_bidding_open(NEW.tender);
    PERFORM 1 FROM organisation WHERE id = NEW.organisation FOR SHARE;
    IF NEW.organisation IS DISTINCT FROM acting_organisation() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can bid in another organisation''s name.');
    END IF;
    SELECT stage, is_admitted_supplier(NEW.organisation) AS admitted,
        organisation_helps_to_run(NEW.organisation, NEW.tender) AS helps
    INTO facts FROM lot WHERE id = NEW.lot AND tender = NEW.tender;
    IF NOT FOUND THEN
        PERFORM refuse('bid_for_own_lot', 'The lot belongs to another tender.');
    END IF;
    IF facts.stage <> 'bidding' THEN
        PERFORM refuse('bidding_open', 'This lot takes no bids: it was abandoned.');
    END IF;
    IF NEW.variant > 0
       AND NEW.variant > coalesce((SELECT most FROM variants_of(NEW.lot)), 0) THEN
        PERFORM refuse('variant_taken', 'The requirement takes no such variant for this lot.');
    END IF;
    IF NOT facts.admitted THEN
        PERFORM refuse('bidder_admitted', 'Only admitted suppliers can bid.');
    END IF;
    IF facts.helps THEN
        PERFORM refuse('helper_does_not_bid', 'An organisation that helps to run a tender or buys'
            ' in it, or a parent or subsidiary of one, cannot bid in it.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid BEFORE INSERT ON bid FOR EACH ROW EXECUTE FUNCTION guard_bid();

CREATE FUNCTION guard_bid_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    owner record;
    facts record;
BEGIN
    SELECT tender, lot, organisation, made_at, xmin = pg_current_xact_id()::xid AS just_made
    INTO STRICT owner FROM bid WHERE id = NEW.bid FOR NO KEY UPDATE;
    -- of a bid just made, all is held since that instant, and its content must not be late either
    NEW.received_at := CASE WHEN owner.just_made THEN owner.made_at
                       ELSE ensure_bidding_open(owner.tender) END;
    -- held, so that a membership cannot end between what the door saw and this
    PERFORM 1 FROM person WHERE id = NEW.made_by FOR SHARE;
    -- all that decides in one look, after everything it rests on is held; told in this order
    SELECT t.published_requirement AS asked, t.amendments, l.stage, last.act, last.number,
        t.deadline <= market_now() AS late,
        EXISTS (SELECT 1 FROM membership m WHERE m.person = NEW.made_by
                AND m.organisation = owner.organisation AND m.role = 'bid_manager'
                AND m.ended_at IS NULL) AS manages,
        EXISTS (SELECT 1 FROM duty WHERE tender = owner.tender AND person = NEW.made_by) AS helps
    INTO STRICT facts
    FROM tender t JOIN lot l ON l.id = owner.lot
    LEFT JOIN LATERAL (SELECT act, number FROM bid_version WHERE bid = NEW.bid
                       ORDER BY number DESC LIMIT 1) last ON true
    WHERE t.id = owner.tender;
    NEW.amendment := facts.amendments;
    IF NEW.requirement <> facts.asked THEN
        PERFORM refuse('bid_for_present_requirement', 'The requirement was amended while the bid'
            ' was checked.');
    END IF;
    NEW.requirement := facts.asked;
    IF owner.organisation IS DISTINCT FROM acting_organisation()
       OR NEW.made_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can bid in another''s name.');
    END IF;
    IF NOT facts.manages THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation bids for it.');
    END IF;
    IF facts.helps THEN
        PERFORM refuse('helper_does_not_bid',
            'Whoever holds or held a duty in a tender cannot bid in it.');
    END IF;
    IF facts.late THEN
        PERFORM refuse('bidding_open', 'The time for bids is over.');
    END IF;
    IF NEW.act = 'submitted' AND facts.stage <> 'bidding' THEN
        PERFORM refuse('bidding_open', 'This lot takes no bids: it was abandoned.');
    END IF;
    IF NEW.act = 'withdrawn' AND facts.act IS DISTINCT FROM 'submitted' THEN
        PERFORM refuse('withdraws_what_stands', 'There is no standing bid to withdraw.');
    END IF;
    IF NEW.number <> 1 + coalesce(facts.number, 0) THEN
        PERFORM refuse('bid_version_counts', 'The bid was changed meanwhile.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_version BEFORE INSERT ON bid_version
    FOR EACH ROW EXECUTE FUNCTION guard_bid_version();

-- Envelopes and receipt belong to the transaction that submits: a bid is never filled in later. Looked
-- at after the statement, which may have brought the version too.
CREATE FUNCTION guard_bid_part() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT xmin FROM bid_version WHERE id = NEW.bid_version)
       IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('bid_arrives_whole', 'A submitted bid cannot be added to.');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_envelope AFTER INSERT ON envelope
    FOR EACH ROW EXECUTE FUNCTION guard_bid_part();
CREATE TRIGGER guard_receipt AFTER INSERT ON bid_receipt
    FOR EACH ROW EXECUTE FUNCTION guard_bid_part();

-- Whoever takes part beside the lead is named with the bid, and helps the buyers as little.
CREATE FUNCTION guard_bid_participant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE owner bid;
BEGIN
    SELECT b.* INTO STRICT owner FROM bid b JOIN bid_version v ON v.bid = b.id
        WHERE v.id = NEW.bid_version;
    IF (SELECT xmin FROM bid_version WHERE id = NEW.bid_version)
       IS DISTINCT FROM pg_current_xact_id()::xid THEN
        PERFORM refuse('bid_arrives_whole', 'A submitted bid cannot be added to.');
    END IF;
    IF NEW.organisation = owner.organisation OR EXISTS (
        SELECT 1 FROM organisation_identifier i WHERE i.organisation = owner.organisation
        AND i.scheme = NEW.scheme AND i.identifier = NEW.identifier) THEN
        PERFORM refuse('participant_is_another', 'The lead of a bid is not its own participant.');
    END IF;
    IF helps_to_run(parties_of(NEW.organisation, NEW.scheme, NEW.identifier), owner.tender) THEN
        PERFORM refuse('helper_does_not_bid', 'An organisation that helps to run a tender or buys'
            ' in it, or a parent or subsidiary of one, cannot take part in a bid.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_participant BEFORE INSERT ON bid_participant
    FOR EACH ROW EXECUTE FUNCTION guard_bid_participant();

CREATE FUNCTION guard_bid_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE found record;
BEGIN
    SELECT (SELECT count(*) FROM envelope WHERE bid_version = NEW.id) AS envelopes,
        EXISTS (SELECT 1 FROM bid_receipt WHERE bid_version = NEW.id) AS acknowledged,
        (SELECT sum(share) FROM bid_participant WHERE bid_version = NEW.id) AS share
    INTO found;
    IF found.envelopes <> (CASE NEW.act WHEN 'submitted' THEN 2 ELSE 0 END)
       OR NOT found.acknowledged THEN
        PERFORM refuse('bid_arrives_whole', 'A bid needs both its envelopes and its receipt.');
    END IF;
    IF found.share > 100 THEN
        PERFORM refuse('participant_shares', 'The shares of subcontractors are parts of 100 per cent.');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_bid_whole AFTER INSERT ON bid_version
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_bid_whole();

-- -- the opening ----------------------------------------------------------------------------------

CREATE FUNCTION guard_declaration() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    SELECT * INTO held FROM tender WHERE id = NEW.tender;
    NEW.declared_at := market_now();
    IF NEW.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can declare in another person''s name.');
    END IF;
    IF held.stage NOT IN ('published', 'opened') OR NEW.declared_at < held.deadline THEN
        PERFORM refuse('declaration_when_known',
            'Declarations are made once the bidders are known, after the deadline.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM standing_bids(NEW.tender) s
                   WHERE s.organisation = NEW.bidder) THEN
        PERFORM refuse('declaration_about_bidder', 'That organisation does not bid here.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_declaration BEFORE INSERT ON declaration
    FOR EACH ROW EXECUTE FUNCTION guard_declaration();

CREATE FUNCTION guard_opening_confirmation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    -- waits for every bid in flight: after this no bid can be accepted that the names leave out
    SELECT * INTO held FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM hold_clock();
    NEW.confirmed_at := market_now();
    IF held.stage IS DISTINCT FROM 'published' OR NEW.confirmed_at < held.deadline THEN
        PERFORM refuse('opening_after_deadline',
            'The opening is confirmed after the deadline, and once.');
    END IF;
    PERFORM ensure_extension_decided(NEW.tender);
    PERFORM ensure_may_act(NEW.person, NEW.tender, 'opener');
    NEW.confirmed_at := market_now();  -- again: a declaration in flight was waited for meanwhile
    RETURN NEW;
END $$;
CREATE TRIGGER guard_opening_confirmation BEFORE INSERT ON opening_confirmation
    FOR EACH ROW EXECUTE FUNCTION guard_opening_confirmation();
CREATE TRIGGER fresh_opening_confirmation BEFORE INSERT ON opening_confirmation
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

-- Openers who confirmed, still hold the duty and still have no interest: those who count.
CREATE FUNCTION openers_confirmed(of_tender uuid) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(DISTINCT c.person)::integer FROM opening_confirmation c
    WHERE c.tender = of_tender AND holds_duty(c.person, of_tender, 'opener')
      AND why_not_unconflicted(c.person, of_tender) IS NULL
$$;

-- Overridden by the evaluation, which knows; until then nothing has passed.
CREATE FUNCTION quality_passed(of_bid uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT false $$;

-- What the database must show of tender, lot and bid before one envelope may open, whoever opens it.
CREATE FUNCTION envelope_due(of_bid uuid, of_kind text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM manifest_entry m JOIN tender t ON t.id = m.tender JOIN lot l ON l.id = m.lot
        WHERE m.bid = of_bid AND t.stage = 'opened' AND CASE of_kind
            WHEN 'quality' THEN l.stage = 'quality_scoring'
            WHEN 'price' THEN l.stage = 'quality_locked' AND quality_passed(of_bid)
            ELSE false END)
$$;

-- The same with who opens it; also asked before its key is given.
CREATE FUNCTION envelope_may_open(of_bid uuid, of_kind text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT envelope_due(of_bid, of_kind) AND EXISTS (
        SELECT 1 FROM manifest_entry m WHERE m.bid = of_bid
        AND holds_duty(acting_person(), m.tender,
                       CASE of_kind WHEN 'price' THEN 'price_evaluator' ELSE 'opener' END)
        AND why_not_unconflicted(acting_person(), m.tender) IS NULL)
$$;

-- The only way to a wrapped private key; NULL where officers keep it.
CREATE FUNCTION wrapped_key_for(of_bid uuid, of_kind text) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT envelope_may_open(of_bid, of_kind) THEN
        PERFORM refuse('envelope_stays_sealed', 'This envelope may not be opened now.');
    END IF;
    PERFORM ensure_envelope_as_fixed(of_bid, of_kind);
    RETURN (SELECT k.wrapped_key FROM tender_key k JOIN bid b ON b.lot = k.lot
            WHERE b.id = of_bid AND k.envelope = of_kind);
END $$;

-- What else opening one envelope takes, for those who may open it now: where it belongs, what its
-- receipt commits to, and its sealed bytes.
CREATE FUNCTION sealed_envelope(of_bid uuid, of_kind text)
RETURNS TABLE (lot uuid, supplier uuid, variant integer, version integer, envelope uuid,
               committed bytea, sealed bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.lot, b.organisation, b.variant, v.number, e.id,
        CASE of_kind WHEN 'price' THEN v.price_commitment ELSE v.quality_commitment END, e.sealed
    FROM manifest_entry m JOIN bid b ON b.id = m.bid JOIN bid_version v ON v.id = m.bid_version
    JOIN envelope e ON e.bid_version = v.id AND e.kind = of_kind
    WHERE m.bid = of_bid AND envelope_may_open(of_bid, of_kind)
$$;

CREATE FUNCTION guard_opened_envelope() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE of_tender uuid;
BEGIN
    SELECT m.tender INTO of_tender FROM manifest_entry m JOIN envelope e
        ON e.bid_version = m.bid_version
        WHERE m.bid = NEW.bid AND e.id = NEW.envelope AND e.kind = NEW.kind;
    IF NOT FOUND THEN
        PERFORM refuse('opened_as_in_manifest', 'Only envelopes of the manifest are opened.');
    END IF;
    PERFORM 1 FROM lot l JOIN bid b ON b.lot = l.id WHERE b.id = NEW.bid FOR SHARE OF l;
    PERFORM ensure_may_act(NEW.opened_by, of_tender,
        CASE NEW.kind WHEN 'price' THEN 'price_evaluator' ELSE 'opener' END);
    IF NOT envelope_may_open(NEW.bid, NEW.kind) THEN
        PERFORM refuse('envelope_stays_sealed', 'This envelope may not be opened now.');
    END IF;
    PERFORM ensure_envelope_as_fixed(NEW.bid, NEW.kind);
    NEW.opened_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_opened_envelope BEFORE INSERT ON opened_envelope
    FOR EACH ROW EXECUTE FUNCTION guard_opened_envelope();

CREATE TRIGGER guard_duty BEFORE INSERT OR UPDATE ON duty
    FOR EACH ROW EXECUTE FUNCTION guard_duty();
