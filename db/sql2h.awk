# Turns named statements into a C header: an enum of the names, and their texts for the one file
# that defines SQL_TEXTS before it includes the header.
#
# A line "-- name: foo" starts statement foo, which runs to the next such line or the end of the
# file. Lines that are blank or only a comment are left out; a name given twice is an error.

function literal(s) {
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\\n\""
}

FNR == 1 { current = 0 }

/^-- name: / {
	if ($3 in seen) {
		print FILENAME ":" FNR ": " $3 " is named twice" > "/dev/stderr"
		failed = 1
		exit 1
	}
	seen[$3] = 1
	current = ++count
	name[current] = $3
	next
}

current && !/^[ \t]*(--|$)/ { text[current] = text[current] "\n\t\t" literal($0) }

END {
	if (failed)
		exit 1
	print "/* Made from db/ by sql2h.awk: do not edit. */"
	print "#ifndef GEN_SQL_H\n#define GEN_SQL_H\n\nenum sql_id {"
	for (i = 1; i <= count; i++)
		print "\tSQL_" name[i] ","
	print "\tSQL_COUNT\n};\n\n#ifdef SQL_TEXTS"
	print "static const char *const sql_texts[SQL_COUNT] = {"
	for (i = 1; i <= count; i++)
		print "\t[SQL_" name[i] "] =" text[i] ","
	print "};\n#endif\n\n#endif"
}
