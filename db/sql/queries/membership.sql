SELECT user_id, board_id, role FROM board_members
