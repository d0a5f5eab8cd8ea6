"""What others would use instead: small programs, each tuned as its documentation says."""
