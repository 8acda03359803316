-- The duties matrix, floor and default, and the lawful moves, as rows the guards read. A test holds them
-- equal to tenders/rules/duties.py, tenders/rules/stages.py and evaluation/rules/stages.py.
INSERT INTO duty_floor (id, one, other)
SELECT gen_random_uuid(), pair.one, pair.other FROM (
    VALUES ('author', 'opener'), ('author', 'price_evaluator'), ('author', 'moderator'),
           ('author', 'award_approver'), ('author', 'outcome_reviewer'), ('author', 'reviewer'),
           ('quality_evaluator', 'award_approver'), ('price_evaluator', 'award_approver'),
           ('moderator', 'award_approver'), ('quality_evaluator', 'price_evaluator'),
           ('tender_manager', 'quality_evaluator'), ('tender_manager', 'price_evaluator'),
           ('tender_manager', 'moderator'), ('tender_manager', 'award_approver'),
           ('outcome_reviewer', 'award_approver'), ('outcome_reviewer', 'contract_manager'),
           ('guardian', 'tender_manager'), ('guardian', 'author'), ('guardian', 'reviewer'),
           ('guardian', 'opener'), ('guardian', 'quality_evaluator'),
           ('guardian', 'price_evaluator'), ('guardian', 'moderator'),
           ('guardian', 'award_approver'), ('guardian', 'contract_manager'),
           ('guardian', 'outcome_reviewer')
) AS floor (a, b)
CROSS JOIN LATERAL (VALUES (floor.a, floor.b), (floor.b, floor.a)) AS pair (one, other);

INSERT INTO duty_default (id, one, other)
SELECT gen_random_uuid(), pair.one, pair.other FROM (
    VALUES ('author', 'quality_evaluator'), ('reviewer', 'quality_evaluator'),
           ('reviewer', 'price_evaluator'), ('reviewer', 'moderator'),
           ('opener', 'award_approver')
) AS exemptible (a, b)
CROSS JOIN LATERAL (VALUES (exemptible.a, exemptible.b), (exemptible.b, exemptible.a))
    AS pair (one, other);

INSERT INTO tender_transition (id, earlier, later)
SELECT gen_random_uuid(), earlier, later FROM (
    VALUES ('draft', 'in_review'), ('in_review', 'approved'), ('in_review', 'draft'),
           ('approved', 'published'), ('approved', 'draft'), ('published', 'opened'),
           ('draft', 'abandoned'), ('in_review', 'abandoned'), ('approved', 'abandoned'),
           ('published', 'abandoned'), ('opened', 'abandoned')
) AS move (earlier, later);

INSERT INTO lot_transition (id, earlier, later)
SELECT gen_random_uuid(), earlier, later FROM (
    VALUES ('bidding', 'quality_scoring'), ('quality_scoring', 'quality_locked'),
           ('quality_locked', 'price_opened'), ('price_opened', 'ranked'),
           ('ranked', 'recommended'), ('recommended', 'ranked'), ('recommended', 'awarded'),
           ('awarded', 'notified'), ('notified', 'contracted'), ('ranked', 'ranked'),
           ('awarded', 'ranked'), ('notified', 'ranked'), ('notified', 'quality_scoring'),
           ('bidding', 'abandoned'), ('quality_scoring', 'abandoned'),
           ('quality_locked', 'abandoned'), ('price_opened', 'abandoned'),
           ('ranked', 'abandoned'), ('recommended', 'abandoned'), ('awarded', 'abandoned'),
           ('notified', 'abandoned')
) AS move (earlier, later);

-- The matrix is the law's and the house's: it changes by a migration and by nothing else.
SELECT keep_to_migrations('duty_floor', 'duty_default', 'tender_transition', 'lot_transition');
