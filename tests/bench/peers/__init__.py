"""The alternatives to boardcast: small programs, each tuned as its documentation says."""
