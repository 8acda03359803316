-- Rows made of a requirement's text: lots at its publication, criteria and scale at the opening.

-- What the lots' rows say of weights, and that the text adds up.
CREATE FUNCTION weights_of(lot_text jsonb) RETURNS TABLE (quality numeric, price numeric)
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(sum((c ->> 'weight')::numeric) FILTER (WHERE c ->> 'kind' = 'quality'), 0),
           coalesce(sum((c ->> 'weight')::numeric) FILTER (WHERE c ->> 'kind' = 'price'), 0)
    FROM jsonb_array_elements(lot_text -> 'criteria') c
$$;

-- The quality criteria of a lot that are answered and scored: the leaves of its tree.
CREATE FUNCTION scored_criteria(lot_text jsonb)
RETURNS TABLE (code text, title text, weight numeric, pass_fail boolean, minimum numeric)
LANGUAGE sql IMMUTABLE AS $$
    WITH RECURSIVE tree AS (
        SELECT c FROM jsonb_array_elements(lot_text -> 'criteria') c
        UNION ALL
        SELECT child FROM tree, jsonb_array_elements(tree.c -> 'children') child
    )
    SELECT c ->> 'code', c ->> 'title', (c ->> 'weight')::numeric,
        coalesce((c ->> 'pass_fail')::boolean, false), (c ->> 'minimum')::numeric
    FROM tree WHERE c ->> 'kind' = 'quality'
      AND jsonb_array_length(coalesce(c -> 'children', '[]')) = 0
$$;

CREATE FUNCTION ensure_adds_up(requirement jsonb) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE lot_text jsonb;
BEGIN
    IF jsonb_array_length(requirement -> 'lots') = 0 THEN
        PERFORM refuse('tender_has_lots', 'A tender needs at least one lot.');
    END IF;
    FOR lot_text IN SELECT l FROM jsonb_array_elements(requirement -> 'lots') l LOOP
        IF (SELECT quality FROM weights_of(lot_text))
           <> (SELECT coalesce(sum(weight), 0) FROM scored_criteria(lot_text)) THEN
            PERFORM refuse('criterion_weights_add_up',
                format('The sub-criteria of lot %s do not add up to their criteria.',
                       lot_text ->> 'number'));
        END IF;
    END LOOP;
END $$;

-- Lots become rows at publication, out of the approved text and of nothing else; bids refer to
-- those rows, and no role may edit them.
CREATE FUNCTION freeze_lots(of_tender uuid, of_version integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    requirement jsonb;
    lot_text jsonb;
    new_lot uuid;
BEGIN
    SELECT content INTO STRICT requirement FROM requirement_version
        WHERE tender = of_tender AND number = of_version;
    PERFORM ensure_adds_up(requirement);
    FOR lot_text IN SELECT l FROM jsonb_array_elements(requirement -> 'lots') l LOOP
        new_lot := gen_random_uuid();
        INSERT INTO lot (id, tender, number, title, minimum_quality, quality_weight, price_weight,
                         evaluators_minimum, approval_quorum, estimated_annual_value, stage,
                         version)
            SELECT new_lot, of_tender, (lot_text ->> 'number')::integer, lot_text ->> 'title',
                    (lot_text ->> 'minimum_quality')::numeric, w.quality, w.price,
                    (requirement ->> 'evaluators_minimum')::integer,
                    (requirement ->> 'approval_quorum')::integer,
                    (lot_text -> 'estimated_annual_value' ->> 'amount')::numeric, 'bidding', 1
            FROM weights_of(lot_text) w;
        INSERT INTO lot_service_line (id, lot, service_line)
            SELECT gen_random_uuid(), new_lot, code
            FROM jsonb_array_elements_text(lot_text -> 'service_lines') code;
    END LOOP;
END $$;

-- Criteria and scale become rows at the opening, out of the text as it was last published; scores
-- refer to them.
CREATE FUNCTION freeze_criteria(of_tender uuid, of_version integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE requirement jsonb;
BEGIN
    SELECT content INTO STRICT requirement FROM requirement_version
        WHERE tender = of_tender AND number = of_version;
    INSERT INTO scale_value (id, tender, value, title)
        SELECT gen_random_uuid(), of_tender, (v ->> 'value')::numeric, v ->> 'title'
        FROM jsonb_array_elements(requirement -> 'scale') v;
    INSERT INTO criterion (id, lot, code, title, weight, pass_fail, minimum)
        SELECT gen_random_uuid(), l.id, c.code, c.title, c.weight, c.pass_fail, c.minimum
        FROM jsonb_array_elements(requirement -> 'lots') e
        JOIN lot l ON l.tender = of_tender AND l.number = (e ->> 'number')::integer
        CROSS JOIN LATERAL scored_criteria(e) c;
END $$;
