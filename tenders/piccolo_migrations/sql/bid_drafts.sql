-- Drafts of bids: their organisation's bid managers save, read and remove them; nobody else sees that
-- there is one.

SELECT keep_recorded('bid_draft', 'draft_key');
SELECT keep_undeleted('draft_key');
SELECT keep_wrapped('draft_key', 'wrapped');

-- Whether the acting person deals with the bids of the organisation they act for.
CREATE FUNCTION deals_with_bids() RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM membership m WHERE m.person = acting_person()
                   AND m.organisation = acting_organisation() AND m.role = 'bid_manager'
                   AND m.ended_at IS NULL)
$$;

CREATE FUNCTION guard_bid_draft() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held tender;
BEGIN
    IF NEW.organisation IS DISTINCT FROM acting_organisation()
       OR NEW.saved_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can save a draft in another''s name.');
    END IF;
    PERFORM 1 FROM person WHERE id = NEW.saved_by FOR SHARE;
    IF NOT deals_with_bids() THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation bids for it.');
    END IF;
    SELECT t.* INTO held FROM lot l JOIN tender t ON t.id = l.tender WHERE l.id = NEW.lot;
    NEW.saved_at := market_now();
    IF held.stage IS DISTINCT FROM 'published' OR NEW.saved_at >= held.deadline THEN
        PERFORM refuse('bidding_open', 'The time for bids is over, or bidding is not open.');
    END IF;
    IF NEW.variant < 0 OR NEW.variant > 0
       AND NEW.variant > coalesce((SELECT most FROM variants_of(NEW.lot)), 0) THEN
        PERFORM refuse('variant_taken', 'The requirement takes no such variant for this lot.');
    END IF;
    -- numbered across all drafts of the organisation: the number of one that was removed never comes
    -- again, so that nobody saves over, submits or discards another draft than the one they read
    IF NEW.version IS DISTINCT FROM (SELECT k.saves FROM draft_key k
                                     WHERE k.organisation = NEW.organisation)
       OR TG_OP = 'UPDATE' AND (NEW.version <= OLD.version
            OR (NEW.id, NEW.lot, NEW.organisation, NEW.variant)
               IS DISTINCT FROM (OLD.id, OLD.lot, OLD.organisation, OLD.variant)) THEN
        PERFORM refuse('bid_draft_counts', 'The draft was changed meanwhile.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_draft BEFORE INSERT OR UPDATE ON bid_draft
    FOR EACH ROW EXECUTE FUNCTION guard_bid_draft();

CREATE FUNCTION guard_draft_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.saves := 0;
    ELSIF NOT rewrapping() AND (NEW.saves <> OLD.saves + 1
            OR to_jsonb(NEW) - 'saves' IS DISTINCT FROM to_jsonb(OLD) - 'saves') THEN
        PERFORM refuse('draft_saves_counted', 'Saved drafts are counted one by one.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_draft_key BEFORE INSERT OR UPDATE ON draft_key
    FOR EACH ROW EXECUTE FUNCTION guard_draft_key();

-- What the stored envelopes of a version of one's own bid are, for comparing them with the receipt.
-- Of one version, since the digests of many would be many megabytes' work.
CREATE FUNCTION my_sealed_digests(of_bid uuid, of_number integer)
RETURNS TABLE (kind text, digest text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.kind, encode(sha256(e.sealed), 'hex')
    FROM bid b JOIN bid_version v ON v.bid = b.id JOIN envelope e ON e.bid_version = v.id
    WHERE b.id = of_bid AND v.number = of_number AND b.organisation = acting_organisation()
      AND deals_with_bids()
$$;

ALTER TABLE bid_draft ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON draft_key FOR SELECT TO market_guard USING (true);
CREATE POLICY draft_own ON bid_draft TO market_app
    USING (organisation = acting_organisation() AND deals_with_bids());
CREATE POLICY draft_key_own ON draft_key FOR SELECT TO market_app
    USING (organisation = acting_organisation() AND deals_with_bids());
CREATE POLICY draft_key_counts ON draft_key FOR UPDATE TO market_app
    USING (organisation = acting_organisation() AND deals_with_bids());
CREATE POLICY draft_key_made ON draft_key FOR INSERT TO market_app
    WITH CHECK (organisation = acting_organisation() AND deals_with_bids());

GRANT SELECT, INSERT, DELETE ON bid_draft TO market_app;
GRANT UPDATE (version, sealed, saved_by, saved_at) ON bid_draft TO market_app;
GRANT SELECT, INSERT ON draft_key TO market_app;
GRANT UPDATE (saves) ON draft_key TO market_app;
GRANT SELECT ON draft_key TO market_guard;
GRANT EXECUTE ON FUNCTION deals_with_bids(), my_sealed_digests(uuid, integer) TO market_app;

SELECT seal_guards();
