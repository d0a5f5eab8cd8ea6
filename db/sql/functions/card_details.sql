-- These fields come after the row's own. A column of the application with one of these names has its value in the log only.
CREATE FUNCTION feed.card_details(opportunity text) RETURNS jsonb
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT jsonb_build_object('closed_at', d.closed_at, 'close_reason', d.close_reason, 'next_activity', d.next_activity,
                              'next_activity_date', d.next_activity_date, 'details_version', d.version_number)
    FROM feed.opportunity_details AS d WHERE d.opportunity_id = card_details.opportunity;
END;
COMMENT ON FUNCTION feed.card_details(text) IS 'The fields of an opportunity that are in feed.opportunity_details; null if it has no row there.';
