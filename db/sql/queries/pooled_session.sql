-- Behind a transaction pooler: the settings that it keeps for each client.
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
SET standard_conforming_strings = on
