-- Questions about a bid: one point of contact asks, its bidder answers in time, and nobody who scores
-- learns whose answer it is. An answer explains a bid; nothing here touches the bid.

SELECT keep_append_only('bid_question', 'bid_answer');
SELECT keep_recorded('bid_question', 'bid_answer');
SELECT keep_to_persons('bid_question', 'bid_answer');

-- While what is asked about is being looked at: quality until it is locked, a price once it is open
-- and until the ranking; a price that appears abnormally low, once it is ranked.
CREATE FUNCTION ensure_questionable(of_lot uuid, about text) RETURNS lot LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT ensure_lot_stage(of_lot, CASE about WHEN 'price' THEN 'price_opened'
                                    WHEN 'low_price' THEN 'ranked' ELSE 'quality_scoring' END)
$$;

CREATE FUNCTION guard_bid_question() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE held lot;
BEGIN
    held := ensure_questionable(NEW.lot, NEW.about);
    PERFORM ensure_may_act(NEW.asked_by, held.tender,
        CASE NEW.about WHEN 'quality' THEN 'tender_manager' ELSE 'price_evaluator' END);
    IF NOT EXISTS (SELECT 1 FROM manifest_entry m JOIN opened_envelope o ON o.bid = m.bid
                   WHERE m.bid = NEW.bid AND m.lot = NEW.lot AND o.kind = CASE NEW.about WHEN 'quality' THEN 'quality'
                                                 ELSE 'price' END
                     AND o.content IS NOT NULL) THEN
        PERFORM refuse('questioned_bid_opened', 'Only what was opened of a bid is asked about.');
    END IF;
    NEW.asked_at := market_now();
    IF NEW.answer_by <= NEW.asked_at OR NEW.answer_by > NEW.asked_at + interval '60 days' THEN
        PERFORM refuse('question_has_deadline',
            'Leave the bidder time to answer: until later than now, and 60 days at most.');
    END IF;
    NEW.number := 1 + coalesce((SELECT max(number) FROM bid_question WHERE bid = NEW.bid), 0);
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_question BEFORE INSERT ON bid_question
    FOR EACH ROW EXECUTE FUNCTION guard_bid_question();

CREATE FUNCTION guard_bid_answer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    asked bid_question;
    owner bid;
BEGIN
    SELECT * INTO asked FROM bid_question WHERE id = NEW.question;
    SELECT * INTO owner FROM bid WHERE id = asked.bid;
    IF owner.organisation IS DISTINCT FROM acting_organisation()
       OR NEW.answered_by IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('acts_in_own_name', 'Nobody can answer in another''s name.');
    END IF;
    PERFORM ensure_questionable(asked.lot, asked.about);
    -- held, so that a membership cannot end between what the door saw and this
    PERFORM 1 FROM person WHERE id = NEW.answered_by FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM membership m WHERE m.person = NEW.answered_by
                   AND m.organisation = owner.organisation AND m.role = 'bid_manager'
                   AND m.ended_at IS NULL) THEN
        PERFORM refuse('bid_manager_needed', 'Only a bid manager of the organisation bids for it.');
    END IF;
    NEW.answered_at := market_now();
    IF NEW.answered_at > asked.answer_by THEN
        PERFORM refuse('answered_in_time', 'The time for the answer is over.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_bid_answer BEFORE INSERT ON bid_answer
    FOR EACH ROW EXECUTE FUNCTION guard_bid_answer();

-- -- reading --------------------------------------------------------------------------------------

-- The bid behind a pseudonym, for the one who asks it.
CREATE FUNCTION bid_to_question(of_lot uuid, named text) RETURNS uuid LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.bid FROM manifest_entry m JOIN lot l ON l.id = m.lot
    WHERE m.lot = of_lot AND m.pseudonym = named
      AND holds_duty(acting_person(), l.tender, 'tender_manager', 'price_evaluator')
      AND l.id IN (SELECT evaluated_lots())
$$;

-- What a bidder was asked about its own bid.
CREATE FUNCTION my_bid_questions(of_bid uuid)
RETURNS TABLE (id uuid, lot uuid, tender uuid, number integer, about text, question text,
    asked_at timestamptz, answer_by timestamptz, stage text, answer text,
    answered_at timestamptz, now timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT q.id, q.lot, l.tender, q.number, q.about::text, q.question, q.asked_at, q.answer_by,
        l.stage::text, a.answer, a.answered_at, market_now()
    FROM bid b JOIN bid_question q ON q.bid = b.id JOIN lot l ON l.id = q.lot
    LEFT JOIN bid_answer a ON a.question = q.id
    WHERE b.id = of_bid AND b.organisation = acting_organisation()
    ORDER BY q.number
$$;

-- Whether the acting person may see how often each bidder was asked: the moderator, the points of
-- contact, the guardian, and the buyers' auditors, none of them with an interest.
CREATE FUNCTION sees_questions(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM lot l JOIN tender t ON t.id = l.tender
        WHERE l.id = of_lot AND t.opened_at IS NOT NULL
          AND (l.id IN (SELECT evaluated_lots()) AND holds_duty(acting_person(), t.id,
                   'moderator', 'tender_manager', 'price_evaluator', 'guardian')
               OR audits_tender(t.id)
                  AND coalesce(why_not_unconflicted(acting_person(), t.id), 'declaration_missing')
                      = 'declaration_missing'))
$$;

CREATE FUNCTION questions_counted(of_lot uuid)
RETURNS TABLE (pseudonym text, asked integer, answered integer) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.pseudonym::text, count(q.id)::integer, count(a.id)::integer
    FROM manifest_entry m LEFT JOIN bid_question q ON q.bid = m.bid
    LEFT JOIN bid_answer a ON a.question = q.id
    WHERE m.lot = of_lot AND sees_questions(of_lot)
    GROUP BY m.pseudonym ORDER BY length(m.pseudonym), m.pseudonym
$$;

-- The words of a question are the asker's and the bidder's; when it was answered would tell, beside
-- the log, whose it is, so that is not shown.
CREATE FUNCTION questions_shown(of_lot uuid)
RETURNS TABLE (pseudonym text, number integer, about text, asked_at timestamptz,
    answer_by timestamptz, question text, answered boolean, answer text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.pseudonym::text, q.number, q.about::text, q.asked_at, q.answer_by,
        CASE WHEN q.asked_by = acting_person() THEN q.question END, a.id IS NOT NULL,
        CASE WHEN q.asked_by = acting_person() THEN a.answer END
    FROM bid_question q JOIN manifest_entry m ON m.bid = q.bid
    LEFT JOIN bid_answer a ON a.question = q.id
    WHERE q.lot = of_lot AND sees_questions(of_lot)
    ORDER BY length(m.pseudonym), m.pseudonym, q.number
$$;

-- What bidders answered about quality, for those who read the bids.
CREATE FUNCTION answers_shown(of_lot uuid)
RETURNS TABLE (pseudonym text, number integer, answer text) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.pseudonym::text, q.number, a.answer
    FROM bid_question q JOIN manifest_entry m ON m.bid = q.bid
    JOIN bid_answer a ON a.question = q.id
    WHERE q.lot = of_lot AND q.about = 'quality' AND of_lot IN (SELECT evaluated_lots())
    ORDER BY q.number
$$;

ALTER TABLE bid_question ENABLE ROW LEVEL SECURITY;
ALTER TABLE bid_answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY guard_reads ON bid_question FOR SELECT TO market_guard USING (true);
CREATE POLICY guard_reads ON bid_answer FOR SELECT TO market_guard USING (true);
CREATE POLICY question_read ON bid_question FOR SELECT TO market_app
    USING (asked_by = acting_person());
CREATE POLICY question_made ON bid_question FOR INSERT TO market_app
    WITH CHECK (asked_by = acting_person());
CREATE POLICY answer_read ON bid_answer FOR SELECT TO market_app
    USING (answered_by = acting_person());
CREATE POLICY answer_made ON bid_answer FOR INSERT TO market_app
    WITH CHECK (answered_by = acting_person());
CREATE POLICY worker_reads ON bid_question FOR SELECT TO market_worker USING (true);

GRANT SELECT, INSERT ON bid_question, bid_answer TO market_app;
GRANT SELECT ON bid_question, bid_answer TO market_guard;
GRANT SELECT (id, lot, bid, answer_by) ON bid_question TO market_worker;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION bid_to_question(uuid, text), my_bid_questions(uuid),
    sees_questions(uuid), questions_counted(uuid), questions_shown(uuid), answers_shown(uuid)
    TO market_app;
