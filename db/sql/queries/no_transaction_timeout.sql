SET transaction_timeout = 0
