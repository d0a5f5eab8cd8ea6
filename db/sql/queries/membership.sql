SELECT user_id, board_id, role FROM feed.board_members
