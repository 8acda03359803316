-- Joint purchases: each buyer takes part by its own decision, and has a contract of its own for its
-- share of the awarded price.

SELECT keep_append_only('buyer_decision');
SELECT keep_recorded('buyer_decision');
SELECT keep_to_persons('buyer_decision');

-- What a buyer has decided about an award. A decision of its own comes first. Without one, the
-- approvals that made the award are the lead's decision, since the quorum is its; and that of a
-- buyer which has delegated its award duties to an organisation for which one of them was given.
-- NULL for every other buyer: it has reserved the decision to itself, and not made it yet.
CREATE FUNCTION buyer_part(of_award uuid, of_buyer uuid) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT CASE WHEN d.takes_part THEN 'takes_part' ELSE 'refused' END
         FROM buyer_decision d WHERE d.award = of_award AND d.buyer = of_buyer),
        (SELECT 'takes_part' FROM award a JOIN lot l ON l.id = a.lot JOIN tender t ON t.id = l.tender
         WHERE a.id = of_award AND (t.buyer = of_buyer OR EXISTS (
            SELECT 1 FROM approval p
            JOIN duty d ON d.person = p.approver AND d.tender = t.id AND d.duty = 'award_approver'
            JOIN award_delegation g ON g.delegate = d.organisation AND g.delegator = of_buyer
            WHERE p.recommendation = a.recommendation AND p.outcome = 'approved'
              AND (market_now() AT TIME ZONE 'Europe/London')::date
                  BETWEEN g.starts_on AND g.ends_on
              AND NOT EXISTS (SELECT 1 FROM award_delegation_ending n
                              WHERE n.delegation = g.id)))))
$$;

-- Each buyer's share of the awarded price by population, to the penny, adding up to exactly the
-- price: by largest remainders, among equal ones in the order of names, as the register of
-- procurement decisions divides it. A buyer that refuses takes its share away with it: nobody else
-- pays more.
CREATE FUNCTION buyer_shares(of_award uuid) RETURNS TABLE (buyer uuid, value numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH priced AS (
        SELECT l.tender, r.price, power(10::numeric, greatest(2, scale(trim_scale(r.price)))) AS unit
        FROM award a JOIN lot l ON l.id = a.lot JOIN recommendation c ON c.id = a.recommendation
        JOIN ranked_bid r ON r.ranking = c.ranking AND r.bid = a.bid WHERE a.id = of_award
    ), part AS (
        SELECT b.organisation, p.unit, trunc(p.price * p.unit) AS units,
            div(trunc(p.price * p.unit) * b.population, sum(b.population) OVER ()) AS whole,
            row_number() OVER (ORDER BY mod(trunc(p.price * p.unit) * b.population,
                (SELECT sum(y.population) FROM tender_buyer y WHERE y.tender = b.tender)) DESC,
                o.name, o.id) AS place
        FROM priced p JOIN tender_buyer b ON b.tender = p.tender
        JOIN organisation o ON o.id = b.organisation
    )
    SELECT organisation, trim_scale((whole + CASE WHEN place <= units - sum(whole) OVER ()
                                             THEN 1 ELSE 0 END) / unit) FROM part
$$;

-- Every buyer that takes part has its contract, and none has yet to decide.
CREATE FUNCTION lot_fully_contracted(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM contract c WHERE c.lot = of_lot) AND NOT EXISTS (
        SELECT 1 FROM lot l JOIN tender_buyer b ON b.tender = l.tender
        CROSS JOIN LATERAL buyer_part(latest_award(l.id), b.organisation) part
        WHERE l.id = of_lot AND (part IS NULL OR part = 'takes_part' AND NOT EXISTS (
            SELECT 1 FROM contract c WHERE c.award = latest_award(l.id)
            AND c.buyer = b.organisation)))
$$;

-- The buyers of the standing award that have yet to decide.
CREATE FUNCTION buyers_to_decide(of_lot uuid) RETURNS SETOF uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.organisation FROM lot l JOIN tender_buyer b ON b.tender = l.tender
    WHERE l.id = of_lot AND buyer_part(latest_award(l.id), b.organisation) IS NULL
$$;

CREATE FUNCTION guard_buyer_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := hold_lot_stage(NEW.lot, 'awarded', 'notified');
    PERFORM ensure_may_act(NEW.decided_by, held.tender, 'award_approver');
    NEW.award := latest_award(NEW.lot);
    NEW.decided_at := market_now();
    IF NOT EXISTS (SELECT 1 FROM tender_buyer b WHERE b.tender = held.tender
                   AND b.organisation = NEW.buyer)
       OR NOT EXISTS (SELECT 1 FROM duties_in_force(held.tender, NEW.decided_by) f
                      WHERE f.duty = 'award_approver' AND f.organisation = NEW.buyer) THEN
        PERFORM refuse('buyer_decides_itself',
            'Whether a buyer takes part is decided by an award approver of its own.');
    END IF;
    IF EXISTS (SELECT 1 FROM contract c WHERE c.award = NEW.award AND c.buyer = NEW.buyer) THEN
        PERFORM refuse('decided_before_contract', 'The contract of this buyer has been made.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_buyer_decision BEFORE INSERT ON buyer_decision
    FOR EACH ROW EXECUTE FUNCTION guard_buyer_decision();
-- a refusal can be what the lot waited for to be contracted, and would end a challenge undecided
CREATE TRIGGER guard_on_hold BEFORE INSERT ON buyer_decision
    FOR EACH ROW EXECUTE FUNCTION guard_on_hold();
CREATE TRIGGER fresh_buyer_decision BEFORE INSERT ON buyer_decision
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

-- A contract is one buyer's, where it takes part, for its share. A sole buyer need not be named.
CREATE FUNCTION guard_contract_of_buyer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE part text;
BEGIN
    IF NEW.buyer IS NULL THEN
        SELECT min(b.organisation::text)::uuid INTO NEW.buyer FROM lot l
        JOIN tender_buyer b ON b.tender = l.tender WHERE l.id = NEW.lot HAVING count(*) = 1;
    END IF;
    SELECT s.value INTO NEW.value FROM buyer_shares(NEW.award) s WHERE s.buyer = NEW.buyer;
    IF NOT FOUND THEN
        PERFORM refuse('contract_of_buyer', 'A contract is one buyer''s of the tender: say whose.');
    END IF;
    part := buyer_part(NEW.award, NEW.buyer);
    IF part IS NULL THEN
        PERFORM refuse('buyer_has_decided', 'The buyer has not decided whether it takes part.');
    ELSIF part = 'refused' THEN
        PERFORM refuse('buyer_takes_part', 'The buyer decided not to take part.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_contract_of_buyer BEFORE INSERT ON contract
    FOR EACH ROW EXECUTE FUNCTION guard_contract_of_buyer();

-- A lot is contracted when all who take part have their contracts; with the first of these it can
-- neither be ranked again nor given up.
CREATE FUNCTION guard_lot_contracts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.stage = 'contracted' AND NOT coalesce(lot_fully_contracted(NEW.id), false) THEN
        PERFORM refuse('contracted_when_all_have',
            'A lot is contracted when every buyer that takes part has its contract.');
    ELSIF NEW.stage <> 'contracted' AND EXISTS (SELECT 1 FROM contract c WHERE c.lot = NEW.id) THEN
        PERFORM refuse('contracts_stay', 'A buyer has its contract for this lot already.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_lot_contracts BEFORE UPDATE ON lot FOR EACH ROW
    WHEN (NEW.stage IS DISTINCT FROM OLD.stage) EXECUTE FUNCTION guard_lot_contracts();

-- -- reading --------------------------------------------------------------------------------------

-- How each buyer stands to the award of a lot, for those who read its evaluation.
CREATE FUNCTION buyers_of_award(of_lot uuid)
RETURNS TABLE (buyer uuid, name text, population integer, value numeric, part text,
    decided_itself boolean, reason text, decided_by_name text, decided_at timestamptz,
    contract text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.organisation, o.name, b.population, s.value, buyer_part(a.id, b.organisation),
        d.id IS NOT NULL, d.reason, p.name, d.decided_at, c.reference
    FROM award a JOIN lot l ON l.id = a.lot JOIN tender_buyer b ON b.tender = l.tender
    JOIN organisation o ON o.id = b.organisation
    JOIN buyer_shares(a.id) s ON s.buyer = b.organisation
    LEFT JOIN buyer_decision d ON d.award = a.id AND d.buyer = b.organisation
    LEFT JOIN person p ON p.id = d.decided_by
    LEFT JOIN contract c ON c.award = a.id AND c.buyer = b.organisation
    WHERE a.id = latest_award(of_lot) AND l.stage IN ('awarded', 'notified', 'contracted')
      AND of_lot IN (SELECT evaluated_lots())
    ORDER BY o.name, o.id
$$;

-- The contracts of a lot, public as each of them is made, with the published term.
CREATE FUNCTION contracts_of_lot(of_lot uuid)
RETURNS TABLE (buyer uuid, buyer_name text, reference text, starts date, ends date, value numeric,
    term_months integer, made_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.buyer, o.name, c.reference, c.starts, c.ends, c.value, (
            SELECT (part ->> 'term_months')::integer FROM requirement_version r,
                jsonb_array_elements(r.content -> 'lots') part
            WHERE r.tender = t.id AND r.number = t.published_requirement
              AND (part ->> 'number')::integer = l.number), c.made_at
    FROM contract c JOIN lot l ON l.id = c.lot JOIN tender t ON t.id = l.tender
    JOIN organisation o ON o.id = c.buyer WHERE c.lot = of_lot ORDER BY o.name, o.id
$$;

ALTER TABLE buyer_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON buyer_decision FOR SELECT TO market_guard USING (true);
CREATE POLICY buyer_decision_read ON buyer_decision FOR SELECT TO market_app
    USING (lot IN (SELECT evaluated_lots()));
CREATE POLICY buyer_decision_made ON buyer_decision FOR INSERT TO market_app
    WITH CHECK (decided_by = acting_person());

GRANT SELECT, INSERT ON buyer_decision TO market_app;
GRANT SELECT ON buyer_decision TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION buyers_of_award(uuid), contracts_of_lot(uuid), lot_fully_contracted(uuid)
    TO market_app;
GRANT EXECUTE ON FUNCTION buyers_to_decide(uuid) TO market_worker;
