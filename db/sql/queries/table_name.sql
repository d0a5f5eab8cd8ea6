SELECT %(table)s::text::regclass::text
