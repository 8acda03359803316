-- Who holds which duty in a tender, and what keeps two of them apart: the floor, the exemptions,
-- the declaration on taking a duty, the delegation of award duties.

SELECT keep_append_only('duty_declaration', 'exemption', 'exemption_revocation',
    'conflict_decision', 'award_delegation', 'award_delegation_ending', 'duty_floor',
    'duty_default');
SELECT keep_undeleted('duty');
SELECT keep_recorded('duty', 'duty_declaration', 'exemption', 'exemption_revocation',
    'conflict_decision', 'award_delegation', 'award_delegation_ending');
SELECT keep_to_persons('duty_declaration', 'exemption', 'exemption_revocation',
    'conflict_decision', 'award_delegation', 'award_delegation_ending');
-- The words about a person; that there was a declaration, an exemption, a decision stays.
SELECT keep_erasable('duty_declaration', 't.person = who.id', 'details');
SELECT keep_erasable('exemption', 't.person = who.id', 'reason');
SELECT keep_erasable('exemption_revocation',
    'EXISTS (SELECT 1 FROM exemption e WHERE e.id = t.exemption AND e.person = who.id)', 'reason');
SELECT keep_erasable('conflict_decision', 't.person = who.id', 'reason', 'mitigation');
CREATE INDEX duty_tender ON duty (tender, duty);
CREATE INDEX duty_declaration_of ON duty_declaration (tender, person, declared_at);
CREATE INDEX exemption_of ON exemption (tender, person);
CREATE INDEX conflict_decision_of ON conflict_decision (tender, person, bidder, decided_at);

-- -- which duties are in force --------------------------------------------------------------------

CREATE FUNCTION exempted(of_tender uuid, holder uuid, first_duty text, second_duty text)
RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM exemption e WHERE e.tender = of_tender AND e.person = holder
        AND e.one = least(first_duty, second_duty) AND e.other = greatest(first_duty, second_duty)
        AND e.expires_at > market_now()
        AND NOT EXISTS (SELECT 1 FROM exemption_revocation r WHERE r.exemption = e.id))
$$;

-- The duties that decide who wins: a buyer's own people's, or those of an organisation to which a
-- buyer delegated them.
CREATE FUNCTION is_award_duty(duty text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT duty IN ('quality_evaluator', 'price_evaluator', 'moderator', 'award_approver')
$$;

CREATE FUNCTION may_hold_award_duties(of_tender uuid, candidate uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM tender_buyer b WHERE b.tender = of_tender AND (b.organisation = candidate
        OR EXISTS (SELECT 1 FROM award_delegation g
                   WHERE g.delegator = b.organisation AND g.delegate = candidate
                   AND (market_now() AT TIME ZONE 'Europe/London')::date
                       BETWEEN g.starts_on AND g.ends_on
                   AND NOT EXISTS (SELECT 1 FROM award_delegation_ending n
                                   WHERE n.delegation = g.id))))
$$;

-- How each unreleased duty of a person stands. It works ("in_force") from the moment its holder has
-- declared on taking it (authorship comes of an edit, which takes a duty already), and for as long
-- as they belong to the organisation they hold it for, hold no other that needs an exemption which
-- is not there any more, and were not removed.
CREATE FUNCTION duty_standing(of_tender uuid, holder uuid)
RETURNS TABLE (duty text, organisation uuid, standing text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.duty, d.organisation, CASE
        WHEN NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = d.person
                         AND m.organisation = d.organisation AND m.ended_at IS NULL)
          OR EXISTS (SELECT 1 FROM duty o JOIN duty_default f
                         ON f.one = d.duty AND f.other = o.duty
                     WHERE o.tender = of_tender AND o.person = holder
                       AND NOT exempted(of_tender, holder, d.duty, o.duty))
          OR is_award_duty(d.duty) AND NOT may_hold_award_duties(of_tender, d.organisation)
          OR EXISTS (SELECT 1 FROM conflict_decision c WHERE c.tender = of_tender
                     AND c.person = holder AND c.outcome = 'removed')
            THEN 'suspended'
        WHEN d.duty = 'author' AND d.assigned_by = d.person
          OR EXISTS (SELECT 1 FROM duty_declaration x WHERE x.tender = of_tender
                     AND x.person = holder AND x.declared_at >= d.assigned_at)
            THEN 'in_force'
        ELSE 'offered' END
    FROM duty d WHERE d.tender = of_tender AND d.person = holder AND d.released_at IS NULL
$$;

CREATE FUNCTION duties_in_force(of_tender uuid, holder uuid)
RETURNS TABLE (duty text, organisation uuid) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.duty, s.organisation FROM duty_standing(of_tender, holder) s
    WHERE s.standing = 'in_force'
$$;

-- The same in one row, for what the API decides by.
CREATE FUNCTION my_duties(of_tender uuid, holder uuid, held_for uuid)
RETURNS TABLE (duties text[], offered text[], suspended text[]) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(s.duty) FILTER (WHERE s.standing = 'in_force'), '{}'),
           coalesce(array_agg(s.duty) FILTER (WHERE s.standing = 'offered'), '{}'),
           coalesce(array_agg(s.duty) FILTER (WHERE s.standing = 'suspended'), '{}')
    FROM duty_standing(of_tender, holder) s WHERE s.organisation = held_for
$$;

CREATE FUNCTION holds_duty(holder uuid, of_tender uuid, VARIADIC duties text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM duties_in_force(of_tender, holder) f WHERE f.duty = ANY (duties))
$$;

-- Refuse an act on a tender by anybody but those whose duty it is. Once the bids are open, its
-- manager acts only after declaring against every bidder, and with an interest in none.
CREATE FUNCTION ensure_may_manage(of_tender uuid, now_stage text, VARIADIC duties text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF now_stage = 'opened' THEN
        PERFORM ensure_may_act(acting_person(), of_tender, VARIADIC duties);
    ELSE
        -- held, so that no exemption is revoked and no duty released between look and act
        PERFORM 1 FROM person WHERE id = acting_person() FOR SHARE;
        PERFORM ensure_holds(acting_person(), of_tender, VARIADIC duties);
    END IF;
END $$;

CREATE FUNCTION ensure_holds(actor uuid, of_tender uuid, VARIADIC duties text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(holds_duty(actor, of_tender, VARIADIC duties), false) THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM duty_standing(of_tender, actor) s
               WHERE s.duty = ANY (duties) AND s.standing = 'offered') THEN
        PERFORM refuse('duty_taken_up',
            'Declare first, on taking the duty, what interests you have.');
    END IF;
    PERFORM refuse('duty_needed', format('This needs the duty of %s in this tender.',
        replace(array_to_string(duties, ' or '), '_', ' ')));
END $$;

-- -- giving and releasing -------------------------------------------------------------------------

CREATE FUNCTION guard_duty() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    now_stage text;
    clash text;
BEGIN
    -- tender and organisation are locked against bids in flight, the person against other duties
    SELECT stage INTO now_stage FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM 1 FROM organisation WHERE id = NEW.organisation FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.tender, NEW.person, NEW.organisation, NEW.duty, NEW.assigned_by,
            NEW.assigned_at) IS DISTINCT FROM (OLD.id, OLD.tender, OLD.person, OLD.organisation,
            OLD.duty, OLD.assigned_by, OLD.assigned_at) OR OLD.released_at IS NOT NULL THEN
            PERFORM refuse('duty_only_ends', 'A duty can only be released.');
        END IF;
        PERFORM ensure_may_manage(NEW.tender, now_stage, 'tender_manager');
        NEW.released_at := market_now();
        RETURN NEW;
    END IF;
    NEW.assigned_at := market_now();
    NEW.released_at := NULL;
    IF NEW.assigned_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can give a duty in another person''s name.');
    END IF;
    -- given by the manager; the first one by who begins the tender; authorship by editing
    IF pg_trigger_depth() = 1 AND NOT (NEW.duty = 'tender_manager'
        AND NEW.person = NEW.assigned_by
        AND (SELECT xmin FROM tender WHERE id = NEW.tender) = pg_current_xact_id()::xid
        AND NOT EXISTS (SELECT 1 FROM duty WHERE tender = NEW.tender)) THEN
        PERFORM ensure_may_manage(NEW.tender, now_stage, 'tender_manager');
    END IF;
    -- having ever held a duty is what counts, so released duties are looked at too
    SELECT d.duty INTO clash FROM duty d JOIN duty_floor f ON f.one = d.duty AND f.other = NEW.duty
        WHERE d.tender = NEW.tender AND d.person = NEW.person ORDER BY d.duty LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('duty_floor', format('Whoever is or was %s of a tender cannot be its %s.',
            replace(clash, '_', ' '), replace(NEW.duty, '_', ' ')));
    END IF;
    SELECT d.duty INTO clash FROM duty d JOIN duty_default f
        ON f.one = d.duty AND f.other = NEW.duty
        WHERE d.tender = NEW.tender AND d.person = NEW.person
          AND NOT exempted(NEW.tender, NEW.person, d.duty, NEW.duty) ORDER BY d.duty LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('duty_default', format('Whoever is or was %s of a tender cannot be its %s'
            ' without a published exemption by the conflicts guardian.',
            replace(clash, '_', ' '), replace(NEW.duty, '_', ' ')));
    END IF;
    IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = NEW.person
                   AND m.organisation = NEW.organisation AND m.ended_at IS NULL) THEN
        PERFORM refuse('duty_for_own_organisation',
            'A duty is held for an organisation of which the person is a member.');
    END IF;
    IF is_award_duty(NEW.duty) AND NOT may_hold_award_duties(NEW.tender, NEW.organisation) THEN
        PERFORM refuse('award_duty_delegated', 'Award duties are held for a buyer, or for an'
            ' organisation to which a buyer has delegated them.');
    END IF;
    -- Until the names are known a refusal must not tell who bids: so it falls on every supplier
    -- and its group.
    IF now_stage = 'published' AND belongs_to_any_supplier(NEW.person) THEN
        PERFORM refuse('duty_not_for_suppliers', 'From publication to the opening no duty can be'
            ' given to a member of any supplier, or of its group.');
    END IF;
    IF now_stage = 'opened' AND belongs_to_bidder(NEW.person, NEW.tender) THEN
        PERFORM refuse('duty_not_for_bidders', 'A member of a bidder cannot hold a duty.');
    END IF;
    -- Who has seen which bid is whose does not join those who score without knowing, and nobody
    -- joins a panel whose scores are all there to be read.
    IF now_stage = 'opened' AND EXISTS (
        SELECT 1 FROM lot l WHERE l.tender = NEW.tender AND l.stage = 'quality_scoring'
        AND (NEW.duty IN ('quality_evaluator', 'moderator', 'price_evaluator', 'award_approver')
             AND EXISTS (SELECT 1 FROM duty d WHERE d.tender = NEW.tender
                         AND d.person = NEW.person AND d.duty = 'opener')
             OR NEW.duty = 'quality_evaluator' AND all_scores_locked(l))) THEN
        PERFORM refuse('duty_comes_too_late', 'Until the quality of every lot is locked, nobody'
            ' who opened joins the panel, and no evaluator joins one that has finished.');
    END IF;
    RETURN NEW;
END $$;

-- -- declaring on taking a duty -------------------------------------------------------------------

CREATE FUNCTION guard_duty_declaration() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    NEW.declared_at := market_now();
    IF NEW.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can declare in another person''s name.');
    END IF;
    IF NOT EXISTS (SELECT 1 FROM duty d WHERE d.tender = NEW.tender AND d.person = NEW.person
                   AND d.released_at IS NULL) THEN
        PERFORM refuse('declaration_for_duty', 'There is no duty to take up in this tender.');
    END IF;
    IF (NEW.statement = 'as_registered') <> EXISTS (
        SELECT 1 FROM interests_in_force(NEW.person)) THEN
        PERFORM refuse('declaration_as_registered', 'Nothing to declare is said by those who have'
            ' no interest in the register, and as registered by those who have one.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_duty_declaration BEFORE INSERT ON duty_declaration
    FOR EACH ROW EXECUTE FUNCTION guard_duty_declaration();

-- -- exemptions -----------------------------------------------------------------------------------

CREATE FUNCTION guard_exemption() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE now_stage text;
BEGIN
    SELECT stage INTO now_stage FROM tender WHERE id = NEW.tender FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
    NEW.granted_at := market_now();
    IF NEW.granted_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can exempt in another person''s name.');
    END IF;
    PERFORM ensure_may_manage(NEW.tender, now_stage, 'guardian');
    IF NOT EXISTS (SELECT 1 FROM duty_default f WHERE f.one = NEW.one AND f.other = NEW.other) THEN
        PERFORM refuse('exemption_of_default',
            'No exemption can be granted for this pair of duties, or none is needed.');
    END IF;
    IF NEW.expires_at <= NEW.granted_at THEN
        PERFORM refuse('exemption_expires_later', 'An exemption ends in the future.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_exemption BEFORE INSERT ON exemption
    FOR EACH ROW EXECUTE FUNCTION guard_exemption();

CREATE FUNCTION guard_exemption_revocation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    ended exemption;
    now_stage text;
BEGIN
    SELECT * INTO STRICT ended FROM exemption WHERE id = NEW.exemption;
    SELECT stage INTO now_stage FROM tender WHERE id = ended.tender FOR NO KEY UPDATE;
    -- whoever acts under the exemption shares this row, so that their act is before or after
    PERFORM 1 FROM person WHERE id = ended.person FOR NO KEY UPDATE;
    NEW.revoked_at := market_now();
    IF NEW.revoked_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can revoke in another person''s name.');
    END IF;
    PERFORM ensure_may_manage(ended.tender, now_stage, 'guardian');
    IF ended.expires_at <= NEW.revoked_at THEN
        PERFORM refuse('exemption_in_force', 'The exemption has expired already.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_exemption_revocation BEFORE INSERT ON exemption_revocation
    FOR EACH ROW EXECUTE FUNCTION guard_exemption_revocation();

-- -- delegation of award duties -------------------------------------------------------------------

CREATE FUNCTION ensure_delegates_for(of_organisation uuid, actor uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF actor IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can delegate in another person''s name.');
    END IF;
    PERFORM 1 FROM person WHERE id = actor FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = actor
                   AND m.organisation = of_organisation AND m.role = 'administrator'
                   AND m.ended_at IS NULL) THEN
        PERFORM refuse('delegated_by_administrator',
            'Only an administrator of the organisation records what it delegates.');
    END IF;
END $$;

CREATE FUNCTION guard_award_delegation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.recorded_at := market_now();
    PERFORM ensure_delegates_for(NEW.delegator, NEW.recorded_by);
    IF NOT EXISTS (SELECT 1 FROM organisation WHERE id = NEW.delegator
                   AND kind IN ('clinical_commissioning_group', 'other_nhs_body'))
       OR NOT EXISTS (SELECT 1 FROM organisation WHERE id = NEW.delegate AND NOT proposed
                   AND kind IN ('clinical_commissioning_group', 'other_nhs_body')) THEN
        PERFORM refuse('delegated_among_buyers',
            'Award duties are delegated by one body that buys to another.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_award_delegation BEFORE INSERT ON award_delegation
    FOR EACH ROW EXECUTE FUNCTION guard_award_delegation();

CREATE FUNCTION guard_award_delegation_ending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE ended award_delegation;
BEGIN
    SELECT * INTO ended FROM award_delegation WHERE id = NEW.delegation;
    -- whoever is given a duty under it holds the delegate's row, and whoever acts by one shares
    -- their own: each is before the end or after it
    PERFORM 1 FROM organisation WHERE id = ended.delegate FOR NO KEY UPDATE;
    PERFORM 1 FROM person WHERE id IN (
        SELECT d.person FROM duty d WHERE d.organisation = ended.delegate
        AND d.released_at IS NULL AND is_award_duty(d.duty)) ORDER BY id FOR NO KEY UPDATE;
    PERFORM ensure_delegates_for(ended.delegator, NEW.ended_by);
    NEW.ended_at := market_now();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_award_delegation_ending BEFORE INSERT ON award_delegation_ending
    FOR EACH ROW EXECUTE FUNCTION guard_award_delegation_ending();

GRANT SELECT, INSERT ON duty, duty_declaration, exemption, exemption_revocation,
    conflict_decision, award_delegation, award_delegation_ending TO market_app;
GRANT SELECT ON duty_floor, duty_default TO market_app;
GRANT UPDATE (released_at) ON duty TO market_app;
GRANT SELECT, INSERT ON duty TO market_guard;
GRANT SELECT ON duty_floor, duty_default, duty_declaration, exemption, exemption_revocation,
    conflict_decision, award_delegation, award_delegation_ending TO market_guard;

-- What somebody declared on taking a duty is read by themselves, the guardian and the auditors; what
-- was decided about them names a bidder, so it is read once that is known.
ALTER TABLE duty_declaration ENABLE ROW LEVEL SECURITY;
ALTER TABLE conflict_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON duty_declaration FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON conflict_decision FOR SELECT TO market_guard USING (true);
CREATE POLICY duty_declaration_made ON duty_declaration FOR INSERT TO market_app
    WITH CHECK (person = acting_person());
CREATE POLICY conflict_decision_made ON conflict_decision FOR INSERT TO market_app
    WITH CHECK (decided_by = acting_person());
